"""Paints pictures of nothing in particular, for the model to say that it does not recognise them."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter


def _tint(rng: np.random.Generator) -> tuple[int, ...]:
    return tuple(int(part) for part in rng.integers(0, 256, 3))


def clouds(rng: np.random.Generator, size: int) -> Image.Image:
    cells, channels = int(rng.integers(3, 24)), int(rng.choice([1, 3]))
    small = rng.integers(0, 256, (cells, cells, channels)).repeat(3 // channels, axis=2).astype(np.uint8)
    return Image.fromarray(small).resize((size, size), Image.Resampling.BICUBIC)


def stripes(rng: np.random.Generator, size: int) -> Image.Image:
    axis = np.arange(size) / size
    phase = rng.uniform(-30, 30) * axis[:, None] + rng.uniform(-30, 30) * axis[None, :]
    mix = ((np.sin(phase) + 1) / 2)[..., None]
    return Image.fromarray((mix * np.array(_tint(rng)) + (1 - mix) * np.array(_tint(rng))).astype(np.uint8))


def tiles(rng: np.random.Generator, size: int) -> Image.Image:
    cells = int(rng.integers(2, 14))
    board = (np.indices((cells, cells)).sum(axis=0) % 2)[..., None]
    small = (board * np.array(_tint(rng)) + (1 - board) * np.array(_tint(rng))).astype(np.uint8)
    return Image.fromarray(small).resize((size, size), Image.Resampling.NEAREST)


def scribble(rng: np.random.Generator, size: int) -> Image.Image:
    image = Image.new("RGB", (size, size), _tint(rng))
    pen = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(5, 14))):
        points = [tuple(point) for point in rng.integers(0, size, (int(rng.integers(2, 6)), 2)).tolist()]
        pen.line(points, fill=_tint(rng), width=int(rng.integers(1, size // 10)))
    return image


def page(rng: np.random.Generator, size: int) -> Image.Image:
    image = Image.new("RGB", (size, size), (250, 250, 248))
    pen, step = ImageDraw.Draw(image), int(rng.integers(size // 20, size // 8))
    for top in range(step, size - step, step):
        left = step
        while left < size - 2 * step:
            width = int(rng.integers(step, 4 * step))
            pen.rectangle((left, top, min(left + width, size - step), top + step // 3), fill=(40, 40, 44))
            left += width + step // 2
    return image


def plain(rng: np.random.Generator, size: int) -> Image.Image:
    image = Image.new("RGB", (size, size), _tint(rng))
    if rng.random() < 0.5:
        noise = rng.normal(0, rng.uniform(5, 90), (size, size, 3))
        image = Image.fromarray(np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8))
    return image.filter(ImageFilter.GaussianBlur(float(rng.uniform(0, 2))))


PAINTERS = (clouds, stripes, tiles, scribble, page, plain)
