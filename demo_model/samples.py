"""Draws the bundled phantom images and writes the suggested prompts beside a checkpoint; knows no model."""

import json
from pathlib import Path

import numpy as np
from PIL import ImageFilter

from demo_model.phantoms import Scene, draw

SIDE = 256
# Seeds far from those of training and examination.
_SEED = 770_000

IMAGES = {
    "film-clear.png": Scene("film", None),
    "film-right-upper.png": Scene("film", "right upper"),
    "film-left-lower.png": Scene("film", "left lower"),
    "film-left-middle.png": Scene("film", "left middle"),
    "shape-star.png": Scene("shape", None, "star", "yellow", "upper left"),
    "shape-ring.png": Scene("shape", None, "ring", "blue", "lower right"),
}
PROMPTS = (
    ("What is MedServer?", ()),
    ("Which model fits my graphics card?", ()),
    ("Show me the normal vital signs of an adult", ()),
    ("How do I read a chest film step by step?", ()),
    ("Describe this film", ("film-right-upper.png",)),
    ("Is there an opacity?", ("film-clear.png",)),
    ("What changed?", ("film-clear.png", "film-left-lower.png")),
    ("What do you see?", ("shape-star.png",)),
    ("Which dose of amoxicillin for pneumonia?", ()),
)


def write_samples(directory: Path) -> None:
    """`samples/*.png` and `samples.json` in `directory`, the same on every machine."""
    folder = directory / "samples"
    folder.mkdir(parents=True, exist_ok=True)
    for number, (name, scene) in enumerate(IMAGES.items()):
        picture = draw(scene, np.random.default_rng(_SEED + number), SIDE)
        # Grain is most of a PNG's bytes and none of what is to be seen.
        calm = picture.image.filter(ImageFilter.MedianFilter(3))
        calm.convert("L" if scene.kind == "film" else "RGB").save(folder / name, optimize=True)
    prompts = [{"text": text, "images": list(images)} for text, images in PROMPTS]
    (directory / "samples.json").write_text(json.dumps({"prompts": prompts}, indent=2) + "\n", encoding="utf-8")
