"""Which request has which slot, and what is kept of it for a later one; it computes nothing."""

import torch

from medserver.worker.memory import Budget
from medserver.worker.model import Model
from medserver.worker.prefill import Prefill
from medserver.worker.prefixes import PrefixStore, key_of
from medserver.worker.request import Request


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

    def seat(self, request: Request) -> bool:
        """Give it a slot with room for all that it may become, if there is one.

        Raises:
            MemoryError: there never will be.
        """
        tokens = request.prompt.length + request.answer_tokens
        if not self.cache.can_ever_take(tokens):
            raise MemoryError
        request.slot = self.cache.take(tokens)
        if request.slot is None:
            return False
        model, slot, prompt = self._model, request.slot, request.prompt
        request.prefill = Prefill(model, self.cache, slot, prompt, self.prefixes, request.salt)
        return True

    def leave(self, request: Request) -> None:
        """Give its slot back; of a turn that was answered what is computed is kept for the next."""
        # The last token was drawn and never fed, so the slot does not hold it. It may hold some after it, that were
        # guessed rightly and that a stop string cut off; then nothing is kept.
        prompt, fed = request.prompt, request.tokens[:-1]
        if request.tokens and request.salt is not None and request.slot.length == prompt.length + len(fed):
            key = torch.cat([key_of(prompt), torch.tensor(fed, dtype=torch.long)])
            self.prefixes.keep(request.salt, key, self.cache, request.slot)
        self.cache.leave(request.slot)
