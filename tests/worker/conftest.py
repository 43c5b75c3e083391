"""A loaded tiny model of each kind, and how its prompts are made."""

import io

import PIL.Image
import pytest
import torch

from medserver.worker.loading import load
from medserver.worker.model import Model
from medserver.worker.prompt import Conversation, prepare


def _no_progress(*_) -> None:
    pass


@pytest.fixture(scope="session")
def model(multimodal_checkpoint) -> Model:
    return load(multimodal_checkpoint, quantize=False, progress=_no_progress)


@pytest.fixture(scope="session")
def text_model(text_checkpoint) -> Model:
    return load(text_checkpoint, quantize=False, progress=_no_progress)


def png(seed: int) -> bytes:
    pixels = torch.randint(0, 256, (28, 28, 3), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)
    out = io.BytesIO()
    PIL.Image.fromarray(pixels.numpy()).save(out, "PNG")
    return out.getvalue()


@pytest.fixture(scope="session")
def prompt():
    """`prompt(model, text, *image_seeds)`: one user turn, images first."""

    def make(model: Model, text: str, *seeds: int):
        parts = [{"type": "image"} for _ in seeds] + [{"type": "text", "text": text}]
        conversation = Conversation([{"role": "user", "content": parts}], tuple(map(png, seeds)))
        return prepare(conversation, model.processor, images=model.supports_images)

    return make
