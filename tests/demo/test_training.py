"""The shortcuts of the demo's training against the library's own way: the same values and the same gradients."""

import torch
from transformers.models.gemma3 import modeling_gemma3

from demo_model import quick_gradients
from demo_model.batches import attention
from demo_model.checkpoint import random_model
from tests.checkpoints import TINY

IMAGE = TINY.vocab_size - 1
ROWS = [[5, 6, *[IMAGE] * 4, 7, 8, *[IMAGE] * 4, 9], [*range(10, 21), 0, 0]]


def hidden_and_gradients(model, ids, **masks):
    pixels = torch.randn(2, 3, TINY.image_size, TINY.image_size, generator=torch.Generator().manual_seed(1))
    hidden = model.model(input_ids=ids, pixel_values=pixels, use_cache=False, **masks).last_hidden_state
    kept = ids != 0  # what stands on the padding is nobody's
    model.zero_grad()
    hidden[kept].square().mean().backward()
    return hidden[kept].detach(), {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}


def test_rounded_products_have_about_the_same_values_and_gradients(monkeypatch):
    model, ids = random_model(TINY, images=True, seed=0), torch.tensor(ROWS)
    mask = dict.fromkeys(("full_attention", "sliding_attention"), attention(ids == IMAGE))
    wanted, slopes = hidden_and_gradients(model, ids, attention_mask=mask)
    monkeypatch.setattr(torch.nn.Linear, "forward", torch.nn.Linear.forward)  # put back afterwards
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    quick_gradients.round_products()
    given, rounded = hidden_and_gradients(model, ids, attention_mask=mask)
    assert not torch.equal(given, wanted)
    assert torch.nn.functional.cosine_similarity(given, wanted, dim=-1).min() > 0.999
    largest = max(slope.abs().max() for slope in slopes.values())
    for name, slope in slopes.items():
        if slope.abs().max() > 1e-3 * largest:  # the others are nothing but rounding
            assert torch.nn.functional.cosine_similarity(rounded[name].flatten(), slope.flatten(), dim=0) > 0.98, name


def test_one_mask_and_own_gradients_change_nothing(monkeypatch):
    model, ids = random_model(TINY, images=True, seed=0), torch.tensor(ROWS)
    wanted, slopes = hidden_and_gradients(
        model, ids, attention_mask=(ids != 0).long(), token_type_ids=(ids == IMAGE).long()
    )
    # Put back afterwards: other tests use the library as it is.
    monkeypatch.setattr(modeling_gemma3, "rotate_half", modeling_gemma3.rotate_half)
    monkeypatch.setattr(modeling_gemma3.Gemma3RMSNorm, "forward", modeling_gemma3.Gemma3RMSNorm.forward)
    quick_gradients.install()
    mask = dict.fromkeys(("full_attention", "sliding_attention"), attention(ids == IMAGE))
    given, quick = hidden_and_gradients(model, ids, attention_mask=mask)
    assert torch.allclose(given, wanted, atol=1e-5)
    assert slopes.keys() == quick.keys()
    largest = max(slope.abs().max() for slope in slopes.values())
    assert all(torch.allclose(quick[name], slopes[name], atol=1e-5 * largest) for name in slopes)
