"""The KV cache of all sequences that are under way; it does not know requests, text or sampling.

Every sequence has a slot, and its position p stands in column p of a global layer and in column p % window of a
local one, a ring. Order inside the ring does not matter, since the rotary embedding is applied before caching:

        global   0 1 2 3 4 5 6 7 …        local (window 4)   0 1 2 3
        slot 0   a b c d e . . .                             e b c d
        slot 1   x y . . . . . .                             x y . .
"""

import mmap
from dataclasses import dataclass
from itertools import count
from math import prod

import torch

from medserver.worker.kv import KVShape

# Columns are promised in blocks.
BLOCK = 256


@dataclass(slots=True, eq=False)
class Slot:
    """One sequence's place. `length`: tokens it holds; `columns`: how many it was promised.

    `torn`: a step has begun to write the next token, over the oldest of a ring that is full, and has not ended well.
    `ended`: no step comes any more; it is copied still.
    """

    index: int
    columns: int
    length: int = 0
    torn: bool = False
    ended: bool = False


# Of some layers keys and values, each (kv_heads, columns, head_dim).
Layers = list[tuple[torch.Tensor, torch.Tensor]]


@dataclass(slots=True, eq=False)
class Snapshot:
    """A copy of one sequence's keys and values.

    `whole`: the global layers; several snapshots of one chat share it, so it may be longer than `length`. `rings`: the
    local layers, which hold no more than the window.
    """

    length: int
    whole: Layers
    rings: Layers

    @property
    def turned(self) -> bool:
        """Whether the rings hold its last tokens alone."""
        return any(keys.shape[1] < self.length for keys, _ in self.rings[:1])

    def holds(self, length: int) -> bool:
        """Whether a sequence may begin with its first `length` tokens: any number of them, until a ring turns over.

        Then all of them, or all but the last: a ring that ends one token later still holds all that the token after
        `length` sees.
        """
        return (self.length - 1 if self.turned else 0) <= length <= self.length


class SlotCache:
    """Keys and values per layer, each (slots, kv_heads, columns, head_dim), within `budget` bytes.

    `devices`: where each layer lives. `most_slots` and `most_columns` are what will ever be asked for. `stays`: the
    memory is kept at rest, and the sequences in the lowest slots, where captured steps begin. `moves` counts how often
    keys and values came to stand elsewhere.
    """

    def __init__(
        self,
        shape: KVShape,
        devices: list[torch.device],
        budget: int,
        most_slots: int,
        most_columns: int,
        *,
        stays: bool = False,
    ):
        self.shape = shape
        self.moves = 0
        self._stays = stays
        self.keys: list[torch.Tensor] = []
        self.values: list[torch.Tensor] = []
        self._devices = devices
        self._budget = budget
        self._most = (most_slots, _whole_blocks(most_columns))
        self.taken: list[Slot] = []
        self._release()

    def can_ever_take(self, tokens: int) -> bool:
        return self.shape.bytes(_whole_blocks(tokens)) <= self._budget

    def take(self, tokens: int) -> Slot | None:
        """A free slot with room for `tokens`, or None when the budget does not hold it beside the others."""
        slot = Slot(self._next_free(), _whole_blocks(tokens))
        slots = max(self._top, slot.index + 1)
        columns = max(slot.columns, *(one.columns for one in self.taken), 0)
        if not self._reserve(slots, columns):
            return None
        self.taken.append(slot)
        return slot

    def leave(self, slot: Slot) -> None:
        """Give the slot back; nobody else moves."""
        self.taken.remove(slot)

    def rest(self) -> None:
        """An empty cache gives its memory back, where it may."""
        if self.keys and not self.taken and not self._stays:
            self._release()

    def settle(self) -> None:
        """Move the last sequence into the first gap, if there is one, so that a step computes few empty rows."""
        self._close_gap(self._bottom, self._running)

    def compact(self) -> None:
        """Move sequences down to the lowest slots, so that there is room for fewer of more columns."""
        while self._close_gap(0, self.taken):
            pass

    def load(self, slot: Slot, snapshot: Snapshot, length: int) -> None:
        """Let `slot` begin with the first `length` tokens of `snapshot`, which `holds` them."""
        assert snapshot.holds(length)
        kinds = (iter(snapshot.whole), iter(snapshot.rings))
        for layer, sliding in enumerate(self.shape.sliding):
            columns = self.shape.columns(layer, length)
            for mine, kept in zip((self.keys[layer], self.values[layer]), next(kinds[sliding]), strict=True):
                mine[slot.index, :, :columns] = kept[:, :columns]
        slot.length = length

    @property
    def room(self) -> tuple[int, int]:
        """How many slots there is memory for, and how many columns in each."""
        return self._have

    @property
    def bytes(self) -> int:
        return sum(tensor.nbytes for tensor in (*self.keys, *self.values))

    @property
    def _top(self) -> int:
        return max((slot.index + 1 for slot in self.taken), default=0)

    @property
    def _running(self) -> list[Slot]:
        return [slot for slot in self.taken if not slot.ended]

    @property
    def _bottom(self) -> int:
        """Where a step begins: what is below costs it nothing."""
        return 0 if self._stays else min((slot.index for slot in self._running), default=0)

    def _next_free(self) -> int:
        """A gap; else the next below them all, whose memory has been written before; else behind the last."""
        taken, bottom = {slot.index for slot in self.taken}, self._bottom
        places = [*range(bottom, self._top), *reversed(range(bottom)), self._top]
        return next(index for index in places if index not in taken)

    def _close_gap(self, bottom: int, movable: list[Slot]) -> bool:
        """Whether there was one from `bottom` on, that one of `movable` is in now."""
        taken = {slot.index for slot in self.taken}
        gap = next(index for index in count(bottom) if index not in taken)
        last = max(movable, key=lambda slot: slot.index, default=None)
        if last is None or last.index < gap:
            return False
        for layer, (keys, values) in enumerate(zip(self.keys, self.values, strict=True)):
            columns = self.shape.columns(layer, last.length)
            for tensor in (keys, values):
                tensor[gap, :, :columns] = tensor[last.index, :, :columns]
        last.index = gap
        return True

    def _reserve(self, slots: int, columns: int) -> bool:
        if slots <= self._have[0] and columns <= self._have[1]:
            return True
        if self.shape.bytes(self._most[1], self._most[0]) <= self._budget // 2:
            self._resize(*self._most)  # once and for all; the system gives memory page by page as it is used
            return True
        # Twice the slots, so that a crowd that comes one by one is not copied at each step; else what is needed.
        for more in (min(2 * slots, max(slots, self._most[0])), slots):
            if self.shape.bytes(columns, more) <= self._budget:
                self._resize(more, columns)
                return True
        return False

    def _resize(self, slots: int, columns: int) -> None:
        """Layer by layer, so that one layer at a time is there twice.

        Where memory runs out half-way nothing is lost: every layer holds its rows, some have more room.
        """
        self.moves += 1
        self._have = (min(slots, self._have[0]), min(columns, self._have[1]))
        for layer, device in enumerate(self._devices):
            size = (slots, self.shape.heads, self.shape.columns(layer, columns), self.shape.head_dim)
            for tensors in (self.keys, self.values):
                new = zeros(size, self.shape.dtype, device)
                if layer == len(tensors):
                    tensors.append(new)
                    continue
                for slot in self.taken:
                    held = self.shape.columns(layer, slot.length)
                    new[slot.index, :, :held] = tensors[layer][slot.index, :, :held]
                tensors[layer] = new
        self._have = (slots, columns)

    def _release(self) -> None:
        self.moves += 1
        self.keys, self.values = [], []
        self._have = (0, 0)


def zeros(size: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    """Numbers everywhere: a masked column meets a weight of zero, and zero times a NaN of old memory would be NaN.

    On a CPU the system gives such memory page by page as it is used; to clear it instead took 40 ms of one step as a
    long prompt joined four rows (on a virtual machine, where a page costs most).

    Raises:
        MemoryError: there is not so much.
    """
    if device.type != "cpu":
        return torch.zeros(size, dtype=dtype, device=device)
    try:
        pages = mmap.mmap(-1, prod(size) * dtype.itemsize)
    except OSError as error:
        raise MemoryError from error
    return torch.frombuffer(pages, dtype=dtype).view(size)


def _whole_blocks(tokens: int) -> int:
    return -(-tokens // BLOCK) * BLOCK
