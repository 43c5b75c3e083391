"""Decode steps captured once and replayed: on CUDA a step is mostly the host launching kernels, and a replay is one.

A captured step has a fixed shape and reads and writes fixed places: the ids and positions of its rows in, logits out,
keys and values in the cache. So there is one for each bucket of rows and columns, made when it is first needed:

    rows     1 2 4 8 16 24 32 48 64      the lowest slots; those that are free compute what nobody reads
    columns  512 1024 2048 4096 …        what the longest row needs; the rest is masked

What is captured is a matter of `record`, so that all but the recording itself is the same without a GPU. Where
recording fails, as with weights whose products cannot be captured, steps run as they are from then on.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import torch

from medserver.worker.attention import DecodeStep
from medserver.worker.decoder import Decoder
from medserver.worker.slots import Slot, SlotCache
from medserver.worker.values import is_out_of_memory

log = logging.getLogger("medserver.worker")

ROWS = (1, 2, 4, 8, 16, 24, 32, 48, 64)
NARROWEST = 512

Work = Callable[[], torch.Tensor]
# Runs the work, and returns how to run it again and where its result then stands.
Record = Callable[[Work], tuple[Callable[[], object], torch.Tensor]]


def rows_for(needed: int, there_are: int) -> int | None:
    """The smallest bucket that holds `needed` rows, or all there are; None for more than any bucket has."""
    fitting = next((rows for rows in ROWS if rows >= needed), None)
    return None if fitting is None else min(fitting, there_are)


def columns_for(needed: int, there_are: int) -> int:
    """A power of two, or all there are."""
    return min(max(NARROWEST, 1 << (needed - 1).bit_length()), there_are)


@dataclass(slots=True, eq=False)
class Graph:
    """One captured step. `ids` and `positions`, int64 (rows,), are filled before `replay`; then `logits` stand."""

    ids: torch.Tensor
    positions: torch.Tensor
    replay: Callable[[], object]
    logits: torch.Tensor


class Graphs:
    """The captured steps over one cache at a time; one that has moved, or another one, begins anew."""

    def __init__(self, decoder: Decoder, device: torch.device, record: Record):
        self._decoder, self._device, self._record = decoder, device, record
        self._failed = False
        self.forget()

    def forget(self) -> None:
        """The cache they were captured over is gone."""
        self._graphs: dict[tuple[int, int], Graph] = {}
        self._moves: int | None = None

    def decode(self, cache: SlotCache, tokens: list[int], slots: list[Slot]) -> torch.Tensor | None:
        """One token to each of `slots`, as `Model.decode`; None where the step must run as it is."""
        if self._moves != cache.moves:
            self.forget()
            self._moves = cache.moves
        rows = rows_for(max(slot.index for slot in slots) + 1, cache.room[0])
        if self._failed or rows is None:
            return None
        shape = rows, columns_for(max(slot.length for slot in slots) + 1, cache.room[1])
        ids, positions = [0] * rows, [0] * rows
        for slot in cache.taken:  # also one that is being prefilled: what its row writes must do no harm
            if slot.index < rows:
                positions[slot.index] = slot.length
        for slot, token in zip(slots, tokens, strict=True):
            ids[slot.index] = token
        graph = self._ready(cache, shape, torch.tensor(ids), torch.tensor(positions))
        if graph is None:
            return None
        graph.replay()
        return graph.logits[[slot.index for slot in slots]]

    def _ready(
        self, cache: SlotCache, shape: tuple[int, int], ids: torch.Tensor, positions: torch.Tensor
    ) -> Graph | None:
        """The graph of this shape with its buffers filled. Recorded with them, so that what that writes is right."""
        if graph := self._graphs.get(shape):
            graph.ids.copy_(ids)
            graph.positions.copy_(positions)
            return graph
        try:
            graph = self._captured(cache, shape[1], ids.to(self._device), positions.to(self._device))
        except Exception as error:
            if is_out_of_memory(error):
                raise
            log.warning("decode steps are not captured: %s", type(error).__name__)
            self._failed = True
            return None
        self._graphs[shape] = graph
        return graph

    def _captured(self, cache: SlotCache, columns: int, ids: torch.Tensor, positions: torch.Tensor) -> Graph:
        self._decoder.reach(cache.room[1])  # a table that grew later would be another one than was captured

        def step() -> torch.Tensor:
            seen = DecodeStep.padded(cache, positions, columns, self._decoder.scale)
            return self._decoder.logits(self._decoder.run(self._decoder.embed(ids), seen, columns - 1))

        return Graph(ids, positions, *self._record(step))


def record_on_cuda() -> Record:
    """Recording with CUDA graphs that share their memory: no two of them ever run at the same time."""
    pool = torch.cuda.graph_pool_handle()

    def record(work: Work) -> tuple[Callable[[], object], torch.Tensor]:
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(2):  # libraries choose and load their kernels at the first calls
                work()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=pool):
            logits = work()
        return graph.replay, logits

    return record
