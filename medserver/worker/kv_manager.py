"""Which request has which slot, and what is kept of it for a later one; it computes nothing."""

from collections.abc import Sequence

import torch

from medserver.worker.memory import Budget
from medserver.worker.model import Model
from medserver.worker.prefill import Prefill
from medserver.worker.prefixes import WORTH, PrefixStore, common, key_of
from medserver.worker.request import Request
from medserver.worker.slots import Slot

# Slots for sequences that have ended and are only copied still, so that who waits need not wait for the copy.
SPARE = 2


class KVManager:
    """`slots` sequences of `max_model_len` tokens at most, in the bytes of `budget`."""

    def __init__(self, model: Model, budget: Budget, slots: int, max_model_len: int):
        self._model = model
        self._budget = budget
        self._max_model_len = max_model_len
        self.slots = slots
        self._all_slots = slots + (SPARE if model.plan.device == "cpu" else 0)  # others copy at once
        self.forget()

    def forget(self) -> None:
        """Begin with an empty cache, without a touch to the old one: its device may answer nothing any more."""
        self.cache = self._model.new_cache(self._budget.running, self._all_slots, self._max_model_len)
        self.prefixes = PrefixStore(self._budget.prefixes)
        self._seated: list[Request] = []
        self._peak = 0  # the most that were seated at once since nobody was

    def seat(self, request: Request) -> bool:
        """Give it a slot with room for all that it may become, if there is one.

        Raises:
            MemoryError: there never will be.
        """
        tokens = request.prompt.length + request.answer_tokens
        if not self.cache.can_ever_take(tokens):
            raise MemoryError
        slot = self._take(tokens)
        if slot is None:
            return False
        try:
            self._share(request)
            request.prefill = Prefill(self._model, self.cache, slot, request.prompt, self.prefixes, request.salt)
        except BaseException:
            self.cache.leave(slot)
            raise
        request.slot = slot
        self._seated.append(request)
        self._peak = max(self._peak, len(self._seated))
        return True

    def leave(self, requests: list[Request]) -> None:
        """Their slots are free once they are copied: of what was answered all is kept for a next turn."""
        for request in requests:
            self._seated.remove(request)
            request.slot.ended = True
        try:
            for request in requests:
                if request.tokens:
                    self._keep(request)
        finally:
            self._give_back()

    def grow(self, rows: list[Request]) -> None:
        """A step comes that writes a token to each: what a ring holds that turns over by that is kept."""
        for row in rows:
            if row.slot.length == self.cache.shape.window:
                self._keep(row)
            row.slot.torn = True

    @property
    def leaving(self) -> list[Slot]:
        """Those that are still held by a copy alone."""
        return [slot for slot in self.cache.taken if slot.ended]

    def advance(self, rows: Sequence[Request]) -> None:
        """A step of `rows` comes, or none: copy a stretch of what is being kept, or some where much is.

        What has ended can wait for it until nobody runs, if it lies outside of what the step computes, and if there
        are no more slots in use than ran at once before: so those who are left of a crowd end sooner.
        """
        leaving, later = self.leaving, []
        if rows and len(self._seated) + len(leaving) <= self._peak + SPARE:
            places = [row.slot.index for row in rows]
            later = [slot for slot in leaving if not min(places) < slot.index < max(places)]
        self.prefixes.advance(later, 1 + len(leaving) // 4)
        self._give_back()

    def rest(self) -> None:
        """Nobody has come for a while: hold no memory but that of what is kept."""
        self.cache.rest()

    def _keep(self, row: Request) -> None:
        # The last token was drawn and never fed, so the slot does not hold it. It may hold some after it, that were
        # guessed rightly and that a stop string cut off; then nothing is kept.
        fed = row.tokens[:-1]
        if row.salt is not None and not row.slot.torn and row.slot.length == row.prompt.length + len(fed):
            key = torch.cat([key_of(row.prompt), torch.tensor(fed, dtype=torch.long)])
            self.prefixes.keep(row.salt, key, self.cache, row.slot)

    def _share(self, request: Request) -> None:
        """Another answer to the same client may have begun with the same text or film: then that is kept now."""
        own = [row for row in self._seated if row.tokens and row.salt is not None and row.salt == request.salt]
        whole = [row for row in own if row.slot.length <= self.cache.shape.window]
        if not whole:
            return
        key = key_of(request.prompt)
        tokens, row = max(((common(key_of(row.prompt), key), row) for row in whole), key=lambda pair: pair[0])
        _, known = self.prefixes.longest(request.salt, key) or (None, 0)
        if min(tokens, len(key) - 1) >= known + WORTH:
            self._keep(row)

    def _take(self, tokens: int) -> Slot | None:
        slot = self._free(tokens)
        while slot is None and (leaving := self.leaving):
            self.prefixes.finish(leaving[0])
            self._give_back()
            slot = self._free(tokens)
        if slot is None:
            self.cache.compact()
            slot = self._free(tokens)
        return slot

    def _free(self, tokens: int) -> Slot | None:
        return self.cache.take(tokens) if len(self.cache.taken) < self._all_slots else None

    def _give_back(self) -> None:
        for slot in [one for one in self.leaving if not self.prefixes.copies(one)]:
            self.cache.leave(slot)
        if not self.cache.taken:
            self._peak = 0
