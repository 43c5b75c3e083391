"""Trains vision tower and projector alone, with labels for every patch and every image token; knows no language.

Image-level labels left the tower at chance; a loss on each of the 64 patches ("opacity here", "this is the
right upper zone", "a piece of a red star") taught it within minutes. That was not enough: what the language model
gets are 16 tokens, and of their length nine tenths were the same in all of them, so that it took thousands of lessons
to find anything in there. Therefore the tokens themselves are read, too, by the angle they make with one direction
for each label.
"""

import math
import time

import torch
from torch import nn
from torch.nn import functional as F

from demo_model.gallery import SHARES, Gallery, jitter, normalise
from demo_model.phantoms import COLOURS, GRID, PLACES, SHAPES, ZONES

CLASSES = {
    "zones": len(ZONES) + 1,
    "opacity": 2,
    "shapes": len(SHAPES) + 1,
    "colours": len(COLOURS) + 1,
    "places": len(PLACES) + 1,
    "kind": len(SHARES),
}
KIND_OF_SHAPE = list(SHARES).index("shape")
# Most patches hold nothing of the sort asked for, so the rare answer weighs more.
_RARE = {"zones": 1.0, "opacity": 6.0, "shapes": 20.0, "colours": 8.0, "places": 20.0, "kind": 1.0}
_SHARPNESS = 14.0  # what a cosine is multiplied by: with it, a token in the right direction is nearly certain


class Heads(nn.Module):
    """One linear reading per label from each patch and from each image token; thrown away after training."""

    def __init__(self, patch_width: int, token_width: int) -> None:
        super().__init__()
        self.patches = nn.ModuleDict({name: nn.Linear(patch_width, count) for name, count in CLASSES.items()})
        self.tokens = nn.ParameterDict({name: torch.randn(count, token_width) for name, count in CLASSES.items()})
        for name, count in CLASSES.items():
            self.register_buffer(f"weight_{name}", torch.tensor([1.0] + [_RARE[name]] * (count - 1)), persistent=False)

    def read_tokens(self, name: str, tokens: torch.Tensor) -> torch.Tensor:
        """Logits of one label, (images, tokens, classes)."""
        return _SHARPNESS * F.normalize(tokens, dim=-1) @ F.normalize(self.tokens[name], dim=-1).T

    def loss(self, patches: torch.Tensor, tokens: torch.Tensor, labels: dict[str, torch.Tensor]) -> torch.Tensor:
        """`labels`: as in the gallery; one that is left out is not asked for."""
        of_patches = [self._loss(name, self.patches[name](patches), labels[name]) for name in labels]
        pooled = pool(labels, math.isqrt(tokens.shape[1]))
        of_tokens = [self._loss(name, self.read_tokens(name, tokens), pooled[name]) for name in labels]
        return torch.stack(of_patches).sum() + torch.stack(of_tokens).sum()

    def _loss(self, name: str, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        target = labels.reshape(len(logits), -1).expand(-1, logits.shape[1])
        return F.cross_entropy(logits.flatten(0, 1), target.reshape(-1), getattr(self, f"weight_{name}"))


def pool(labels: dict[str, torch.Tensor], side: int) -> dict[str, torch.Tensor]:
    """Labels of the image tokens, (images, side, side), from those of the patches that each of them pools.

    Anything beats nothing; of two zones it is the one that holds an opacity.
    """
    labels = dict(labels)
    if "zones" in labels:
        labels["zones"] = labels["zones"] * (1 + labels["opacity"] * len(ZONES))
    pooled = {name: _most(grid, side) if grid.ndim == 3 else grid for name, grid in labels.items()}
    if "zones" in pooled:
        zones = pooled["zones"]
        pooled["zones"] = torch.where(zones > len(ZONES), zones // (1 + len(ZONES)), zones)
    return pooled


def _most(grid: torch.Tensor, side: int) -> torch.Tensor:
    each = grid.shape[1] // side
    return grid.reshape(-1, side, each, side, each).amax((2, 4))


def see(model, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Patches as the tower gives them, and the image tokens that the projector makes of them."""
    patches = model.model.vision_tower(pixel_values=images).last_hidden_state
    return patches, model.model.multi_modal_projector(patches)


def batch_labels(gallery: Gallery, numbers) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(values[numbers]) for name, values in gallery.labels.items()}


def _moved(images: torch.Tensor, labels: dict[str, torch.Tensor], generator: torch.Generator):
    """Roll the shapes of every third batch by whole patches, labels and all: a shape is the same shape anywhere.

    Without it the tower knew the shapes of its training pictures by heart and 1 of 3 held-out ones. A zone of a
    film is a place, so films stay; and of a shape that was moved its place is not asked.
    """
    if torch.rand((), generator=generator) > 1 / 3:
        return images, labels
    rows = labels["kind"] == KIND_OF_SHAPE
    down, right = torch.randint(GRID, (2,), generator=generator).tolist()
    patch = images.shape[-1] // GRID
    images[rows] = images[rows].roll((down * patch, right * patch), (2, 3))
    rolled = {name: grid.clone() for name, grid in labels.items() if name != "places"}
    for name in ("shapes", "colours"):
        rolled[name][rows] = labels[name][rows].roll((down, right), (1, 2))
    return images, rolled


def train_tower(model, gallery: Gallery, *, steps: int, batch: int, rate: float, seed: int) -> Heads:
    """Train in place; returns the heads, which the joint phase goes on using."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    heads = Heads(model.config.vision_config.hidden_size, model.config.get_text_config().hidden_size)
    parts = (model.model.vision_tower, model.model.multi_modal_projector, heads)
    learned = [parameter for part in parts for parameter in part.parameters()]
    optimiser = torch.optim.AdamW(learned, lr=rate, betas=(0.9, 0.98), weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: warm_cosine(step, steps))
    started = time.monotonic()
    for step in range(steps):
        numbers = torch.randint(len(gallery.scenes), (batch,), generator=generator).numpy()
        images = jitter(normalise(gallery.pixels[numbers]), generator)
        images, labels = _moved(images, batch_labels(gallery, numbers), generator)
        loss = heads.loss(*see(model, images), labels)
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
def tower_accuracy(model, heads: Heads, gallery: Gallery) -> dict[str, float]:
    """What the image tokens alone tell, as a quick look: share of films and shapes that are read right."""
    tally: dict[str, list[bool]] = {"zone": [], "shape": [], "colour": [], "place": [], "kind": []}
    for start in range(0, len(gallery.scenes), 100):
        scenes = gallery.scenes[start : start + 100]
        _, tokens = see(model, normalise(gallery.pixels[start : start + 100]))
        said = {name: heads.read_tokens(name, tokens).softmax(-1) for name in CLASSES}
        kinds = said["kind"].mean(1).argmax(-1).tolist()
        for row, scene in enumerate(scenes):
            tally["kind"].append(list(SHARES)[kinds[row]] == scene.kind)
            if scene.kind == "film":
                peak = said["opacity"][row, :, 1].argmax()
                zone = ZONES[said["zones"][row, peak, 1:].argmax()] if said["opacity"][row, peak, 1] > 0.5 else None
                tally["zone"].append(zone == scene.zone)
            elif scene.kind == "shape":
                for name, names in (("shape", SHAPES), ("colour", list(COLOURS)), ("place", PLACES)):
                    best = said[f"{name}s"][row, :, 1:].sum(0).argmax()
                    tally[name].append(names[best] == getattr(scene, name))
    return {name: round(sum(right) / len(right), 3) for name, right in tally.items()}
