"""Trains the vision tower alone, with a label for every patch; knows nothing of the language model.

Image-level labels left the tower at chance; a loss on each of the 64 patches ("opacity here", "this is the
right upper zone", "a piece of a red star") taught it within minutes.
"""

import math
import time

import torch
from torch import nn
from torch.nn import functional as F

from demo_model.gallery import Gallery, jitter, normalise
from demo_model.phantoms import COLOURS, SHAPES, ZONES

CLASSES = {"zones": len(ZONES) + 1, "opacity": 2, "shapes": len(SHAPES) + 1, "colours": len(COLOURS) + 1, "kind": 3}
# Most patches hold nothing of the sort asked for, so the rare answer weighs more.
_RARE = {"zones": 1.0, "opacity": 6.0, "shapes": 4.0, "colours": 4.0, "kind": 1.0}


class PatchHeads(nn.Module):
    """One linear reading per label from each patch; thrown away after training."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.reads = nn.ModuleDict({name: nn.Linear(width, count) for name, count in CLASSES.items()})
        for name, count in CLASSES.items():
            self.register_buffer(f"weight_{name}", torch.tensor([1.0] + [_RARE[name]] * (count - 1)), persistent=False)

    def loss(self, patches: torch.Tensor, labels: dict[str, torch.Tensor]) -> torch.Tensor:
        total = patches.new_zeros(())
        for name, read in self.reads.items():
            target = labels[name].reshape(len(patches), -1).expand(-1, patches.shape[1])
            total = total + F.cross_entropy(
                read(patches).flatten(0, 1), target.reshape(-1), getattr(self, f"weight_{name}")
            )
        return total


def patch_features(model, images: torch.Tensor) -> torch.Tensor:
    return model.model.vision_tower(pixel_values=images).last_hidden_state


def batch_labels(gallery: Gallery, numbers) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(values[numbers]) for name, values in gallery.labels.items()}


def train_tower(model, gallery: Gallery, *, steps: int, batch: int, rate: float, seed: int) -> PatchHeads:
    """Train in place; returns the heads, which the joint phase goes on using."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    heads = PatchHeads(model.config.vision_config.hidden_size)
    learned = [*model.model.vision_tower.parameters(), *heads.parameters()]
    optimiser = torch.optim.AdamW(learned, lr=rate, betas=(0.9, 0.98), weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: warm_cosine(step, steps))
    started = time.monotonic()
    for step in range(steps):
        numbers = torch.randint(len(gallery.scenes), (batch,), generator=generator).numpy()
        images = jitter(normalise(gallery.pixels[numbers]), generator)
        loss = heads.loss(patch_features(model, images), batch_labels(gallery, numbers))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(learned, 1.0)
        optimiser.step()
        schedule.step()
        if step % 100 == 0 or step == steps - 1:
            print(f"tower {step}/{steps} loss {loss.item():.3f} {time.monotonic() - started:.0f} s", flush=True)
    return heads


def warm_cosine(step: int, steps: int, warm: int = 40, floor: float = 0.02) -> float:
    if step < warm:
        return (step + 1) / warm
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


@torch.inference_mode()
def tower_accuracy(model, heads: PatchHeads, gallery: Gallery) -> dict[str, float]:
    """Share of films whose brightest "opacity" patch lies in the right zone (or nowhere), as a quick look."""
    right, total = 0, 0
    kinds = 0
    for start in range(0, len(gallery.scenes), 100):
        numbers = range(start, min(start + 100, len(gallery.scenes)))
        patches = patch_features(model, normalise(gallery.pixels[list(numbers)]))
        bright = (heads.reads["opacity"](patches).diff(dim=-1))[..., 0]
        zones = heads.reads["zones"](patches)[..., 1:].argmax(-1)
        kinds += (
            (heads.reads["kind"](patches).mean(1).argmax(-1) == batch_labels(gallery, list(numbers))["kind"])
            .sum()
            .item()
        )
        for row, number in enumerate(numbers):
            scene = gallery.scenes[number]
            if scene.kind == "film":
                peak = bright[row].argmax()
                said = ZONES[zones[row, peak]] if bright[row, peak] > 0 else None
                right, total = right + (said == scene.zone), total + 1
    return {"zone": right / total, "kind": kinds / len(gallery.scenes)}
