"""Draws the synthetic pictures the demo model looks at, with a label for every patch; knows nothing of words or models.

Three kinds: a chest-film-like phantom with or without one bright opacity, one coloured shape on a plain
ground, and "other", which stands for everything the model should say it does not recognise.
Sides of a film are the patient's: the patient's right lies on the left of the picture.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from demo_model.oddities import PAINTERS

ZONES = ("right upper", "right middle", "right lower", "left upper", "left middle", "left lower")
SHAPES = ("circle", "square", "triangle", "cross", "star", "ring")
COLOURS = {
    "red": (214, 48, 44),
    "green": (52, 168, 72),
    "blue": (52, 92, 222),
    "yellow": (240, 214, 52),
    "white": (246, 246, 244),
    "orange": (244, 134, 32),
    "purple": (146, 62, 186),
}
# fmt: off
PLACES = (
    "upper left", "upper centre", "upper right",
    "middle left", "centre", "middle right",
    "lower left", "lower centre", "lower right",
)
# fmt: on
GRID = 8

_LUNG_TOP, _LUNG_BOTTOM, _LUNG_X = -0.62, 0.50, 0.41
_THIRD = (_LUNG_BOTTOM - _LUNG_TOP) / 3


@dataclass(frozen=True)
class Scene:
    """What a picture shows. A film has `zone` (None: clear); a shape has shape, colour and place."""

    kind: str
    zone: str | None = None
    shape: str = ""
    colour: str = ""
    place: str = ""


@dataclass(frozen=True)
class Picture:
    """A drawn scene. The five grids hold one label per patch, 0 meaning "nothing of that sort here"."""

    scene: Scene
    image: Image.Image
    zones: np.ndarray
    opacity: np.ndarray
    shapes: np.ndarray
    colours: np.ndarray
    places: np.ndarray


def random_scene(rng: np.random.Generator, kind: str) -> Scene:
    if kind == "film":
        return Scene("film", zone=None if rng.random() < 0.2 else str(rng.choice(ZONES)))
    if kind == "shape":
        colour = str(rng.choice(list(COLOURS)))
        return Scene("shape", shape=str(rng.choice(SHAPES)), colour=colour, place=str(rng.choice(PLACES)))
    return Scene("other")


def draw(scene: Scene, rng: np.random.Generator, size: int) -> Picture:
    """Draw `scene` as a square of `size` pixels (a multiple of 8), never twice the same."""
    return {"film": _film, "shape": _shape, "other": _other}[scene.kind](scene, rng, size)


def _soft(distance: np.ndarray, width: float) -> np.ndarray:
    """1 inside (negative distance), 0 outside, with an edge `width` wide."""
    return 1 / (1 + np.exp(np.clip(distance / width, -30, 30)))


def _ellipse(x, y, cx, cy, rx, ry, width=0.05):
    return _soft(np.hypot((x - cx) / rx, (y - cy) / ry) - 1, width / min(rx, ry))


def _plane(rng: np.random.Generator, size: int, turn: float, shift: float) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates from -1 to 1, slightly turned, shifted and scaled: no two patients stand alike."""
    axis = (np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1
    x, y = np.meshgrid(axis, axis)
    angle, scale = np.deg2rad(rng.uniform(-turn, turn)), rng.uniform(0.93, 1.09)
    x, y = x - rng.uniform(-shift, shift), y - rng.uniform(-shift, shift)
    cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
    return x * cos + y * sin, y * cos - x * sin


def _blocks(values: np.ndarray) -> np.ndarray:
    side = values.shape[0] // GRID
    return values.reshape(GRID, side, GRID, side).mean(axis=(1, 3))


def _film(scene: Scene, rng: np.random.Generator, size: int) -> Picture:
    x, y = _plane(rng, size, turn=4, shift=0.06)
    grey, lungs = _thorax(x, y, rng)
    blob = np.zeros_like(grey)
    if scene.zone is not None:
        blob = _opacity(x, y, scene.zone, rng)
        grey = grey + blob * rng.uniform(0.26, 0.46)
    grey = grey + rng.uniform(0.005, 0.03) * rng.standard_normal(grey.shape, dtype=np.float32)
    grey = np.clip((grey - 0.5) * rng.uniform(0.85, 1.15) + 0.5 + rng.uniform(-0.06, 0.06), 0, 1) ** rng.uniform(
        0.8, 1.25
    )
    image = Image.fromarray((grey * 255).astype(np.uint8)).convert("RGB")
    if rng.random() < 0.5:
        ImageDraw.Draw(image).text((size * 0.04, size * 0.03), "R", fill=(230, 230, 230), font_size=max(8, size // 14))
    third = np.clip((y - _LUNG_TOP) / _THIRD, 0, 2.99).astype(int)
    zone = np.where(x < 0, 1, 4) + third
    grid = _majority(zone, 7) * (_blocks(lungs) > 0.4)
    # Compared on the mean over a patch: one bright pixel in a corner should not make a patch "opaque".
    return Picture(scene, image, grid, (_blocks(blob) > 0.2).astype(int), *_nothing(3))


def _majority(classes: np.ndarray, count: int) -> np.ndarray:
    return np.stack([_blocks((classes == number).astype(np.float32)) for number in range(count)]).argmax(axis=0)


def _nothing(count: int) -> list[np.ndarray]:
    return [np.zeros((GRID, GRID), dtype=int) for _ in range(count)]


def _thorax(x, y, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    wide = rng.uniform(0.25, 0.30)
    body = _ellipse(x, y, 0, 0.35, rng.uniform(0.88, 0.98), 1.25, 0.04)
    lungs = _ellipse(x, y, -_LUNG_X, -0.02, wide, 0.64) + _ellipse(x, y, _LUNG_X, -0.02, wide, 0.62)
    domes = 0.56 - 0.16 * np.cos((np.abs(x) - _LUNG_X) * 4) + np.where(x < 0, -0.04, 0.0)
    lungs = np.clip(lungs, 0, 1) * _soft(y - domes - 0.1, 0.02)
    heart = _ellipse(x, y, rng.uniform(0.08, 0.14), 0.24, rng.uniform(0.24, 0.31), rng.uniform(0.26, 0.32), 0.05)
    grey = 0.05 + 0.47 * body - 0.34 * lungs * (1 - heart) * rng.uniform(0.9, 1.1)
    grey = grey + 0.16 * heart + 0.14 * _soft(np.abs(x) - 0.09, 0.03) * body
    grey = grey - 0.14 * _soft(np.abs(x) - 0.05, 0.02) * _soft(y + 0.45, 0.05)
    gap, bend = rng.uniform(0.14, 0.18), rng.uniform(0.3, 0.7)
    wave = np.mod(y + bend * (np.abs(x) - 0.4) ** 2 + 0.12 * np.abs(x) + rng.uniform(0, gap), gap) / gap - 0.5
    grey = grey + rng.uniform(0.04, 0.085) * np.exp(-((wave / 0.13) ** 2)) * body * (np.abs(x) > 0.1)
    collar = np.abs(y + 0.58 + 0.14 * (np.abs(x) - 0.1) + 0.03 * np.sin(np.abs(x) * 7))
    return grey + 0.11 * _soft(collar - 0.025, 0.012) * (np.abs(x) > 0.06) * (np.abs(x) < 0.8) * body, lungs


def _opacity(x, y, zone: str, rng: np.random.Generator) -> np.ndarray:
    index = ZONES.index(zone)
    side = -1 if index < 3 else 1
    cx = side * (_LUNG_X + rng.uniform(-0.05, 0.09))  # rather outwards, clear of the heart
    cy = _LUNG_TOP + _THIRD * (index % 3 + 0.5) + rng.uniform(-0.08, 0.08)
    if index % 3 == 0:
        cy += 0.04  # the lung narrows towards its tip
    rx, ry = rng.uniform(0.10, 0.17, 2)
    angle = rng.uniform(0, np.pi)
    u = (x - cx) * np.cos(angle) + (y - cy) * np.sin(angle)
    v = (y - cy) * np.cos(angle) - (x - cx) * np.sin(angle)
    ripple = 0.15 * np.sin(3 * np.arctan2(v, u) + rng.uniform(0, 6))
    return _soft(np.hypot(u / rx, v / ry) - 1 + ripple, rng.uniform(0.12, 0.3))


def _shape(scene: Scene, rng: np.random.Generator, size: int) -> Picture:
    index = PLACES.index(scene.place)
    cx, cy = (0.5 + 0.27 * (step - 1) + rng.uniform(-0.035, 0.035) for step in (index % 3, index // 3))
    radius = rng.uniform(0.125, 0.17)
    mask = Image.new("L", (size * 2, size * 2))
    _outline(ImageDraw.Draw(mask), scene.shape, cx * size * 2, cy * size * 2, radius * size * 2, rng.uniform(-8, 8))
    mask = mask.resize((size, size), Image.Resampling.BILINEAR)
    colour = tuple(int(np.clip(part + rng.uniform(-14, 14), 0, 255)) for part in COLOURS[scene.colour])
    light = rng.random() < 0.35 and scene.colour not in ("white", "yellow")
    tone = rng.uniform(185, 235) if light else rng.uniform(6, 75)
    ground = Image.new("RGB", (size, size), tuple(int(tone + rng.uniform(-6, 6)) for _ in range(3)))
    ground.paste(Image.new("RGB", (size, size), colour), mask=mask)
    pixels = np.asarray(ground, dtype=np.float32) + rng.normal(0, rng.uniform(0, 6), (size, size, 3))
    covered = _blocks(np.asarray(mask, dtype=np.float32) / 255) > 0.12
    return Picture(
        scene,
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)),
        *_nothing(2),
        covered * (SHAPES.index(scene.shape) + 1),
        covered * (list(COLOURS).index(scene.colour) + 1),
        covered * (PLACES.index(scene.place) + 1),
    )


def _outline(pen: ImageDraw.ImageDraw, shape: str, cx: float, cy: float, radius: float, tilt: float) -> None:
    box = (cx - radius, cy - radius, cx + radius, cy + radius)

    def corners(angles, radii):
        return [
            (cx + r * np.sin(np.deg2rad(a + tilt)), cy - r * np.cos(np.deg2rad(a + tilt)))
            for a, r in zip(angles, radii, strict=True)
        ]

    if shape == "circle":
        pen.ellipse(box, fill=255)
    elif shape == "ring":
        pen.ellipse(box, outline=255, width=max(3, int(radius * 0.38)))
    elif shape == "square":
        pen.polygon(corners((45, 135, 225, 315), [radius * 1.2] * 4), fill=255)
    elif shape == "triangle":
        pen.polygon(corners((0, 120, 240), [radius * 1.2] * 3), fill=255)
    elif shape == "star":
        pen.polygon(corners(range(0, 360, 36), [radius * 1.2, radius * 0.5] * 5), fill=255)
    else:
        arm = np.rad2deg(np.arctan(0.33))
        for start in (0, 90):
            pen.polygon(
                corners((start + arm, start + 180 - arm, start + 180 + arm, start - arm), [radius * 1.15] * 4), fill=255
            )


def _other(scene: Scene, rng: np.random.Generator, size: int) -> Picture:
    """Anything else: clouds, stripes, tiles, scribbles, pages of text-like lines, plain colours, noise."""
    painter = PAINTERS[rng.integers(len(PAINTERS))]
    return Picture(scene, painter(rng, size), *_nothing(5))
