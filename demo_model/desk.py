"""What a lesson is, and the desk it is made at: dice, pictures, and which side of the fence; knows no subject.

An examination uses wordings that training never sees (see `grammar.held_out`) and a gallery of pictures of
its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from demo_model.gallery import Gallery
from demo_model.grammar import expand, held_out, reframed, typed
from demo_model.phantoms import COLOURS, PLACES, SHAPES, ZONES, Scene


@dataclass(frozen=True)
class Turn:
    """`images`: numbers in the gallery. `thought`: what is thought before this answer when thinking is on."""

    question: str
    answer: str
    thought: str
    images: tuple[int, ...] = ()


@dataclass(frozen=True)
class Lesson:
    ability: str
    system: str
    turns: tuple[Turn, ...]


@dataclass(frozen=True)
class Desk:
    rng: Random
    gallery: Gallery
    exam: bool

    def wording(self, make: Callable[[Random], str]) -> str:
        """A wording from the right side of the fence; a few questions have too few for both sides."""
        for _ in range(80):
            wording = reframed(make(self.rng), self.rng)
            if held_out(wording) == self.exam:
                break
        return typed(wording, self.rng, slips=not self.exam)

    def phrase(self, patterns: tuple[str, ...], **names: str) -> str:
        def make(rng: Random) -> str:
            pattern = rng.choice(patterns)
            for name, value in names.items():
                pattern = pattern.replace("{" + name + "}", value)
            return expand(pattern, rng)

        return self.wording(make)

    def scene(self, kind: str) -> Scene:
        if kind == "film":
            return Scene("film", None if self.rng.random() < 0.22 else self.rng.choice(ZONES))
        if kind == "other":
            return Scene("other")
        numbers = self.gallery.by_scene
        while True:
            scene = Scene(
                "shape", None, self.rng.choice(SHAPES), self.rng.choice(list(COLOURS)), self.rng.choice(PLACES)
            )
            if scene in numbers:
                return scene

    def picture(self, scene: Scene) -> int:
        return self.rng.choice(self.gallery.by_scene[scene])
