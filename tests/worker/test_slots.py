"""What the KV cache takes, to the byte, and that it keeps its rows whatever happens to its memory."""

import pytest
import torch
from transformers import Gemma3TextConfig

from medserver.worker import slots
from medserver.worker.kv import KVShape, kv_bytes
from medserver.worker.slots import BLOCK, SlotCache
from tests.worker.by_hand import LONG, TOLERANCE, Rows, new_cache

MIB = 1024 * 1024
SMALL = {"hidden_size": 8, "intermediate_size": 8, "vocab_size": 8}
FOUR = Gemma3TextConfig(num_hidden_layers=34, num_key_value_heads=4, head_dim=256, sliding_window=1024, **SMALL)
LARGE = Gemma3TextConfig(num_hidden_layers=62, num_key_value_heads=16, head_dim=128, sliding_window=1024, **SMALL)


@pytest.mark.parametrize(("config", "most"), [(FOUR, 290 * MIB), (LARGE, 1.1 * 1024 * MIB)])
def test_a_session_of_8k_fits_into_what_was_promised(config, most):
    assert kv_bytes(config, 8192, torch.bfloat16) <= most
    full = KVShape((False,) * config.num_hidden_layers, config.num_key_value_heads, config.head_dim, 1, torch.bfloat16)
    assert full.bytes(8192) > 3.5 * kv_bytes(config, 8192, torch.bfloat16)


def test_the_accounting_is_what_the_tensors_take(text_model):
    need = kv_bytes(text_model.text_config, BLOCK, torch.float32)
    cache = new_cache(text_model, budget=need)
    slot = cache.take(BLOCK)
    assert cache.bytes == need
    assert cache.take(1) is None, "the budget holds one"
    cache.leave(slot)
    cache.rest()
    assert cache.bytes == 0
    assert cache.take(BLOCK) and not cache.can_ever_take(BLOCK + 1)


def test_where_memory_is_short_room_grows_and_a_long_row_takes_that_of_those_who_left(text_model, prompt):
    one = kv_bytes(text_model.text_config, BLOCK, torch.float32)
    rows = Rows(text_model, new_cache(text_model, budget=5 * one, slots=8))
    short = [rows.join(prompt(text_model, text)) for text in ("Hello", "Again", "What is visible?")]
    rows.step(3)
    rows.leave(short[0])
    rows.leave(short[1])
    with torch.inference_mode():
        assert rows.cache.take(2 * BLOCK) is None
        rows.cache.compact()
    assert short[2].slot.index == 0
    rows.join(prompt(text_model, LONG))
    assert rows.cache.keys[5].shape[:3] == (2, 2, 2 * BLOCK)
    rows.step(3)
    assert rows.cache.bytes <= 5 * one and rows.worst <= TOLERANCE


def test_memory_that_runs_out_while_the_cache_grows_changes_no_other_row(text_model, prompt, monkeypatch):
    one = kv_bytes(text_model.text_config, BLOCK, torch.float32)
    rows = Rows(text_model, new_cache(text_model, budget=4 * one, slots=1))
    rows.join(prompt(text_model, "Hello"))
    rows.step(3)
    zeros, calls = slots.zeros, []

    def scarce(*asked):
        calls.append(asked)
        if len(calls) == 4:  # the values of the second layer
            raise torch.OutOfMemoryError
        return zeros(*asked)

    with monkeypatch.context() as patch, torch.inference_mode():
        patch.setattr(slots, "zeros", scarce)
        with pytest.raises(torch.OutOfMemoryError):
            rows.cache.take(2 * BLOCK)
    rows.step(3)
    rows.join(prompt(text_model, "Again"))
    rows.step(3)
    assert rows.worst <= TOLERANCE


def test_what_no_row_has_written_is_never_read_as_a_number(text_model, prompt, monkeypatch):
    monkeypatch.setattr(torch, "empty", lambda size, **fields: torch.full(size, torch.nan, **fields))
    rows = Rows(text_model)
    short = rows.join(prompt(text_model, "Hello"))
    rows.join(prompt(text_model, LONG))
    rows.step(2)
    rows.leave(short)
    rows.step(2)
    rows.join(prompt(text_model, "Again"))
    rows.step(2)
    assert rows.worst <= TOLERANCE


@pytest.mark.parametrize("stays", [False, True])
def test_gaps_between_sequences_are_closed_and_below_them_where_steps_begin_at_the_lowest_slot(stays):
    shape, cpu = KVShape((False,), 1, 2, 4, torch.float32), torch.device("cpu")
    cache = SlotCache(shape, [cpu], 1 << 20, 4, BLOCK, stays=stays)
    first, second, third = (cache.take(1) for _ in range(3))
    cache.leave(second)
    assert cache.take(1).index == 1, "a gap is the next to be taken"
    cache.leave(first)
    cache.settle()
    assert third.index == (0 if stays else 2)
    assert [cache.take(1).index for _ in range(2)] == ([2, 3] if stays else [0, 3]), "written memory first"


def test_what_has_ended_is_no_part_of_what_is_kept_together():
    """Neither do sequences move down to one that is copied still, nor does it move in between them."""
    shape, cpu = KVShape((False,), 1, 2, 4, torch.float32), torch.device("cpu")
    cache = SlotCache(shape, [cpu], 1 << 20, 8, BLOCK)
    slots = [cache.take(1) for _ in range(6)]
    slots[0].ended = slots[5].ended = True
    for gap in (1, 3):
        cache.leave(slots[gap])
    cache.settle()
    assert [slot.index for slot in cache.taken] == [0, 2, 3, 5]
    cache.settle()
    assert [slot.index for slot in cache.taken] == [0, 2, 3, 5] and cache.take(1).index == 4
