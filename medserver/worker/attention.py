"""Where new keys and values go and what each new token sees: one step of many sequences, a part of one or of several.

All keep their masks and places for all layers. Query heads that share a key head stand in the place of a
sequence of queries, so that keys and values are never copied for them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import torch
from torch.nn.functional import scaled_dot_product_attention

from medserver.worker.slots import Slot, SlotCache

# Where images stand in a prompt: (first token, token after the last).
Spans = Sequence[tuple[int, int]]
_MANY_ROWS = 4
# Columns that a row of a step may be padded with before it attends apart. 16 rows of 200 tokens and one of 1,700 in
# one call: 9.0 ms a layer, in two 1.4 (4 heads of 256; 1.0 and 0.16 of 2 heads of 64, measured).
PADDING = 256


@dataclass(frozen=True, slots=True)
class Run:
    """Rows next to each other, from `first` to before `after`, that attend together to as many columns as the longest
    of them sees, its `width`. `even`: each sees all of these.
    """

    first: int
    after: int
    width: int
    even: bool


class DecodeStep:
    """The next token of the slots from number `first` on, which stands at `positions`, int64 (slots,).

    A slot between them that is free, not yet prefilled, or only copied still, is computed too and is no harm: what it
    writes stands where its next token will, and in a ring on the one that this token sees no more (which `Copying` has
    copied first). `runs`: of all rows, for global layers and for local ones.
    """

    def __init__(
        self,
        cache: SlotCache,
        positions: torch.Tensor,
        runs: tuple[Sequence[Run], Sequence[Run]],
        scale: float,
        first: int = 0,
    ):
        self._cache, self._scale = cache, scale
        self._first, self._rows = first, len(positions)
        self.positions = positions
        self._runs = tuple([(run, self._mask(run)) for run in of_kind] for of_kind in runs)
        self._known_places: dict[int, torch.Tensor] = {}

    @classmethod
    def of(
        cls, cache: SlotCache, rows: list[int], lengths: list[int], scale: float, device: torch.device
    ) -> "DecodeStep":
        """Of the slots `rows`; `lengths`: of all slots from the first to the last of them."""
        first, seen = min(rows), [1] * len(lengths)
        for row in rows:
            seen[row - first] = lengths[row - first] + 1
        # On other devices a call costs more than it saves.
        padding = PADDING if device.type == "cpu" else inf
        near = [min(columns, cache.shape.window) for columns in seen]
        runs = (_runs(seen, padding), _runs(near, padding))
        return cls(cache, torch.tensor(lengths, device=device), runs, scale, first)

    @classmethod
    def padded(cls, cache: SlotCache, positions: torch.Tensor, width: int, scale: float) -> "DecodeStep":
        """Of positions that change, below `width`."""
        runs = [[Run(0, len(positions), columns, False)] for columns in (width, min(width, cache.shape.window))]
        return cls(cache, positions, (runs[0], runs[1]), scale)

    def attend(self, layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        """`query` (rows, heads, head_dim), `key` and `value` (rows, kv_heads, head_dim) → (rows, heads * head_dim)."""
        keys, values = self._cache.keys[layer], self._cache.values[layer]
        self._write(keys, key)
        self._write(values, value)
        query = query.unflatten(1, (keys.shape[1], -1))
        keys, values = keys[self._first :], values[self._first :]
        seen = [
            _attend(
                query[run.first : run.after],
                keys[run.first : run.after, :, : run.width],
                values[run.first : run.after, :, : run.width],
                None if mask is None else mask.to(query.device),
                self._scale,
            )
            for run, mask in self._runs[self._cache.shape.sliding[layer]]
        ]
        return (torch.cat(seen) if len(seen) > 1 else seen[0]).reshape(self._rows, -1)

    def _mask(self, run: Run) -> torch.Tensor | None:
        """Zero where a row sees a column and -inf where not, (rows, 1, 1, width); None where all see all."""
        if run.even:
            return None
        columns = torch.arange(run.width, device=self.positions.device)
        hidden = columns > self.positions[run.first : run.after].unsqueeze(1)
        mask = torch.zeros(hidden.shape, dtype=self._cache.shape.dtype, device=columns.device)
        return mask.masked_fill_(hidden, -torch.inf)[:, None, None]

    def _write(self, tensor: torch.Tensor, new: torch.Tensor) -> None:
        head_dim = tensor.shape[3]
        places = self._places(tensor).to(tensor.device)
        tensor.view(-1, head_dim).index_copy_(0, places, new.reshape(-1, head_dim))

    def _places(self, tensor: torch.Tensor) -> torch.Tensor:
        """The line of each row's and head's new column when slots, heads and columns are one dimension."""
        heads, columns = tensor.shape[1:3]
        if columns not in self._known_places:
            lines = torch.arange(self._rows * heads, device=self.positions.device).view(-1, heads) * columns
            lines += self._first * heads * columns
            self._known_places[columns] = (lines + self.positions.unsqueeze(1) % columns).flatten()
        return self._known_places[columns]


class PrefillStep:
    """The tokens `start` to `end` of one sequence, which follow on what its slot already holds.

    `images`: where images stand, none of them cut by `start` or `end`; their tokens see each other both ways.
    """

    def __init__(self, cache: SlotCache, slot: Slot, end: int, images: Spans, scale: float, device: torch.device):
        self._cache, self._slot, self._end, self._scale = cache, slot, end, scale
        start, window = slot.length, cache.shape.window
        self.positions = torch.arange(start, end, device=device)
        # Of the past a local layer needs what the first new token sees; a ring holds exactly that and one more.
        past = torch.arange(max(0, start - window + 1), start, device=device)
        self._past_columns = past % window
        self._ring_columns = self.positions[-window:] % window
        blocks = _blocks(start, end, images).to(device)
        near = torch.cat([past, self.positions])
        self._seen = (
            _seen(self.positions, torch.arange(end, device=device), blocks),
            _seen(self.positions, near, blocks) & (near > self.positions.unsqueeze(1) - window),
        )
        self._masks: dict[tuple[bool, torch.device], torch.Tensor] = {}

    def attend(self, layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        """`query` (tokens, heads, head_dim), `key` and `value` (tokens, kv_heads, head_dim) → (tokens, …)."""
        local = self._cache.shape.sliding[layer]
        tensors = (self._cache.keys[layer][self._slot.index], self._cache.values[layer][self._slot.index])
        new = (key.transpose(0, 1), value.transpose(0, 1))
        keys, values = map(self._through_ring if local else self._onto_the_end, tensors, new)
        tokens, heads, head_dim = query.shape
        kv_heads = keys.shape[0]
        grouped = query.view(tokens, kv_heads, -1, head_dim).permute(1, 2, 0, 3).reshape(1, kv_heads, -1, head_dim)
        mask = self._mask(local, heads // kv_heads, query)
        seen = scaled_dot_product_attention(grouped, keys[None], values[None], mask, scale=self._scale)
        return seen.view(kv_heads, -1, tokens, head_dim).permute(2, 0, 1, 3).reshape(tokens, -1)

    def _mask(self, local: bool, groups: int, query: torch.Tensor) -> torch.Tensor:
        """Zero where a query sees a column and -inf where not, (groups * tokens, columns); made once for all layers."""
        known = (local, query.device)
        if known not in self._masks:
            hidden = ~self._seen[local].to(query.device).repeat(groups, 1)
            self._masks[known] = query.new_zeros(hidden.shape).masked_fill_(hidden, -torch.inf)
        return self._masks[known]

    def _onto_the_end(self, whole: torch.Tensor, new: torch.Tensor) -> torch.Tensor:
        whole[:, self._slot.length : self._end] = new
        return whole[:, : self._end]

    def _through_ring(self, ring: torch.Tensor, new: torch.Tensor) -> torch.Tensor:
        """The past in its order and the new after it; the ring is left with the last of both."""
        if self._end <= self._cache.shape.window:
            return self._onto_the_end(ring, new)  # it has not turned over yet
        near = torch.cat([ring.index_select(1, self._past_columns.to(ring.device)), new], dim=1)
        self._keep(ring, new)
        return near

    def _keep(self, ring: torch.Tensor, new: torch.Tensor) -> None:
        ring.index_copy_(1, self._ring_columns.to(ring.device), new[:, -len(self._ring_columns) :])


class TrialStep(PrefillStep):
    """The next tokens of one sequence, which may not stay: as long as they do not, the slot is as it was.

    What a ring would overwrite is still seen if they go, so it takes them at `commit`. Elsewhere they stand where those
    that come in their stead will.
    """

    def __init__(self, cache: SlotCache, slot: Slot, end: int, images: Spans, scale: float, device: torch.device):
        super().__init__(cache, slot, end, images, scale, device)
        self._late: list[tuple[torch.Tensor, torch.Tensor]] = []

    def commit(self, tokens: int | None = None) -> None:
        """Let all stay or, of no more than the window has, the first `tokens`."""
        for ring, new in self._late:
            ring.index_copy_(1, self._ring_columns[:tokens].to(ring.device), new[:, :tokens])
        self._slot.length += len(self.positions) if tokens is None else tokens

    def _keep(self, ring: torch.Tensor, new: torch.Tensor) -> None:
        self._late.append((ring, new[:, -len(self._ring_columns) :]))


class PackedStep:
    """Several steps, the tokens of one after those of the other, so that they share each product.

    Where one fails all do, and must find their slots as they were: so parts of prompts are trials.
    """

    def __init__(self, steps: Sequence[DecodeStep | TrialStep]):
        self._steps = steps
        self._sizes = [len(step.positions) for step in steps]
        self.positions = torch.cat([step.positions for step in steps])

    def attend(self, layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        """As in each of them, the tokens of all together."""
        parts = zip(self._steps, *(tensor.split(self._sizes) for tensor in (query, key, value)), strict=True)
        return torch.cat([step.attend(layer, *own) for step, *own in parts])


def _runs(seen: list[int], padding: float) -> list[Run]:
    """Of rows that see so many columns each. A row joins a run where that pads no more than so many columns."""
    runs, first, width, total = [], 0, seen[0], 0
    for row, columns in enumerate(seen):
        wider = max(width, columns)
        if (wider - width) * (row - first) + wider - columns > padding:
            runs.append(Run(first, row, width, total == width * (row - first)))
            first, wider, total = row, columns, 0
        width = wider
        total += columns
    return [*runs, Run(first, len(seen), width, total == width * (len(seen) - first))]


def _attend(
    query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, mask: torch.Tensor | None, scale: float
) -> torch.Tensor:
    """Of a few queries in each row; `mask`: float. The library's kernel for CPUs is made for many: two products, the
    keys first in theirs, take 0.66 to 0.86 of its time (4 to 64 rows of 130 to 2,000 tokens, heads as in the 4B and the
    27B, measured; with the queries first 0.8 to 1).
    """
    if query.device.type != "cpu" or query.dtype != torch.float32 or len(query) < _MANY_ROWS:
        return scaled_dot_product_attention(query, keys, values, mask, scale=scale)
    scores = torch.matmul(keys, (query * scale).transpose(-1, -2)).transpose(-1, -2)
    if mask is not None:
        scores += mask
    return torch.matmul(torch.softmax(scores, dim=-1), values)


def _seen(positions: torch.Tensor, columns: torch.Tensor, blocks: torch.Tensor) -> torch.Tensor:
    """Which `columns` the tokens at `positions` see, bool (tokens, columns); the tokens are the last columns."""
    seen = columns <= positions.unsqueeze(1)
    seen[:, -len(positions) :] |= (blocks.unsqueeze(1) == blocks) & (blocks >= 0)
    return seen


def _blocks(start: int, end: int, images: Spans) -> torch.Tensor:
    """For each token the number of the image it belongs to, or -1; int64 (tokens,)."""
    blocks = torch.full((end - start,), -1)
    for number, (first, after) in enumerate(images):
        if start <= first and after <= end:
            blocks[first - start : after - start] = number
    return blocks
