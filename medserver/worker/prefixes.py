"""Keys and values of sequences that a later prompt may begin with; bounded in bytes, least recently used.

It does not know chats. Two sequences share a beginning when their keys do, number by number (`key_of`), and
their salts are the same: who has another salt never meets another's work, nor sees its time saved.
"""

from collections import Counter, OrderedDict
from dataclasses import dataclass

import torch

from medserver.worker.slots import Layers, Slot, SlotCache, Snapshot
from medserver.worker.values import Prompt, is_out_of_memory


def key_of(prompt: Prompt) -> torch.Tensor:
    """Token ids, and where an image stands, for each of its tokens a negative number of its pixels; int64 (length,)."""
    key = prompt.ids[0].clone()
    for image in prompt.images:
        key[image.first : image.after] = -1 - (int.from_bytes(image.digest[:8], "big") >> 1)
    return key


@dataclass(slots=True, eq=False)
class Prefix:
    salt: str
    key: torch.Tensor
    kept: Snapshot

    def begins(self, key: torch.Tensor) -> bool:
        return torch.equal(self.key, key[: len(self.key)])


class PrefixStore:
    """A prefix is valid only at its own end (see `Snapshot`), so a chat keeps one for each place it may go on from.

    What a step costs must not grow with all that is kept, so each is found by its salt, and the bytes are counted as
    they come and go.
    """

    def __init__(self, limit: int):
        self._limit = limit  # bytes
        self._used: OrderedDict[Prefix, None] = OrderedDict()  # the least recently used first
        self._salted: dict[str, list[Prefix]] = {}
        self._sharers: Counter[int] = Counter()  # of each `whole` by its identity: how many prefixes share it
        self._bytes = 0

    @property
    def bytes(self) -> int:
        """What they hold together; storage that several share counts once."""
        return self._bytes

    def longest(self, salt: str, key: torch.Tensor) -> Snapshot | None:
        """The longest one that `key` begins with."""
        found = max(self._beginnings(salt, key), key=lambda one: len(one.key), default=None)
        if found is None:
            return None
        self._used.move_to_end(found)
        return found.kept

    def keep(self, salt: str, key: torch.Tensor, cache: SlotCache, slot: Slot) -> None:
        """Copy what `slot` holds, whose key is `key`; one that ends in an image is of no use, as it may be cut."""
        assert len(key) == slot.length
        if key[-1] < 0 or cache.shape.bytes(len(key)) > self._limit:
            return
        beginnings = self._beginnings(salt, key)
        known = next((one for one in beginnings if len(one.key) == len(key)), None)
        if known is not None:
            self._used.move_to_end(known)
            return
        try:
            kept = cache.copy(slot)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            for one in list(self._used):
                self._drop(one)  # to remember is a courtesy, to answer is not
            return
        for one in beginnings:
            self._let_go(one.kept.whole)
            one.kept.whole = kept.whole
            self._hold(kept.whole)
        self._add(Prefix(salt, key, kept))
        while self._bytes > self._limit:
            self._drop(next(iter(self._used)))

    def _beginnings(self, salt: str, key: torch.Tensor) -> list[Prefix]:
        return [one for one in self._salted.get(salt, ()) if one.begins(key)]

    def _add(self, prefix: Prefix) -> None:
        self._used[prefix] = None
        self._salted.setdefault(prefix.salt, []).append(prefix)
        self._bytes += _nbytes(prefix.kept.rings)
        self._hold(prefix.kept.whole)

    def _drop(self, prefix: Prefix) -> None:
        del self._used[prefix]
        of_salt = self._salted[prefix.salt]
        of_salt.remove(prefix)
        if not of_salt:
            del self._salted[prefix.salt]
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
