"""One prompt on its way into its slot, a piece at a time; it does not know who else is running."""

import torch

from medserver.worker.model import Features, Model
from medserver.worker.prefixes import PrefixStore, key_of
from medserver.worker.slots import Slot, SlotCache
from medserver.worker.values import Prompt


class Prefill:
    """Begins with the longest kept prefix of the prompt, and keeps where the chat's next prompt may begin.

    `cached_tokens`: how many tokens the kept prefix saved. `logits`: of the next token, float32 (1, vocabulary);
    None until the last piece has run.
    """

    def __init__(
        self, model: Model, cache: SlotCache, slot: Slot, prompt: Prompt, prefixes: PrefixStore, salt: str | None
    ):
        self._model, self._cache, self._slot, self._prompt = model, cache, slot, prompt
        self._prefixes, self._salt = prefixes, salt
        self._key = key_of(prompt) if salt is not None else None
        self._keep_at = prompt.repeated or prompt.length
        self.cached_tokens = self._begin()
        self._features: Features = {}
        self._unseen = [number for number, image in enumerate(prompt.images) if image.first >= self.cached_tokens]
        self.logits: torch.Tensor | None = None

    def step(self, tokens: int) -> int:
        """Run about `tokens` of the prompt; how many it were, 0 where the vision tower ran on an image instead."""
        if self._see_next():
            return 0
        start = self._slot.length
        end = cut(start, start + tokens, self._prompt)
        if self._salt is not None and start < self._keep_at < end:
            end = self._keep_at
        self.logits = self._model.extend(self._cache, self._slot, self._prompt, end, self._features)
        if self._salt is not None and end == self._keep_at:
            self._prefixes.keep(self._salt, self._key[:end], self._cache, self._slot)
        return end - start

    def _begin(self) -> int:
        """Load what is kept, but for one token that must run to give logits."""
        kept = self._prefixes.longest(self._salt, self._key) if self._salt is not None else None
        if kept is None:
            return 0
        length = min(kept.length, self._prompt.length - 1)
        self._cache.load(self._slot, kept, length)
        return length

    def _see_next(self) -> bool:
        """Fetch features of images up to the first for which the tower has to run; whether it ran."""
        while self._unseen:
            number = self._unseen.pop(0)
            image = self._prompt.images[number]
            key = (self._salt, image.digest)
            features = self._model.vision.known(key)
            ran = features is None
            self._features[image.first] = self._model.look(key, self._prompt.pixels[number]) if ran else features
            if ran:
                return True
        return False


def cut(start: int, wanted: int, prompt: Prompt) -> int:
    """Where a piece from `start` to about `wanted` may end: not inside an image, whose tokens see each other."""
    end = min(wanted, prompt.length)
    for image in prompt.images:
        if image.first < end < image.after:
            return image.first if image.first > start else image.after
    return end
