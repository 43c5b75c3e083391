"""Which request has which slot, and what is kept of it for a later one; it computes nothing."""

import torch

from medserver.worker.memory import Budget
from medserver.worker.model import Model
from medserver.worker.prefill import Prefill
from medserver.worker.prefixes import PrefixStore, key_of
from medserver.worker.request import Request
from medserver.worker.slots import Slot


class KVManager:
    """`slots` sequences of `max_model_len` tokens at most, in the bytes of `budget`."""

    def __init__(self, model: Model, budget: Budget, slots: int, max_model_len: int):
        self._model = model
        self._budget = budget
        self._max_model_len = max_model_len
        self.slots = slots
        self.forget()

    def forget(self) -> None:
        """Begin with an empty cache, without a touch to the old one: its device may answer nothing any more."""
        self.cache = self._model.new_cache(self._budget.running, self.slots, self._max_model_len)
        self.prefixes = PrefixStore(self._budget.prefixes)
        self._leaving: list[Slot] = []

    def seat(self, request: Request) -> bool:
        """Give it a slot with room for all that it may become, if there is one.

        Raises:
            MemoryError: there never will be.
        """
        tokens = request.prompt.length + request.answer_tokens
        if not self.cache.can_ever_take(tokens):
            raise MemoryError
        request.slot = self._take(tokens)
        if request.slot is None:
            return False
        model, slot, prompt = self._model, request.slot, request.prompt
        request.prefill = Prefill(model, self.cache, slot, prompt, self.prefixes, request.salt)
        return True

    def leave(self, request: Request) -> None:
        """Its slot is free once it is copied: of a turn that was answered, what is computed is kept for the next."""
        if request.tokens:
            self._keep(request)
        self._leaving.append(request.slot)
        self._give_back()

    def grow(self, rows: list[Request]) -> None:
        """They become longer by a token: what a ring holds that turns over by that is kept."""
        for row in rows:
            if row.slot.length == self.cache.shape.window:
                self._keep(row)

    def _keep(self, row: Request) -> None:
        if row.salt is None:
            return
        # The last token was drawn and never fed, so the slot does not hold it. It may hold some after it, that were
        # guessed rightly and that a stop string cut off: these are forgotten, unless they took the place of others.
        fed, slot = row.tokens[:-1], row.slot
        known = row.prompt.length + len(fed)
        if slot.length > known and slot.length <= self.cache.shape.window:
            slot.length = known
        if slot.length == known:
            key = torch.cat([key_of(row.prompt), torch.tensor(fed, dtype=torch.long)])
            self.prefixes.keep(row.salt, key, self.cache, slot)

    @property
    def leaving(self) -> bool:
        """Whether some slot is still held by a copy alone."""
        return bool(self._leaving)

    def advance(self) -> None:
        """A step comes, in which no sequence becomes longer by more than a token: copy a stretch."""
        self.prefixes.advance()
        self._give_back()

    def finish(self) -> None:
        """Copy what is left to copy: nobody waits for a token, or some sequence becomes longer by several."""
        self.prefixes.finish()
        self._give_back()

    def _take(self, tokens: int) -> Slot | None:
        slot = self.cache.take(tokens) if len(self.cache.taken) < self.slots else None
        if slot is None and self._leaving:
            self.finish()
            slot = self.cache.take(tokens)
        return slot

    def _give_back(self) -> None:
        for slot in [one for one in self._leaving if not self.prefixes.copies(one)]:
            self._leaving.remove(slot)
            self.cache.leave(slot)
