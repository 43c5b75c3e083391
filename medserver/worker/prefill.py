"""One prompt on its way into its slot, part by part; it does not know who else is running."""

from medserver.worker.model import Features, Model, Part
from medserver.worker.prefixes import PrefixStore, key_of
from medserver.worker.slots import Slot, SlotCache
from medserver.worker.values import Prompt


class Prefill:
    """Begins with the longest kept prefix of the prompt, and keeps where the chat's next prompt may begin.

    `cached_tokens`: how many tokens the kept prefix saved.
    """

    def __init__(
        self, model: Model, cache: SlotCache, slot: Slot, prompt: Prompt, prefixes: PrefixStore, salt: str | None
    ):
        self._model, self._cache, self._slot, self._prompt = model, cache, slot, prompt
        self._prefixes, self._salt = prefixes, salt
        self._key = key_of(prompt) if salt is not None else None
        # Where a next prompt may begin with what this one has in its slot. Until a ring turns over all of it is there,
        # and it is kept when that happens or when the answer ends.
        lasts = salt is None or prompt.length <= cache.shape.window
        self._keep_at = None if lasts else prompt.repeated or prompt.length
        self.cached_tokens = self._begin()
        self._features: Features = {}
        self._unseen = [number for number, image in enumerate(prompt.images) if image.first >= self.cached_tokens]

    @property
    def rest(self) -> int:
        """Tokens that are still to run."""
        return self._prompt.length - self._slot.length

    def look(self) -> bool:
        """Fetch features of images up to the first for which the vision tower has to run; whether it ran."""
        while self._unseen:
            number = self._unseen[0]
            image = self._prompt.images[number]
            key = (self._salt, image.digest)
            features = self._model.vision.known(key)
            ran = features is None
            self._features[image.first] = self._model.look(key, self._prompt.pixels[number]) if ran else features
            del self._unseen[0]
            if ran:
                return True
        return False

    @property
    def seen(self) -> bool:
        """Whether no image is left to `look` at."""
        return not self._unseen

    def part(self, tokens: int) -> Part:
        """What to run next, about `tokens` of the prompt, whose images have all been looked at."""
        start = self._slot.length
        end = cut(start, start + tokens, self._prompt)
        if self._keep_at and start < self._keep_at < end:
            end = self._keep_at
        return Part(self._slot, self._prompt, end, self._features)

    def ran(self, part: Part) -> None:
        """`part` has run: keep what the slot holds, if a next prompt may begin with it and it does not last."""
        if part.end == self._keep_at:
            rest = self._prompt.length - part.end
            self._prefixes.keep(self._salt, self._key[: part.end], self._cache, self._slot, ahead=rest)

    def _begin(self) -> int:
        """Load what is kept of it."""
        found = self._prefixes.longest(self._salt, self._key) if self._salt is not None else None
        if found is None:
            return 0
        kept, length = found
        self._cache.load(self._slot, kept, length)
        return length


def cut(start: int, wanted: int, prompt: Prompt) -> int:
    """Where a piece from `start` to about `wanted` may end: not inside an image, whose tokens see each other."""
    end = min(wanted, prompt.length)
    for image in prompt.images:
        if image.first < end < image.after:
            return image.first if image.first > start else image.after
    return end
