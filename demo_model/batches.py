"""Cuts encoded lessons into batches and lays them out as tensors; knows no model and no optimiser."""

from collections.abc import Callable, Iterator
from random import Random

import torch

from demo_model.desk import Desk, Lesson
from demo_model.encoding import Encoder, Example
from demo_model.gallery import Gallery
from demo_model.lessons import SHARES, make_first_lesson, make_lesson

# So many lessons are made together and sorted by length, so that little of a batch is padding.
_AHEAD = 480

Make = Callable[[Desk, dict[str, float]], Lesson]


class Batches:
    """An endless stream of lessons, encoded and cut into batches of like length and about `tokens` tokens.

    `shares`: how often each ability comes up, changed from outside as the abilities are learned.
    """

    def __init__(
        self, encoder: Encoder, gallery: Gallery, *, tokens: int, first: int, seed: int, make: Make = make_lesson
    ) -> None:
        """The first `first` lessons are plain ones: one turn, no system prompt; the others are made by `make`."""
        self._make = make
        self.encoder, self._tokens, self.first = encoder, tokens, first
        self.shares = SHARES
        self._rng = Random(seed)
        self.desk = Desk(self._rng, gallery, exam=False)
        self._ready: list[list[Example]] = []

    @property
    def plain(self) -> bool:
        return self.first > 0

    def next(self) -> list[Example]:
        if not self._ready:
            plain = self.plain
            self.first -= _AHEAD
            make = make_first_lesson if plain else self._make
            examples = [
                self.encoder.example(make(self.desk, self.shares), self._rng, plain=plain) for _ in range(_AHEAD)
            ]
            self._ready = list(cut(examples, self._tokens))
            self._rng.shuffle(self._ready)
        return self._ready.pop()

    def state(self) -> tuple:
        return self._rng.getstate(), self.first, self._ready, self.shares

    def restore(self, state: tuple) -> None:
        dice, self.first, self._ready, self.shares = state
        self._rng.setstate(dice)


def cut(examples: list[Example], tokens: int) -> Iterator[list[Example]]:
    """Batches of like length, about `tokens` tokens each with the padding."""
    batch: list[Example] = []
    for example in sorted(examples, key=lambda example: len(example.ids)):
        if batch and (len(batch) + 1) * len(example.ids) > tokens:
            yield batch
            batch = []
        batch.append(example)
    yield batch


def collate(examples: list[Example], pad: int, image_token: int) -> dict[str, torch.Tensor]:
    """`ids` int64, `weights` float32: (rows, columns), padded right; `mask` bool: (rows, 1, columns, columns)."""
    longest = max(len(example.ids) for example in examples)
    ids = torch.full((len(examples), longest), pad)
    weights = torch.zeros(len(examples), longest)
    for row, example in enumerate(examples):
        ids[row, : len(example.ids)] = torch.tensor(example.ids)
        weights[row, : len(example.ids)] = torch.tensor(example.weights)
    return {"ids": ids, "weights": weights, "mask": attention(ids == image_token)}


def attention(shown: torch.Tensor) -> torch.Tensor:
    """Who sees whom: what came before, and the tokens of one image each other. `shown`: bool (rows, columns).

    Lessons are shorter than the sliding window and padded on the right, so that one mask is right for every layer;
    the library's own, made twice for each forward pass, took an eighth of a training step (measured).
    """
    columns = shown.shape[1]
    begins = shown & ~torch.nn.functional.pad(shown, (1, 0))[:, :-1]
    number = begins.cumsum(dim=1) * shown
    together = (number[:, :, None] == number[:, None, :]) & shown[:, :, None]
    return (together | torch.ones(columns, columns, dtype=torch.bool).tril()).unsqueeze(1)
