"""What a freshly loaded model is asked, and what it must not answer."""

import pytest
import torch

from medserver.worker.self_test import self_test
from medserver.worker.values import LoadFailure


def test_it_is_asked_in_words_and_about_an_image_where_it_reads_them(model, text_model, monkeypatch):
    for one, expected in ((model, [0, 1]), (text_model, [0])):
        asked, extend = [], one.extend

        def heard(cache, parts, extend=extend, asked=asked):
            asked += [len(part.seen) for part in parts]
            return extend(cache, parts)

        monkeypatch.setattr(one, "extend", heard)
        self_test(one)
        assert asked == expected


def test_weights_that_compute_no_numbers_fail_it(model, monkeypatch):
    monkeypatch.setattr(model, "extend", lambda *_: [torch.tensor([[float("nan")]])])
    with pytest.raises(LoadFailure, match="self-test failed: asked about words"):
        self_test(model)


def test_a_tower_that_computes_no_numbers_fails_it(model, monkeypatch):
    look = model.look
    monkeypatch.setattr(model, "look", lambda key, pixels: look(key, pixels) * float("nan"))
    with pytest.raises(LoadFailure, match="self-test failed: asked about an image"):
        self_test(model)
