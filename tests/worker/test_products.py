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


def test_onednn_multiplies_where_it_is_faster_alone(monkeypatch):
    asked = []
    real = torch.ops.mkldnn._linear_pointwise
    monkeypatch.setattr(torch.ops.mkldnn, "_linear_pointwise", lambda x, *rest: asked.append(len(x)) or real(x, *rest))
    small, large = torch.randn(16, 8), torch.randn(2048, 1200)
    for intel, expected in ((False, [8, 1]), (True, []), (None, [])):
        monkeypatch.setattr(cpu, "is_intel", lambda intel=intel: intel)
        if intel is False and not products.prefer_onednn():
            expected = []  # a build without both libraries
        asked.clear()
        for rows in (1, 8):
            product(small)(torch.randn(rows, 8))
        product(large)(torch.randn(1, 1200))
        product(small.bfloat16())(torch.randn(8, 8).bfloat16())
        assert asked == expected


def test_layers_stay_as_they_are_where_nothing_is_faster(monkeypatch):
    for intel in (False, True, None):
        monkeypatch.setattr(cpu, "is_intel", lambda intel=intel: intel)
        network = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4).bfloat16(), nn.LayerNorm(4))
        products.quicken(network)
        changed = ["forward" in vars(module) for module in network]
        assert changed == [products.prefer_onednn(), False, False]


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
