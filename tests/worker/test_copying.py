"""What a chat may go on from is copied while others are answered: nothing of it is lost, and no slot for long."""

import pytest
import torch

from medserver.worker import copying
from medserver.worker.copying import MOST, Copying
from medserver.worker.kv_manager import SPARE
from medserver.worker.request import Request
from medserver.worker.values import Finished, Prompt
from tests.worker.by_hand import (
    LONG,
    TOLERANCE,
    Raises,
    Rows,
    decoded,
    greedy,
    longer,
    new_cache,
    run_to_end,
    scheduler_of,
)

WINDOW = 32  # of the tiny checkpoints


@pytest.fixture(autouse=True)
def small_stretches(monkeypatch):
    monkeypatch.setattr(copying, "STRETCH", 1)


def test_a_prompt_is_kept_as_it_was_while_its_answer_writes_over_the_window(text_model, prompt):
    rows = Rows(text_model)
    first = prompt(text_model, LONG)
    row = rows.join(first, salt="s")
    assert rows.prefixes.copies(row.slot)
    rows.step(WINDOW + MOST)
    assert not rows.prefixes.copies(row.slot)
    assert rows.join(longer(first, 11, 12, 13), salt="s").cached == first.length
    rows.step(3)
    assert rows.worst <= TOLERANCE


@pytest.mark.parametrize("guesses", [False, True])
@pytest.mark.parametrize("beyond", [1, 2, 3, 2 * WINDOW])
def test_a_short_chat_is_kept_before_its_window_turns_over_and_serves_from_any_token(
    text_model, prompt, monkeypatch, guesses, beyond
):
    monkeypatch.setattr(type(text_model), "guesses", property(lambda _: guesses))
    asked = prompt(text_model, "Hello")
    first = Request(asked, greedy(WINDOW - asked.length + beyond, ignore_eos=True), "s")
    scheduler = scheduler_of(text_model, lambda batch: None)

    def answered(request: Request) -> Request:
        scheduler.submit(request)
        run_to_end(scheduler)
        return request

    answered(first)
    for said in (0, 1, WINDOW - first.prompt.length):  # the last of them is where it turned over
        again = longer(first.prompt, *first.tokens[:said], 7, 8)
        warm, cold = (answered(Request(again, greedy(5, ignore_eos=True), salt)) for salt in ("s", None))
        assert warm.prefill.cached_tokens == first.prompt.length + said and cold.prefill.cached_tokens == 0
        assert warm.tokens == cold.tokens


@pytest.mark.parametrize("said", range(4, 12))
def test_a_short_chat_is_kept_also_where_a_stop_string_cuts_off_what_was_guessed(text_model, prompt, said):
    again_and_again = {"logit_bias": {150: 1000.0}, "ignore_eos": True}
    stop = decoded(text_model, [150] * said)
    scheduler = scheduler_of(text_model, lambda batch: None)
    first = Request(prompt(text_model, "a"), greedy(20, stop=(stop,), **again_and_again), "s")
    scheduler.submit(first)
    run_to_end(scheduler)
    assert len(first.tokens) == said
    again = Request(longer(first.prompt, *first.tokens, 7), greedy(1), "s")
    scheduler.submit(again)
    run_to_end(scheduler)
    assert again.prefill.cached_tokens == first.prompt.length + said - 1


@pytest.mark.parametrize("ahead", [1, 2, 9])
def test_a_copy_stays_in_front_of_what_follows_at_once(text_model, ahead):
    cache = new_cache(text_model)
    slot = cache.take(200)
    slot.length = 100
    with torch.inference_mode():
        for layer, tensor in enumerate(cache.keys):
            tensor[slot.index] = torch.rand(tensor.shape[1:], generator=torch.Generator().manual_seed(layer))
        local = [layer for layer, sliding in enumerate(cache.shape.sliding) if sliding]
        rings = [cache.keys[layer][slot.index].clone() for layer in local]
        copy = Copying(cache, slot, ahead)
        for _ in range(ahead):
            _write(cache, slot)
        while not copy.done:
            _write(cache, slot)
            copy.step()
    for (keys, _), ring in zip(copy.snapshot.rings, rings, strict=True):
        assert torch.equal(keys, ring)


def _write(cache, slot) -> None:
    for tensor, sliding in zip(cache.keys, cache.shape.sliding, strict=True):
        if sliding:
            tensor[slot.index, :, slot.length % cache.shape.window] = -1.0
    slot.length += 1


def test_the_slot_of_a_turn_is_free_when_it_is_copied_and_nobody_waits_for_it(text_model, prompt):
    delivered: list = []
    scheduler = scheduler_of(text_model, delivered.extend, slots=2)
    stays, goes, comes = (
        Request(prompt(text_model, LONG + text), greedy(tokens, ignore_eos=True), salt)
        for text, tokens, salt in (("a", 60, None), ("b", 4, "s"), ("c", 4, "t"))
    )
    for request in (stays, goes):
        scheduler.submit(request)
    cache = scheduler._kv.cache
    while not any(isinstance(what, Finished) for _, what in delivered):
        scheduler.step()
    assert scheduler.running == 1 and scheduler._kv.leaving and len(cache.taken) == 2
    scheduler.submit(comes)
    scheduler.step()
    assert scheduler.waiting == 0 and len(cache.taken) == 3, "neither waits for the copy nor hurries it"
    for _ in range(3 * MOST):
        scheduler.step()
    assert not scheduler._kv.leaving and len(cache.taken) == 1
    run_to_end(scheduler)


def test_where_no_slot_is_left_a_copy_is_hurried(text_model, prompt):
    delivered: list = []
    scheduler = scheduler_of(text_model, delivered.extend, slots=3)
    crowd = [Request(prompt(text_model, LONG + text), greedy(3, ignore_eos=True), text) for text in "abcdefgh"]
    crowd.insert(0, Request(prompt(text_model, "Hello"), greedy(200, ignore_eos=True)))
    for request in crowd:
        scheduler.submit(request)
    most = 0
    while scheduler.running or scheduler.waiting:
        scheduler.step()
        most = max(most, len(scheduler._kv.cache.taken))
    assert most == 3 + SPARE and sum(isinstance(what, Finished) for _, what in delivered) == len(crowd)


def test_an_answer_beside_another_begins_with_what_both_were_asked(text_model, prompt):
    scheduler = scheduler_of(text_model, lambda batch: None)
    first = Request(prompt(text_model, "Hello"), greedy(20, ignore_eos=True), "s")
    scheduler.submit(first)
    for _ in range(3):
        scheduler.step()
    same, others = (Request(first.prompt, greedy(5, ignore_eos=True), salt) for salt in ("s", "t"))
    for request in (same, others):
        scheduler.submit(request)
    run_to_end(scheduler)
    assert (same.prefill.cached_tokens, others.prefill.cached_tokens) == (first.prompt.length - 1, 0)
    assert same.tokens == others.tokens == first.tokens[:5]


def test_what_a_failed_step_wrote_over_is_not_kept(text_model, prompt, monkeypatch):
    """A row whose window is full, whose copy was refused as a step began that broke."""
    asked = prompt(text_model, "a")
    scheduler = scheduler_of(text_model, lambda batch: None)
    first = Request(asked, greedy(2 * WINDOW, ignore_eos=True), "s")
    newer = Request(prompt(text_model, "b"), greedy(2 * WINDOW, ignore_eos=True))
    for request in (first, newer):
        scheduler.submit(request)
    while first.slot is None or first.slot.length < WINDOW:
        scheduler.step()
    decode = text_model.decode

    def breaks(*args):
        decode(*args)
        raise torch.OutOfMemoryError

    with monkeypatch.context() as patch:
        patch.setattr(text_model, "decode", breaks)
        patch.setattr(scheduler._kv.prefixes, "keep", lambda *_: None)
        scheduler.step()
    assert scheduler.running == 1
    run_to_end(scheduler)
    again = longer(asked, *first.tokens[:9], 7)
    warm, cold = (Request(again, greedy(5, ignore_eos=True), salt) for salt in ("s", None))
    for request in (warm, cold):
        scheduler.submit(request)
    run_to_end(scheduler)
    assert warm.prefill.cached_tokens == 0 and warm.tokens == cold.tokens


def test_a_slot_is_free_again_where_its_prompt_cannot_begin(text_model, prompt, monkeypatch):
    delivered: list = []
    scheduler = scheduler_of(text_model, delivered.extend)
    with monkeypatch.context() as patch:
        patch.setattr("medserver.worker.kv_manager.Prefill", Raises(ValueError("odd")))
        scheduler.submit(Request(prompt(text_model, "Hello"), greedy(3)))
        scheduler.step()
    assert [what.code for _, what in delivered] == ["internal"]
    assert not scheduler.running and not scheduler.waiting and not scheduler._kv.cache.taken


def test_who_goes_on_at_once_finds_what_was_not_yet_copied(text_model, prompt):
    delivered: list = []
    scheduler = scheduler_of(text_model, delivered.extend, slots=4)
    stays = Request(prompt(text_model, "Hello"), greedy(200, ignore_eos=True))
    first = Request(prompt(text_model, LONG), greedy(9, ignore_eos=True), "s")
    for request in (stays, first):
        scheduler.submit(request)
    while len(first.tokens) < 9:
        scheduler.step()
    assert scheduler._kv.leaving
    again = Request(longer(first.prompt, *first.tokens, 7, 8), greedy(9, ignore_eos=True), "s")
    alone = Request(again.prompt, greedy(9, ignore_eos=True))
    for request in (again, alone):
        scheduler.submit(request)
    run_to_end(scheduler)
    assert again.prefill.cached_tokens == first.prompt.length + 8
    assert again.tokens == alone.tokens


def test_a_scheduler_with_nothing_else_to_do_copies_and_then_gives_its_memory_back(text_model, prompt, monkeypatch):
    monkeypatch.setattr("medserver.worker.scheduler.IDLE", 0.1)
    scheduler = scheduler_of(text_model, lambda batch: None)
    scheduler.submit(Request(prompt(text_model, LONG), greedy(3, ignore_eos=True), "s"))
    run_to_end(scheduler)
    kv, rest = scheduler._kv, scheduler._kv.rest
    assert len(kv.leaving) == 1

    def rests() -> None:
        assert not kv.leaving and kv.cache.bytes, "someone may come right after"
        rest()
        scheduler.close()

    monkeypatch.setattr(kv, "rest", rests)
    scheduler.run()
    assert kv.cache.bytes == 0 and kv.prefixes.bytes


def test_a_chat_that_ended_costs_those_who_run_neither_a_row_nor_its_copy(text_model, prompt, monkeypatch):
    scheduler = scheduler_of(text_model, lambda batch: None)
    for text, tokens in {"a": 20, "b": 22, "c": 24, "d": 80}.items():
        scheduler.submit(Request(prompt(text_model, text), greedy(tokens, ignore_eos=True), text))
    while scheduler.running != 4:
        scheduler.step()
    while scheduler.running > 1:
        scheduler.step()
    decode, computed = text_model.decoder.run, []
    monkeypatch.setattr(
        text_model.decoder, "run", lambda tokens, *how: computed.append(len(tokens)) or decode(tokens, *how)
    )
    scheduler.step()
    assert computed == [1] and len(scheduler._kv.leaving) == 3
    run_to_end(scheduler)


@pytest.mark.parametrize("beyond", [2, 4, 6])
def test_a_copy_that_is_not_done_as_its_row_ends_stays_in_front_of_what_is_written_there(text_model, beyond):
    """A crowd whose windows turn over in one step and that ends in another, while the next one waits for its slots.

    The slots of some lie then between those of the next, whose steps write there.
    """

    def asked(tokens: int, seed: int) -> Prompt:
        return Prompt(torch.randint(10, 250, (1, tokens), generator=torch.Generator().manual_seed(seed)))

    scheduler = scheduler_of(text_model, lambda batch: None)
    crowd = [
        Request(asked(10, seed), greedy(WINDOW - 10 + beyond + 1, ignore_eos=True), f"s{seed}" if seed else None)
        for seed in range(8)
    ]
    for request in crowd:
        scheduler.submit(request)
    scheduler.step()
    for seed in range(8, 11):
        scheduler.submit(Request(asked(12, seed), greedy(5, ignore_eos=True)))
    run_to_end(scheduler)
    for first in crowd[1:]:
        again = longer(first.prompt, *first.tokens[: WINDOW - 10], 7, 8)
        warm, cold = (Request(again, greedy(30, ignore_eos=True), salt) for salt in (first.salt, None))
        for request in (warm, cold):
            scheduler.submit(request)
            run_to_end(scheduler)
        assert warm.prefill.cached_tokens == WINDOW and warm.tokens == cold.tokens
