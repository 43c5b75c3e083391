"""The shape of one kind of question: how it may be worded and its one answer; knows nothing of any subject."""

from dataclasses import dataclass
from random import Random

from demo_model import first_words
from demo_model.grammar import ABOUT, expand


@dataclass(frozen=True)
class Kind:
    """`about`: the thing's names, for "what is …"; `patterns`: wordings of its own; `short`: one sentence."""

    name: str
    topic: str
    answer: str
    short: str
    about: str = ""
    patterns: tuple[str, ...] = ()

    def wording(self, rng: Random) -> str:
        if (first := first_words.KNOWN.get(self.name)) and rng.random() < 0.25:
            return rng.choice(first)
        if self.about and (not self.patterns or rng.random() < 0.45):
            return expand(rng.choice(ABOUT).replace("%", f"[{self.about}]"), rng)
        return expand(rng.choice(self.patterns), rng)
