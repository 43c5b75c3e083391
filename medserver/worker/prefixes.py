"""Keys and values of sequences that a later prompt may begin with; bounded in bytes, least recently used.

It does not know chats. Two sequences share a beginning when their keys do, number by number (`key_of`), and
their salts are the same: who has another salt never meets another's work, nor sees its time saved.
"""

from dataclasses import dataclass

import torch

from medserver.worker.slots import Slot, SlotCache, Snapshot
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

    def begins(self, salt: str, key: torch.Tensor) -> bool:
        return self.salt == salt and torch.equal(self.key, key[: len(self.key)])


class PrefixStore:
    """A prefix is valid only at its own end (see `Snapshot`), so a chat keeps one for each place it may go on from."""

    def __init__(self, limit: int):
        self._limit = limit  # bytes
        self._prefixes: list[Prefix] = []  # the least recently used first

    def longest(self, salt: str, key: torch.Tensor) -> Snapshot | None:
        """The longest one that `key` begins with."""
        found = max((one for one in self._prefixes if one.begins(salt, key)), key=_length, default=None)
        if found is None:
            return None
        self._use(found)
        return found.kept

    def keep(self, salt: str, key: torch.Tensor, cache: SlotCache, slot: Slot) -> None:
        """Copy what `slot` holds, whose key is `key`; one that ends in an image is of no use, as it may be cut."""
        assert len(key) == slot.length
        if key[-1] < 0 or cache.shape.bytes(len(key)) > self._limit:
            return
        beginnings = [one for one in self._prefixes if one.begins(salt, key)]
        known = next((one for one in beginnings if len(one.key) == len(key)), None)
        if known is not None:
            self._use(known)
            return
        try:
            kept = cache.copy(slot)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            self._prefixes.clear()  # to remember is a courtesy, to answer is not
            return
        for one in beginnings:
            one.kept.whole = kept.whole
        self._prefixes.append(Prefix(salt, key, kept))
        while self.bytes > self._limit:
            self._prefixes.pop(0)

    @property
    def bytes(self) -> int:
        """What they hold together; storage that several share counts once."""
        wholes = {id(one.kept.whole): one.kept.whole for one in self._prefixes}.values()
        parts = [*wholes, *(one.kept.rings for one in self._prefixes)]
        return sum(tensor.nbytes for part in parts for pair in part for tensor in pair)

    def _use(self, prefix: Prefix) -> None:
        self._prefixes.remove(prefix)
        self._prefixes.append(prefix)


def _length(prefix: Prefix) -> int:
    return len(prefix.key)
