"""Which library multiplies, and that it makes no difference but in time."""

import pytest
import torch
from torch import nn
from torch.nn.functional import linear

from medserver import cpu
from medserver.worker import loading, products
from medserver.worker.loading import load, plan
from medserver.worker.model import Part
from medserver.worker.products import product


@pytest.fixture(params=[True, False, None], ids=["Intel", "another maker", "unknown"])
def maker(request, monkeypatch):
    monkeypatch.setattr(cpu, "is_intel", lambda: request.param)


@pytest.mark.parametrize("rows", [1, 3, 8, 200])
@pytest.mark.parametrize("shape", [(48, 32), (2048, 1200)], ids=str)
def test_a_product_is_the_same_by_either_library(maker, shape, rows):
    dice = torch.Generator().manual_seed(7)
    weight, bias = torch.randn(shape, generator=dice), torch.randn(shape[0], generator=dice)
    for x in (torch.randn(rows, shape[1], generator=dice), torch.randn(2, rows, shape[1], generator=dice)):
        torch.testing.assert_close(product(weight)(x), linear(x, weight), rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(product(weight, bias)(x), linear(x, weight, bias), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("bfloat16", [False, True])
def test_weights_are_packed_where_that_is_known_to_be_faster(maker, monkeypatch, bfloat16):
    monkeypatch.setattr(cpu, "multiplies_bfloat16", lambda: bfloat16)
    wide = torch.randn(16, 8)
    assert products.packs(wide) == products.prefer_onednn()
    assert products.packs(wide.bfloat16()) == (bfloat16 and cpu.is_intel() is not None)
    assert not products.packs(wide.double()) and not products.packs(wide.to("meta"))


def test_layers_side_by_side_are_one_product_and_their_weights_are_there_once(maker):
    layers = [nn.Linear(24, size, bias=False) for size in (8, 4, 12)]
    x = torch.randn(3, 24)
    with torch.inference_mode():
        alone = [layer(x) for layer in layers]
        multiply = products.side_by_side(layers)
        for found, expected in zip(multiply(x).split((8, 4, 12), dim=1), alone, strict=True):
            torch.testing.assert_close(found, expected)
        for layer, expected in zip(layers, alone, strict=True):
            torch.testing.assert_close(layer(x), expected)
    if products.prefer_onednn():
        assert not any(layer.weight.numel() for layer in layers), "they went over into the packed one"
    else:
        assert len({layer.weight.untyped_storage().data_ptr() for layer in layers}) == 1


@pytest.mark.parametrize("copied", [0, 1000])
def test_other_layers_are_packed_too_and_one_that_is_shared_stays_for_the_others(maker, monkeypatch, copied):
    monkeypatch.setattr(products, "_COPIED_BYTES", copied)
    words = nn.Embedding(5, 4)
    own, norm, head = network = nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4), nn.Linear(4, 5, bias=False))
    head.weight = words.weight
    x = torch.randn(2, 4)
    with torch.inference_mode():
        expected = network(x)
        products.quicken(network, words.weight)
        torch.testing.assert_close(network(x), expected)
    assert words.weight.shape == (5, 4)
    changed = ["forward" in vars(module) for module in (own, norm, head)]
    assert changed == [products.prefer_onednn(), False, products.prefer_onednn()]
    assert own.weight.numel() == (0 if changed[0] else 16)


@pytest.mark.skipif(torch.cuda.is_available() or torch.backends.mps.is_available(), reason="about the CPU alone")
def test_a_large_model_is_bfloat16_on_a_cpu_that_multiplies_it(monkeypatch):
    for able, weights, dtype in (
        (True, 8_600_000_000, torch.bfloat16),
        (True, 8_600_000, torch.float32),
        (False, 8_600_000_000, torch.float32),
    ):
        monkeypatch.setattr(cpu, "multiplies_bfloat16", lambda able=able: able)
        assert plan(weights).dtype == dtype


@pytest.mark.skipif(torch.cuda.is_available() or torch.backends.mps.is_available(), reason="about the CPU alone")
def test_in_bfloat16_the_cpu_says_about_what_it_says_in_float32(model, multimodal_checkpoint, prompt, monkeypatch):
    monkeypatch.setattr(loading, "_LARGE", 0)
    monkeypatch.setattr(cpu, "multiplies_bfloat16", lambda: True)
    narrow = load(multimodal_checkpoint, quantize=False, progress=lambda *_: None)
    assert narrow.plan.dtype == torch.bfloat16
    said = []
    for one in (model, narrow):
        asked = prompt(one, "What is this?", 5)
        cache = one.new_cache(2**30, 2, 512)
        seen = {
            image.first: one.look((None, b"5"), pixels)
            for image, pixels in zip(asked.images, asked.pixels, strict=True)
        }
        slot = cache.take(asked.length)
        said.append(one.extend(cache, [Part(slot, asked, asked.length, seen)]))
        said[-1].append(one.decode([7], [slot], cache))
    for exact, rounded in zip(*said, strict=True):
        assert torch.nn.functional.cosine_similarity(exact, rounded).item() > 0.999
