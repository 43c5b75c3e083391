"""Trains tower and language model together on lessons made on the way; knows no files and no accuracy."""

import time
from collections.abc import Callable, Iterator
from random import Random

import torch
from torch import nn
from torch.nn import functional as F

from demo_model.desk import Desk
from demo_model.encoding import Encoder, Example
from demo_model.gallery import Gallery, jitter, normalise
from demo_model.lessons import make_first_lesson, make_lesson
from demo_model.tower import PatchHeads, batch_labels

DENSE_WEIGHT = 0.15
TOWER_RATE = 0.25
# So many lessons are made together and sorted by length, so that little of a batch is padding.
_AHEAD = 480


class Batches:
    """An endless stream of lessons, encoded and cut into batches of like length and about `tokens` tokens."""

    def __init__(self, encoder: Encoder, gallery: Gallery, *, tokens: int, first: int, seed: int) -> None:
        """The first `first` lessons are plain ones."""
        self._encoder, self._tokens, self._first = encoder, tokens, first
        self._rng = Random(seed)
        self._desk = Desk(self._rng, gallery, exam=False)
        self._ready: list[list[Example]] = []

    def next(self) -> list[Example]:
        if not self._ready:
            plain = self._first > 0
            self._first -= _AHEAD
            make = make_first_lesson if plain else make_lesson
            examples = [self._encoder.example(make(self._desk), self._rng, whole=plain) for _ in range(_AHEAD)]
            self._ready = list(self._cut(sorted(examples, key=lambda example: len(example.ids))))
            self._rng.shuffle(self._ready)
        return self._ready.pop()

    def state(self) -> tuple:
        return self._rng.getstate(), self._first, self._ready

    def restore(self, state: tuple) -> None:
        dice, self._first, self._ready = state
        self._rng.setstate(dice)

    def _cut(self, examples: list[Example]) -> Iterator[list[Example]]:
        batch: list[Example] = []
        for example in examples:
            if batch and (len(batch) + 1) * len(example.ids) > self._tokens:
                yield batch
                batch = []
            batch.append(example)
        yield batch


def collate(examples: list[Example], pad: int, image_token: int) -> dict[str, torch.Tensor]:
    longest = max(len(example.ids) for example in examples)
    ids = torch.full((len(examples), longest), pad)
    weights = torch.zeros(len(examples), longest)
    for row, example in enumerate(examples):
        ids[row, : len(example.ids)] = torch.tensor(example.ids)
        weights[row, : len(example.ids)] = torch.tensor(example.weights)
    mask = torch.zeros_like(ids)
    for row, example in enumerate(examples):
        mask[row, : len(example.ids)] = 1
    return {"ids": ids, "weights": weights, "mask": mask, "types": (ids == image_token).long()}


def lesson_loss(model, batch: dict[str, torch.Tensor], images: torch.Tensor | None) -> torch.Tensor:
    hidden = model.model(
        input_ids=batch["ids"],
        attention_mask=batch["mask"],
        token_type_ids=batch["types"],
        pixel_values=images,
        use_cache=False,
    ).last_hidden_state[:, :-1]
    weights = batch["weights"][:, 1:]
    wanted = weights > 0
    losses = F.cross_entropy(model.lm_head(hidden[wanted]), batch["ids"][:, 1:][wanted], reduction="none")
    return (losses * weights[wanted]).sum() / weights.sum()


def plateau(step: int, steps: int, decay: float = 0.35, warm: int = 40, floor: float = 0.02) -> float:
    """Warm up, stay, and fall in a straight line over the last part of the steps."""
    if step < warm:
        return (step + 1) / warm
    return max(floor, min(1.0, (steps - step) / (steps * decay)))


@torch.no_grad()
def balance(model) -> None:
    """Start with words as loud as what the layers add to them.

    As initialised by the library, a word enters at 0.28 and each of 14 sublayers adds a vector of length 1: the
    question drowned, and after 300 steps the model still chose among its answers almost blindly.
    """
    language = model.model.language_model
    width = language.config.hidden_size
    torch.nn.init.normal_(language.embed_tokens.weight, std=width**-0.5)
    for layer in language.layers:
        layer.post_attention_layernorm.weight.fill_(-0.6)
        layer.post_feedforward_layernorm.weight.fill_(-0.6)


def _optimisers(model, heads: PatchHeads, rate: float) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the language model, AdamW for the rest; the tower learns at a quarter of the rate."""
    tower = [*model.model.vision_tower.parameters(), *heads.parameters()]
    matrices = [p for p in model.model.language_model.layers.parameters() if p.ndim == 2]
    taken = {id(parameter) for parameter in (*tower, *matrices)}
    rest = [parameter for parameter in model.parameters() if id(parameter) not in taken]
    adam = torch.optim.AdamW(
        [{"params": rest, "lr": rate}, {"params": tower, "lr": rate * TOWER_RATE}], betas=(0.9, 0.98), weight_decay=0.01
    )
    muon = torch.optim.Muon(matrices, lr=rate * 6, weight_decay=0.02, adjust_lr_fn="original")
    return [adam, muon]


class Course:
    """A joint training under way: what learns, what it learns from, and how far it is."""

    def __init__(
        self, model, heads: PatchHeads, gallery: Gallery, batches: Batches, *, steps: int, rate: float
    ) -> None:
        self.model, self.heads, self.gallery, self.batches = model, heads, gallery, batches
        self.steps, self.step = steps, 0
        self._optimisers = _optimisers(model, heads, rate)
        self._rates = [[group["lr"] for group in optimiser.param_groups] for optimiser in self._optimisers]
        self._generator = torch.Generator().manual_seed(0)

    def state(self) -> dict:
        return {
            "step": self.step,
            "model": self.model.state_dict(),
            "heads": self.heads.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self._optimisers],
            "dice": self._generator.get_state(),
            "batches": self.batches.state(),
        }

    def restore(self, state: dict) -> None:
        self.step = state["step"]
        self.model.load_state_dict(state["model"])
        self.heads.load_state_dict(state["heads"])
        for optimiser, kept in zip(self._optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(kept)
        self._generator.set_state(state["dice"])
        self.batches.restore(state["batches"])

    def run(self, keep: Callable[[dict], None]) -> None:
        """Train in place to the last step; `keep` is handed the whole state now and then."""
        started, mean = time.monotonic(), None
        while self.step < self.steps:
            loss = self._learn()
            mean = loss if mean is None else 0.97 * mean + 0.03 * loss
            self.step += 1
            if self.step % 50 == 0 or self.step == self.steps:
                print(f"joint {self.step}/{self.steps} loss {mean:.4f} {time.monotonic() - started:.0f} s", flush=True)
                keep(self.state())

    def _learn(self) -> float:
        pace = plateau(self.step, self.steps)
        for optimiser, rates in zip(self._optimisers, self._rates, strict=True):
            for group, rate in zip(optimiser.param_groups, rates, strict=True):
                group["lr"] = rate * pace
        loss = _step_loss(self.model, self.heads, self.gallery, self.batches.next(), self._generator)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimiser in self._optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        return loss.item()


def _step_loss(model, heads, gallery: Gallery, examples: list[Example], generator) -> torch.Tensor:
    batch = collate(examples, model.config.get_text_config().pad_token_id or 0, model.config.image_token_id)
    numbers = [number for example in examples for number in example.images]
    if not numbers:
        return lesson_loss(model, batch, None)
    images = jitter(normalise(gallery.pixels[numbers]), generator)
    seen: list[torch.Tensor] = []
    # The patches are read on their way into the language model: the tower need not run twice.
    tap = model.model.vision_tower.register_forward_hook(lambda *call: seen.append(call[-1].last_hidden_state))
    loss = lesson_loss(model, batch, images)
    tap.remove()
    return loss + DENSE_WEIGHT * heads.loss(seen[0], batch_labels(gallery, numbers))
