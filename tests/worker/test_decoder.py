"""The lean decoder's parts are the library's, to the last digits, in every arithmetic it runs in."""

import pytest
import torch
from transformers import Gemma3ForCausalLM
from transformers.models.gemma3.modeling_gemma3 import Gemma3RMSNorm, Gemma3RotaryEmbedding

from demo_model.checkpoint import random_model, text_config
from medserver.worker.decoder import Norm, Rotation
from medserver.worker.model import Model, Plan
from tests.checkpoints import TINY
from tests.worker.by_hand import LONG, Rows

LINEAR = {"rope_type": "linear", "factor": 8.0, "rope_theta": 1_000_000.0}  # as the releases have it


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.bfloat16, 0.02)])
@pytest.mark.parametrize("size", [0.0, 1e-3, 1.0, 1e4])
def test_the_norm_is_the_librarys(dtype, tolerance, size):
    library = Gemma3RMSNorm(48)
    torch.nn.init.normal_(library.weight)
    rows = (torch.randn(5, 48) * size).to(dtype)
    found = Norm(library.weight, library.eps)(rows)
    assert found.dtype == dtype
    torch.testing.assert_close(found, library(rows), rtol=tolerance, atol=tolerance)


def test_positions_turn_as_in_the_library_also_where_they_are_stretched():
    config = text_config(TINY)
    config.rope_parameters["full_attention"] = LINEAR
    library = Gemma3RotaryEmbedding(config)
    rotation = Rotation(library, {"full_attention", "sliding_attention"}, torch.float32)
    for positions in (torch.tensor([0, 5, 1]), torch.tensor([1023, 4000])):
        found = rotation.at(positions, int(positions.max()))
        for kind, (cos, sin) in found.items():
            expected = [table[0] for table in library(torch.zeros(1), positions[None], kind)]
            torch.testing.assert_close(cos[:, 0], expected[0])
            torch.testing.assert_close(sin[:, 0, TINY.head_dim // 2 :], expected[1][:, TINY.head_dim // 2 :])
            torch.testing.assert_close(-sin[:, 0, : TINY.head_dim // 2], expected[1][:, : TINY.head_dim // 2])


def test_a_stretched_checkpoint_keeps_its_logits(text_model, prompt):
    config = text_config(TINY)
    config.rope_parameters["full_attention"] = LINEAR
    torch.manual_seed(0)
    rows = Rows(Model(Gemma3ForCausalLM(config).eval(), text_model.processor, Plan("cpu", torch.float32)))
    rows.join(prompt(text_model, LONG))
    rows.step(3)
    assert rows.worst <= 1e-4


def test_half_as_many_digits_give_nearly_the_same(text_model, prompt):
    network = random_model(TINY, images=False, seed=0).bfloat16()
    rows = Rows(Model(network, text_model.processor, Plan("cpu", torch.bfloat16)))
    rows.join(prompt(text_model, LONG))
    rows.join(prompt(text_model, "Hello"))
    rows.step(5)
    assert rows.worst <= 0.05
