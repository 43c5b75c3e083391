"""What a freshly loaded model is asked before anybody else may ask it: something in words, and about an image.

Weights or a tower that are broken, and arithmetic that overflows, show here and not on a ward.
"""

import io
import sys
from typing import Any

import PIL.Image
import torch

from medserver.worker.model import Model, Part
from medserver.worker.prompt import Conversation, prepare
from medserver.worker.values import LoadFailure

_SIDE = 64  # pixels; the processor makes of it what it makes of every image


def self_test(model: Model) -> None:
    """Ask, and look at the numbers from which the answers would be drawn.

    Raises:
        LoadFailure: some of them are none.
    """
    _ask(model, "words", [_text("Say hello.")])
    if model.supports_images:
        _ask(model, "an image", [{"type": "image"}, _text("What is this?")], _ramp())


def _ask(model: Model, kind: str, content: list[dict[str, Any]], *pngs: bytes) -> None:
    conversation = Conversation([{"role": "user", "content": content}], pngs)
    prompt = prepare(conversation, model.processor, images=model.supports_images)
    seen = {
        image.first: model.look((None, image.digest), pixels)
        for image, pixels in zip(prompt.images, prompt.pixels if pngs else (), strict=True)
    }
    cache = model.new_cache(sys.maxsize, 1, prompt.length)
    [logits] = model.extend(cache, [Part(cache.take(prompt.length), prompt, prompt.length, seen)])
    if not torch.isfinite(logits).all():
        raise LoadFailure(f"The self-test failed: asked about {kind}, the model computes numbers that are not finite.")


def _text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def _ramp() -> bytes:
    out = io.BytesIO()
    PIL.Image.linear_gradient("L").resize((_SIDE, _SIDE)).convert("RGB").save(out, "PNG")
    return out.getvalue()
