"""Trains tower and language model together on lessons made on the way; knows no files and no accuracy."""

import time
from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional as F

from demo_model.batches import Batches, collate
from demo_model.encoding import Example
from demo_model.gallery import Gallery, jitter, normalise
from demo_model.glance import glance, shares
from demo_model.tower import Heads, batch_labels

DENSE_WEIGHT = 0.15
TOWER_RATE = 0.25
_GLANCE_EVERY = 200  # steps


def lesson_loss(model, batch: dict[str, torch.Tensor], images: torch.Tensor | None) -> torch.Tensor:
    hidden = model.model(
        input_ids=batch["ids"],
        attention_mask=dict.fromkeys(("full_attention", "sliding_attention"), batch["mask"]),
        pixel_values=images,
        use_cache=False,
    ).last_hidden_state[:, :-1]
    weights = batch["weights"][:, 1:]
    wanted = weights > 0
    losses = F.cross_entropy(model.lm_head(hidden[wanted]), batch["ids"][:, 1:][wanted], reduction="none")
    # Most tokens of an answer are soon known by heart; what a picture shows is said in two or three of them.
    open_questions = weights[wanted] * (1 - torch.exp(-losses.detach())).sqrt()
    return (losses * open_questions).sum() / open_questions.sum()


def plateau(step: int, steps: int, decay: float, warm: int = 40, floor: float = 0.02) -> float:
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


def _optimisers(model, heads: Heads | None, rate: float) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the language model, AdamW for the rest; the tower learns at a quarter of the rate."""
    tower = [*model.model.vision_tower.parameters(), *(heads.parameters() if heads else ())]
    matrices = [p for p in model.model.language_model.layers.parameters() if p.ndim == 2]
    taken = {id(parameter) for parameter in (*tower, *matrices)}
    rest = [parameter for parameter in model.parameters() if id(parameter) not in taken]
    adam = torch.optim.AdamW(
        [{"params": rest, "lr": rate}, {"params": tower, "lr": rate * TOWER_RATE}],
        betas=(0.9, 0.98),
        weight_decay=0.01,
    )
    muon = torch.optim.Muon(matrices, lr=rate * 6, weight_decay=0.02, adjust_lr_fn="original")
    return [adam, muon]


class Course:
    """A joint training under way: what learns, what it learns from, and how far it is."""

    def __init__(
        self, model, heads: Heads | None, gallery: Gallery, batches: Batches, *, steps: int, rate: float, decay: float
    ) -> None:
        """`decay`: over which last part of the steps the rate falls."""
        self._decay = decay
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

    def run(self, keep: Callable[[dict], None] | None = None) -> None:
        """Train in place to the last step; `keep`, if there is one, is handed the whole state now and then."""
        started, mean = time.monotonic(), None
        while self.step < self.steps:
            loss = self._learn()
            mean = loss if mean is None else 0.97 * mean + 0.03 * loss
            self.step += 1
            if self.step % _GLANCE_EVERY == 0:
                self._look()
            if self.step % 50 == 0 or self.step == self.steps:
                print(f"joint {self.step}/{self.steps} loss {mean:.4f} {time.monotonic() - started:.0f} s", flush=True)
                if keep:
                    keep(self.state())

    def _look(self) -> None:
        right = glance(self.model, self.batches, self.gallery)
        self.batches.shares = shares(right)
        print(", ".join(f"{name} {share:.0%}" for name, share in right.items()), flush=True)

    def _learn(self) -> float:
        pace = plateau(self.step, self.steps, self._decay)
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
    if heads is None:
        return lesson_loss(model, batch, images)
    seen: list[torch.Tensor] = []
    # Patches and tokens are read on their way into the language model: the tower need not run twice.
    taps = (
        model.model.vision_tower.register_forward_hook(lambda *call: seen.append(call[-1].last_hidden_state)),
        model.model.multi_modal_projector.register_forward_hook(lambda *call: seen.append(call[-1])),
    )
    loss = lesson_loss(model, batch, images)
    for tap in taps:
        tap.remove()
    patches, tokens = seen
    return loss + DENSE_WEIGHT * heads.loss(patches, tokens, batch_labels(gallery, numbers))
