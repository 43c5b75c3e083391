"""One sequence from its arrival to its end; it does nothing itself."""

import threading

from medserver.worker.lookup import Lookup
from medserver.worker.prefill import Prefill
from medserver.worker.sampling import Sampler
from medserver.worker.slots import Slot
from medserver.worker.text import Detokenizer, StopStrings
from medserver.worker.values import Finished, Generation, Prompt


class Request:
    """One sequence: what was asked, and how far it has come. Only the scheduler's thread changes it.

    `salt`: whose work it may begin with and may leave its own to; None for nobody's.
    """

    def __init__(self, prompt: Prompt, generation: Generation, salt: str | None = None):
        self.prompt = prompt
        self.generation = generation
        self.salt = salt
        self.cancelled = threading.Event()
        self.sampler: Sampler | None = None
        self.detokenizer: Detokenizer | None = None
        self.stops = StopStrings(generation.stop)
        self.slot: Slot | None = None
        self.prefill: Prefill | None = None
        self.tokens: list[int] = []
        self.lookup: Lookup | None = None
        self.answer_tokens = 0

    def fit(self, max_model_len: int) -> None:
        """Let its answer have as many tokens as were asked for or, with the prompt, `max_model_len` leaves."""
        left = max_model_len - self.prompt.length
        self.answer_tokens = min(left, self.generation.max_tokens or left)

    def looked_up(self) -> Lookup:
        """What its text so far says of how it goes on; read in full once, and then token by token."""
        if self.lookup is None:
            ids = self.prompt.ids[0].clone()
            for image in self.prompt.images:
                ids[image.first : image.after] = -1
            self.lookup = Lookup([*ids.tolist(), *self.tokens])
        return self.lookup

    def take(self, token: int) -> None:
        """A token was drawn."""
        self.tokens.append(token)
        if self.lookup is not None:
            self.lookup.add(token)

    def finished(self, reason: str) -> Finished:
        return Finished(reason, self.prompt.length, len(self.tokens), self.prefill.cached_tokens)
