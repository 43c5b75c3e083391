"""An image is looked at once, for as long as there is room to remember it."""

import io

import PIL.Image
import torch

from medserver.worker.prompt import Conversation, prepare
from medserver.worker.request import Request
from medserver.worker.vision import Vision
from tests.worker.by_hand import greedy, scheduled


def counted(model, request: Request) -> tuple[int, int]:
    before = model.vision.vision_calls, model.vision.image_hits
    scheduled(model, [request])
    return model.vision.vision_calls - before[0], model.vision.image_hits - before[1]


def test_an_image_that_was_seen_costs_no_call_of_the_tower(model, prompt):
    def asked(text: str, *images: int, salt: str | None = None) -> Request:
        return Request(prompt(model, text, *images), greedy(2), salt)

    assert counted(model, asked("What is visible?", 51, 52)) == (2, 0)
    assert counted(model, asked("Compare.", 52, 51)) == (0, 2)
    assert counted(model, asked("What is visible?", 52, 53)) == (1, 1)
    assert counted(model, asked("What is visible?", 51, 51, salt="s")) == (1, 1), "another client sees no time saved"


def test_images_that_differ_in_their_colours_alone_are_two(model):
    def digest(*palette: int) -> bytes:
        picture, out = PIL.Image.new("P", (32, 32)), io.BytesIO()
        picture.putpalette(palette)
        picture.save(out, "PNG")
        asked = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What is visible?"}]}]
        return prepare(Conversation(asked, (out.getvalue(),)), model.processor, images=True).images[0].digest

    assert digest(0, 0, 0) == digest(0, 0, 0) != digest(255, 255, 255)


class _Eyes:
    def get_image_features(self, pixels, return_dict):
        return type("Output", (), {"pooler_output": torch.ones(1, 4, 8)})


def test_the_image_that_was_seen_longest_ago_is_forgotten_first():
    vision = Vision(_Eyes(), kept_bytes=2 * 4 * 8 * 4)
    keys = [(None, bytes([number])) for number in range(3)]
    vision.look(keys[0], torch.zeros(3, 2, 2))
    vision.look(keys[1], torch.zeros(3, 2, 2))
    assert vision.known(keys[0]) is not None
    vision.look(keys[2], torch.zeros(3, 2, 2))
    assert vision.known(keys[1]) is None
    assert vision.known(keys[0]) is not None and vision.known(keys[2]) is not None
    assert (vision.vision_calls, vision.image_hits) == (3, 3)
