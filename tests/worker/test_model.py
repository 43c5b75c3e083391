"""Loading, arithmetic and threads of the model, and the prompts it is given."""

import os

import psutil
import pytest
import torch

from medserver.worker.loading import cap_threads, load, refuse_offloaded
from medserver.worker.prompt import Conversation, prepare
from medserver.worker.values import LoadFailure, WorkerRefusal, is_out_of_memory
from tests.worker.by_hand import TOLERANCE, Rows


def test_threads_are_capped_at_the_physical_cores_this_process_may_use(monkeypatch):
    before = torch.get_num_threads()
    try:
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)), raising=False)
        monkeypatch.setattr(psutil, "cpu_count", lambda logical: 16 if logical else 8)
        assert cap_threads() == torch.get_num_threads() == 8
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
        assert cap_threads() == torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("system", ["", "Be careful."])
def test_the_beginning_of_a_sequence_is_there_once(model, text_model, system):
    messages = [{"role": "system", "content": system}] if system else []
    messages += [
        {"role": "user", "content": [{"type": "text", "text": "Hello"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "Yes?"}]},
        {"role": "user", "content": [{"type": "text", "text": "Again"}]},
    ]
    for one in (model, text_model):
        ids = prepare(Conversation(messages, ()), one.processor, images=one.supports_images).ids[0].tolist()
        assert ids.count(one.tokenizer.bos_token_id) == 1 and ids[0] == one.tokenizer.bos_token_id


def test_image_tokens_are_marked_so_that_they_see_each_other_both_ways(model, prompt):
    made = prompt(model, "Compare", 1, 2)
    soft = made.ids == model.network.config.image_token_id
    assert soft.sum() == 2 * 4 and torch.equal(made.token_type_ids == 1, soft)
    assert made.pixels.shape == (2, 3, 28, 28)


def test_an_image_token_in_words_is_no_image(model):
    """A front breaks it up; whoever asks the worker itself gets an answer too."""
    token = model.tokenizer.convert_ids_to_tokens(model.network.config.image_token_id)
    said = [{"role": "user", "content": [{"type": "text", "text": f"Say {token}"}]}]
    assert prepare(Conversation(said, ()), model.processor, images=True).images == ()


def test_turns_that_the_template_refuses_are_a_refusal(model):
    twice = [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}] * 2
    with pytest.raises(WorkerRefusal):
        prepare(Conversation(twice, ()), model.processor, images=True)


@pytest.mark.parametrize("kind", ["multimodal", "text"])
def test_four_bits_leave_the_eyes_and_the_head_as_they_are(kind, request, prompt):
    pytest.importorskip("bitsandbytes", reason="bitsandbytes is not installed, so -q was not tried")
    quantised = load(request.getfixturevalue(f"{kind}_checkpoint"), quantize=True, progress=lambda *_: None)
    assert quantised.quantisation == "nf4"
    kinds = {name: type(part).__name__ for name, part in quantised.network.named_modules()}
    decoder = [found for name, found in kinds.items() if name.endswith(("q_proj", "up_proj")) and "vision" not in name]
    assert set(decoder) == {"Linear4bit"}
    assert {found for name, found in kinds.items() if "vision_tower" in name or name == "lm_head"}.isdisjoint(
        {"Linear4bit"}
    )
    rows = Rows(quantised)
    rows.join(prompt(quantised, "Hello"))
    rows.step(3)
    assert rows.worst <= 100 * TOLERANCE  # its product with one row is another than that with many


def test_weights_that_were_left_on_the_disk_are_refused(model):
    refuse_offloaded(model.network)
    with pytest.raises(LoadFailure, match="-q"):
        refuse_offloaded(torch.nn.Linear(2, 2, device="meta"))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate"), True),
        (RuntimeError("MPS backend out of memory"), True),
        (RuntimeError("shapes do not match"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_out_of_memory_is_known_on_every_device(error, expected):
    assert is_out_of_memory(error) is expected
