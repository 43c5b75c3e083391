"""Keys and values of sequences that a later prompt may begin with; bounded in bytes, least recently used.

It does not know chats. Two sequences share a beginning when their keys do, number by number (`key_of`), and
their salts are the same: who has another salt never meets another's work, nor sees its time saved.
"""

from collections import Counter, OrderedDict
from collections.abc import Collection
from dataclasses import dataclass

import torch

from medserver.worker.copying import Copying
from medserver.worker.slots import Layers, Slot, SlotCache, Snapshot
from medserver.worker.values import Prompt, is_out_of_memory

WORTH = 8  # tokens; fewer, as those that every chat begins with, are run sooner than they are loaded
Start = tuple[str | int, ...]  # a salt and so many first numbers of a key: who has others has nothing in common


def key_of(prompt: Prompt) -> torch.Tensor:
    """Token ids, and where an image stands, for each of its tokens a negative number of its pixels; int64 (length,)."""
    key = prompt.ids[0].clone()
    for image in prompt.images:
        key[image.first : image.after] = -1 - (int.from_bytes(image.digest[:8], "big") >> 1)
    return key


@dataclass(slots=True, eq=False)
class Prefix:
    start: Start
    key: torch.Tensor
    kept: Snapshot

    def begins(self, key: torch.Tensor) -> bool:
        return len(key) >= len(self.key) == common(self.key, key)

    def spares(self, key: torch.Tensor) -> int:
        """How many tokens of `key` need not run: all that it has of them, but for one that must, to give logits."""
        length = min(common(self.key, key), len(key) - 1)
        while length and key[length] < 0 and key[length] == key[length - 1]:
            length -= 1  # inside an image, whose tokens see each other
        return length if length >= WORTH and self.kept.holds(length) else 0


def common(one: torch.Tensor, other: torch.Tensor) -> int:
    """How many numbers two keys both begin with."""
    least = min(len(one), len(other))
    different = (one[:least] != other[:least]).nonzero()
    return int(different[0]) if len(different) else least


def start_of(salt: str, key: torch.Tensor) -> Start:
    return salt, *key[:WORTH].tolist()


class PrefixStore:
    """A long one is valid only at its own end (see `Snapshot`), so a chat keeps one for each place it may go on from.

    What a step costs must not grow with all that is kept, so each is found by its start, and the bytes are counted as
    they come and go.
    """

    def __init__(self, limit: int):
        self._limit = limit  # bytes
        self._used: OrderedDict[Prefix, None] = OrderedDict()  # the least recently used first
        self._started: dict[Start, list[Prefix]] = {}
        self._sharers: Counter[int] = Counter()  # of each `whole` by its identity: how many prefixes share it
        self._bytes = 0
        self._copying: dict[Copying, Prefix] = {}  # what will be found once it is whole

    @property
    def bytes(self) -> int:
        """What they hold together; storage that several share counts once."""
        return self._bytes

    def longest(self, salt: str, key: torch.Tensor) -> tuple[Snapshot, int] | None:
        """What spares most of `key`, and how many of its tokens. If it is being copied still, it is now to its end."""
        start = start_of(salt, key)
        known = [*self._started.get(start, ()), *(one for one in self._copying.values() if one.start == start)]
        length, found = max(((one.spares(key), one) for one in known), key=lambda pair: pair[0], default=(0, None))
        if not length:
            return None
        self.finish(found.kept)
        if found in self._used:  # it may have been dropped as it came in
            self._used.move_to_end(found)
        return found.kept, length

    def keep(self, salt: str, key: torch.Tensor, cache: SlotCache, slot: Slot, ahead: int = 0) -> None:
        """Copy what `slot` holds, whose key is `key`, a stretch at each `advance`; see `Copying` for `ahead`.

        One that ends in an image is of no use, as it may be cut.
        """
        assert len(key) == slot.length
        large = self._coming + cache.shape.bytes(len(key)) > self._limit
        start = start_of(salt, key)
        if large or len(key) < WORTH or key[-1] < 0 or self._known(start, key):
            return
        try:
            copying = Copying(cache, slot, ahead)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            for one in list(self._used):
                self._drop(one)  # to remember is a courtesy, to answer is not
            return
        self._copying[copying] = Prefix(start, key, copying.snapshot)
        self._take_in()

    def copies(self, slot: Slot) -> bool:
        """Whether `slot` must not go to another sequence yet."""
        return any(copying.slot is slot for copying in self._copying)

    def advance(self, later: Collection[Slot] = (), stretches: int = 1) -> None:
        """A step comes, in which sequences become longer by up to a token: copy so many stretches of what is being
        kept, in its order and none of `later`, and of all what the step may write over.
        """
        for _ in range(stretches):
            if copying := next((one for one in self._copying if not one.done and one.slot not in later), None):
                copying.advance()
        for copying in self._copying:
            copying.step()
        self._take_in()

    def finish(self, wanted: Slot | Snapshot) -> None:
        """Copy all the rest of one slot, or of one snapshot, at once."""
        for copying in self._copying:
            while not copying.done and wanted in (copying.slot, copying.snapshot):
                copying.advance()
        self._take_in()

    def _take_in(self) -> None:
        for copying in [one for one in self._copying if one.done]:
            self._add(self._copying.pop(copying))
        while self._bytes + self._coming > self._limit:
            self._drop(next(iter(self._used)))

    @property
    def _coming(self) -> int:
        """Bytes of what is being copied."""
        return sum(copying.bytes for copying in self._copying)

    def _known(self, start: Start, key: torch.Tensor) -> bool:
        """Whether all of it is there or on its way; what is there was used now."""
        for one in self._started.get(start, ()):
            whole = len(one.key) == len(key) or not one.kept.turned
            if whole and common(one.key, key) == len(key):
                self._used.move_to_end(one)
                return True
        return any(one.start == start and torch.equal(one.key, key) for one in self._copying.values())

    def _add(self, prefix: Prefix) -> None:
        for one in [one for one in self._started.get(prefix.start, ()) if one.begins(prefix.key)]:
            if not prefix.kept.turned:
                self._drop(one)
                continue
            self._let_go(one.kept.whole)
            one.kept.whole = prefix.kept.whole
            self._hold(prefix.kept.whole)
        self._used[prefix] = None
        self._started.setdefault(prefix.start, []).append(prefix)
        self._bytes += _nbytes(prefix.kept.rings)
        self._hold(prefix.kept.whole)

    def _drop(self, prefix: Prefix) -> None:
        del self._used[prefix]
        alike = self._started[prefix.start]
        alike.remove(prefix)
        if not alike:
            del self._started[prefix.start]
        self._bytes -= _nbytes(prefix.kept.rings)
        self._let_go(prefix.kept.whole)

    def _hold(self, whole: Layers) -> None:
        self._sharers[id(whole)] += 1
        if self._sharers[id(whole)] == 1:
            self._bytes += _nbytes(whole)

    def _let_go(self, whole: Layers) -> None:
        self._sharers[id(whole)] -= 1
        if not self._sharers[id(whole)]:
            del self._sharers[id(whole)]
            self._bytes -= _nbytes(whole)


def _nbytes(layers: Layers) -> int:
    return sum(tensor.nbytes for pair in layers for tensor in pair)
