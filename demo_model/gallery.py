"""Draws many pictures ahead of training and keeps them as arrays; knows nothing of words or models.

Training and held-out galleries come from seeds that never meet: a held-out picture was never trained on.
"""

from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
import torch
from PIL import Image

from demo_model.phantoms import COLOURS, PLACES, SHAPES, ZONES, Scene, draw

SHARES = {"film": 0.42, "shape": 0.48, "other": 0.10}
_CHUNK = 250
# Users send pictures of any size and the processor shrinks them, so the training pictures are shrunk too.
_NATIVE = (112, 112, 112, 168, 224)


@dataclass(frozen=True)
class Gallery:
    """`pixels`: uint8, (n, side, side, 3). `labels`: name → (n, 8, 8) integers; `kind` is one number each."""

    scenes: list[Scene]
    pixels: np.ndarray
    labels: dict[str, np.ndarray]
    by_scene: dict[Scene, list[int]]


def build_gallery(count: int, seed: int, side: int, processes: int = 2) -> Gallery:
    rng = np.random.default_rng(seed)
    scenes = _scenes(count, rng)
    chunks = [(scenes[i : i + _CHUNK], seed * 1000 + i // _CHUNK, side) for i in range(0, count, _CHUNK)]
    parts = _draw_all(chunks, processes)
    pixels = np.concatenate([part[0] for part in parts])
    labels = {name: np.concatenate([part[1][name] for part in parts]) for name in parts[0][1]}
    by_scene: dict[Scene, list[int]] = {}
    for number, scene in enumerate(scenes):
        by_scene.setdefault(scene, []).append(number)
    return Gallery(scenes, pixels, labels, by_scene)


def _draw_all(chunks: list[tuple[list[Scene], int, int]], processes: int) -> list:
    # Forking a process that has used torch's threads can hang, so whoever has a model draws alone.
    if processes == 1:
        return [_draw_chunk(chunk) for chunk in chunks]
    with get_context("fork").Pool(processes) as pool:
        return pool.map(_draw_chunk, chunks)


def _scenes(count: int, rng: np.random.Generator) -> list[Scene]:
    """Every scene about equally often within its kind, clear films as often as two zones."""
    films = [Scene("film", zone) for zone in (None, None, *ZONES)]
    shapes = [Scene("shape", shape=s, colour=c, place=p) for s in SHAPES for c in COLOURS for p in PLACES]
    numbers = {kind: int(count * share) for kind, share in SHARES.items()}
    numbers["film"] += count - sum(numbers.values())
    scenes = [films[i % len(films)] for i in range(numbers["film"])]
    scenes += [shapes[i % len(shapes)] for i in rng.permutation(numbers["shape"])]
    scenes += [Scene("other")] * numbers["other"]
    return [scenes[i] for i in rng.permutation(count)]


def _draw_chunk(job: tuple[list[Scene], int, int]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    scenes, seed, side = job
    rng = np.random.default_rng(seed)
    pictures = [draw(scene, rng, int(rng.choice(_NATIVE))) for scene in scenes]
    pixels = np.stack([np.asarray(shrink(picture.image, side)) for picture in pictures])
    labels = {
        name: np.stack([getattr(p, name) for p in pictures])
        for name in ("zones", "opacity", "shapes", "colours", "places")
    }
    labels["kind"] = np.array([list(SHARES).index(scene.kind) for scene in scenes])
    return pixels, labels


def shrink(image: Image.Image, side: int) -> Image.Image:
    """As the Gemma-3 image processor does it."""
    return image if image.size == (side, side) else image.resize((side, side), Image.Resampling.BILINEAR)


def normalise(pixels: np.ndarray) -> torch.Tensor:
    """uint8 pictures → what the tower takes: (n, 3, side, side), from -1 to 1."""
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1


def jitter(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Cheap variation on top of the drawn one: brightness, contrast, noise, a shift by a pixel or two."""
    count = images.shape[0]
    gain = 1 + 0.1 * (torch.rand(count, 1, 1, 1, generator=generator) * 2 - 1)
    lift = 0.1 * (torch.rand(count, 1, 1, 1, generator=generator) * 2 - 1)
    images = images * gain + lift + 0.02 * torch.randn(images.shape, generator=generator)
    down, right = torch.randint(-2, 3, (2,), generator=generator).tolist()
    return images.roll((down, right), dims=(2, 3)).clamp(-1, 1)
