"""Requests come, wait, end, are cancelled and break, and nobody else is the worse for it."""

import time
from collections import Counter

import pytest
import torch

from medserver.worker.attention import PackedStep, PrefillStep
from medserver.worker.kv import kv_bytes
from medserver.worker.pace import LONGEST_PAUSE
from medserver.worker.request import Request
from medserver.worker.slots import BLOCK
from medserver.worker.values import Broken, Finished, Piece, Prompt
from tests.worker.by_hand import LONG, greedy, run_to_end, scheduled, scheduler_of

WINDOW = 32  # of the tiny checkpoints


def test_a_cancelled_request_leaves_at_the_next_step_and_the_others_go_on(model, prompt):
    delivered: list = []
    scheduler = scheduler_of(model, delivered.extend)
    stays, goes, waits = (Request(prompt(model, text), greedy(30, ignore_eos=True)) for text in "abc")
    scheduler.submit(stays)
    scheduler.submit(goes)
    scheduler.step()
    scheduler.step()
    assert scheduler.running == 2
    scheduler.submit(waits)
    scheduler.cancel(waits)
    scheduler.cancel(goes)
    delivered.clear()
    scheduler.step()
    assert scheduler.running == 1 and scheduler.waiting == 0
    assert {request for request, _ in delivered} <= {stays}
    run_to_end(scheduler)
    assert delivered[-1] == (stays, Finished("length", stays.prompt.length, 30))


def test_the_context_ends_an_answer(text_model, prompt):
    delivered: list = []
    one = prompt(text_model, "Hello")
    scheduler = scheduler_of(text_model, delivered.extend, slots=1, max_model_len=one.length + 5)
    scheduler.submit(Request(one, greedy(None, ignore_eos=True)))
    run_to_end(scheduler)
    assert delivered[-1][1] == Finished("length", one.length, 5)


def test_an_answer_ends_no_sooner_than_it_may_and_else_as_ever(model, prompt):
    def ended(**fields) -> Finished:
        outputs: list = []
        scheduler = scheduler_of(model, outputs.extend, slots=1)
        # The likeliest token of all ends the answer, so that it ends as soon as it may.
        ending = {min(model.end_ids): 1000.0}
        scheduler.submit(Request(prompt(model, "Hello"), greedy(12, logit_bias=ending, **fields)))
        run_to_end(scheduler)
        return outputs[-1][1]

    found = [ended(**fields) for fields in ({}, {"min_tokens": 6}, {"ignore_eos": True})]
    assert [(one.reason, one.completion_tokens) for one in found] == [("stop", 1), ("stop", 7), ("length", 12)]


def test_a_stop_string_ends_an_answer_before_itself(model, prompt):
    [whole] = scheduled(model, [Request(prompt(model, "Hello"), greedy(40, ignore_eos=True))])
    stop = whole[10:14]
    request = Request(prompt(model, "Hello"), greedy(40, ignore_eos=True, stop=(stop,)))
    assert scheduled(model, [request]) == [whole[: whole.index(stop)]]


def test_who_does_not_fit_waits_and_is_not_overtaken(text_model, prompt):
    delivered: list = []
    room = 2 * kv_bytes(text_model.text_config, BLOCK, torch.float32)
    scheduler = scheduler_of(text_model, delivered.extend, budget=room)
    texts = ["a", "b", 3 * LONG, "c"]  # the long one leaves no room beside itself
    requests = [Request(prompt(text_model, text), greedy(20, ignore_eos=True)) for text in texts]
    assert BLOCK < requests[2].prompt.length + 20 <= 2 * BLOCK
    seen = []
    for request in requests:
        scheduler.submit(request)
    while scheduler.running or scheduler.waiting:
        scheduler.step()
        seen.append((scheduler.running, scheduler.waiting))
        assert scheduler._cache.bytes <= room
    assert seen[0] == (2, 2) and {running for running, _ in seen} == {2, 1, 0}
    ends = [request for request, what in delivered if isinstance(what, Finished)]
    assert ends[2:] == requests[2:] and set(ends[:2]) == set(requests[:2])


def test_who_can_never_fit_is_told_so_and_the_next_is_served(text_model, prompt):
    delivered: list = []
    room = kv_bytes(text_model.text_config, BLOCK, torch.float32)
    scheduler = scheduler_of(text_model, delivered.extend, budget=room)
    large, small = (Request(prompt(text_model, text), greedy(5, ignore_eos=True)) for text in (3 * LONG, "Hello"))
    scheduler.submit(large)
    scheduler.submit(small)
    run_to_end(scheduler)
    endings = {who: what for who, what in delivered if not isinstance(what, Piece)}
    assert endings[large].code == "out_of_memory"
    assert endings[small] == Finished("length", small.prompt.length, 5)


def test_a_long_prompt_joins_in_pieces_and_running_rows_get_a_token_between_them(text_model, prompt):
    delivered: list = []
    scheduler = scheduler_of(text_model, delivered.extend)
    runs = Request(prompt(text_model, "Hello"), greedy(400, ignore_eos=True))
    joins = Request(prompt(text_model, LONG * 16), greedy(3, ignore_eos=True))
    scheduler.submit(runs)
    scheduler.step()
    scheduler.submit(joins)
    steps, begun = 0, len(runs.tokens)
    while not joins.tokens:
        scheduler.step()
        steps += 1
    assert steps >= joins.prompt.length / 512
    assert len(runs.tokens) - begun == steps


def test_of_a_crowd_the_first_hears_before_the_others_are_prefilled(text_model, prompt):
    delivered: list = []
    scheduler = scheduler_of(text_model, delivered.extend)
    crowd = [Request(prompt(text_model, LONG * 6), greedy(3, ignore_eos=True)) for _ in range(3)]
    for request in crowd:
        scheduler.submit(request)
    scheduler.step()
    assert {request for request, _ in delivered} == {crowd[0]} and not crowd[1].tokens
    run_to_end(scheduler)


def test_a_crowd_of_short_prompts_shares_its_forwards_and_says_what_each_says_alone(model, prompt, monkeypatch):
    asked = [("Hello",), ("What is visible?", 1), ("a",), ("Compare the two films.", 2), ("b",), ("c",)]
    alone = [scheduled(model, [Request(prompt(model, *one), greedy(9, ignore_eos=True))])[0] for one in asked]
    packs, extend = [], model.extend

    def counted(cache, parts):
        packs.append(len(parts))
        return extend(cache, parts)

    monkeypatch.setattr(model, "extend", counted)
    crowd = [Request(prompt(model, *one), greedy(9, ignore_eos=True)) for one in asked]
    assert scheduled(model, crowd) == alone
    assert sum(packs) == len(asked) and len(packs) <= len(asked) / 2


def test_a_prompt_that_breaks_in_company_breaks_alone_and_the_others_are_as_if_nothing_was(
    text_model, prompt, monkeypatch
):
    """Among them a chat that goes on, whose rings a broken forward must not have overwritten."""
    begun = prompt(text_model, LONG)
    goes_on = Prompt(torch.cat([begun.ids, torch.arange(5, 20)[None]], dim=1))
    asked = [(prompt(text_model, "a"), None), (prompt(text_model, "b"), None), (goes_on, "s")]

    def said(breaks: bool) -> list:
        delivered: list = []
        scheduler = scheduler_of(text_model, delivered.extend)
        scheduler.submit(Request(begun, greedy(1, ignore_eos=True), "s"))
        run_to_end(scheduler)
        delivered.clear()
        crowd = [Request(ids, greedy(5, ignore_eos=True), salt) for ids, salt in asked]
        attend = PrefillStep.attend

        def attended(step, layer, *tensors):
            if breaks and layer == 4 and step._slot is crowd[1].slot:
                raise torch.OutOfMemoryError
            return attend(step, layer, *tensors)

        with monkeypatch.context() as patch:
            patch.setattr(PrefillStep, "attend", attended)
            for request in crowd:
                scheduler.submit(request)
            run_to_end(scheduler)
        assert crowd[2].prefill.cached_tokens > WINDOW
        endings = {who: what for who, what in delivered if not isinstance(what, Piece)}
        assert getattr(endings[crowd[1]], "code", None) == ("out_of_memory" if breaks else None)
        return [crowd[0].tokens, crowd[2].tokens, endings[crowd[0]], endings[crowd[2]]]

    assert said(True) == said(False)


@pytest.mark.parametrize("breaks", [False, True])
def test_a_long_prompt_runs_beside_the_rows_and_each_says_what_it_says_alone(text_model, prompt, monkeypatch, breaks):
    """Where the common forward fails half-way, both run as if it had not been."""
    asked = [prompt(text_model, text) for text in ("Hello", "a", LONG * 4)]
    alone = [scheduled(text_model, [Request(one, greedy(60, ignore_eos=True))])[0] for one in asked]
    beside, extend_beside, attend = [], text_model.extend_beside, PackedStep.attend

    def counted(cache, parts, tokens, slots):
        beside.append((len(parts), len(slots)))
        return extend_beside(cache, parts, tokens, slots)

    def attended(step, layer, *tensors):
        if breaks and layer == 4:
            raise RuntimeError("odd")
        return attend(step, layer, *tensors)

    monkeypatch.setattr(text_model, "extend_beside", counted)
    monkeypatch.setattr(PackedStep, "attend", attended)
    said: dict[Request, str] = {}
    scheduler = scheduler_of(text_model, lambda batch: _hear(said, batch))
    crowd = [Request(one, greedy(60, ignore_eos=True)) for one in asked]
    for request in crowd[:2]:
        scheduler.submit(request)
        scheduler.step()
    for _ in range(3):
        scheduler.step()
    scheduler.submit(crowd[2])
    run_to_end(scheduler)
    assert [said[request] for request in crowd] == alone
    assert beside.count((1, 2)) > 2


def test_where_drawing_fails_beside_a_prompt_only_the_newest_row_makes_room(text_model, prompt, monkeypatch):
    delivered: list = []
    scheduler = scheduler_of(text_model, delivered.extend)
    older, newer, joins = (Request(prompt(text_model, "Hello"), greedy(9, ignore_eos=True)) for _ in range(3))
    for request in (older, newer):
        scheduler.submit(request)
        scheduler.step()
    scheduler.step()
    scheduler.submit(joins)
    with monkeypatch.context() as patch:
        patch.setattr("medserver.worker.scheduler.choose", _Raises(torch.OutOfMemoryError()))
        monkeypatch.setattr(text_model, "extend", _Raises(AssertionError("it ran beside the rows")))
        scheduler.step()
    monkeypatch.undo()
    run_to_end(scheduler)
    endings = {who: what for who, what in delivered if not isinstance(what, Piece)}
    assert endings[newer].code == "out_of_memory" and isinstance(endings[older], Finished)


def _hear(said: dict[Request, str], batch: list) -> None:
    for request, output in batch:
        said[request] = said.get(request, "") + getattr(output, "text", "")


def test_a_vision_tower_that_is_slow_stops_running_answers_no_longer_than_they_may_wait(model, prompt, monkeypatch):
    scheduler = scheduler_of(model, lambda batch: None)
    runs = Request(prompt(model, "Hello"), greedy(200, ignore_eos=True))
    scheduler.submit(runs)
    for _ in range(4):
        scheduler.step()
    looks, look = [], model.look

    def slow(*asked):
        looks.append(len(runs.tokens))
        time.sleep(0.6 * LONGEST_PAUSE)
        return look(*asked)

    monkeypatch.setattr(model, "look", slow)
    for number in range(6):
        scheduler.submit(Request(prompt(model, "What is this?", 70 + 2 * number, 71 + 2 * number), greedy(2)))
    run_to_end(scheduler)
    assert len(looks) >= 8 and max(Counter(looks).values()) == 2


def test_a_step_that_breaks_fails_its_requests_and_not_the_worker(model, prompt, monkeypatch):
    delivered: list = []
    scheduler = scheduler_of(model, delivered.extend)
    older, newer = (Request(prompt(model, "Hello"), greedy(6, ignore_eos=True)) for _ in range(2))
    scheduler.submit(older)
    scheduler.submit(newer)
    scheduler.step()
    with monkeypatch.context() as patch:
        patch.setattr(model, "decode", _Raises(torch.OutOfMemoryError()))
        scheduler.step()
    assert (newer, "out_of_memory") in [(who, getattr(what, "code", None)) for who, what in delivered]
    assert scheduler.running == 1, "only the newest makes room"
    run_to_end(scheduler)
    assert delivered[-1][0] is older and isinstance(delivered[-1][1], Finished)


class _Raises:
    """Stands in for a model method that fails with one kind of error."""

    def __init__(self, error: Exception):
        self.error = error

    def __call__(self, *_):
        raise self.error


@pytest.mark.parametrize(("error", "steps"), [(torch.AcceleratorError("sticky"), 1), (RuntimeError("odd"), 3)])
def test_a_device_that_stays_broken_ends_the_worker_and_every_request_hears_of_it(
    model, prompt, monkeypatch, error, steps
):
    delivered: list = []
    scheduler = scheduler_of(model, delivered.extend)
    monkeypatch.setattr(model, "decode", _Raises(error))
    asked = []
    for step in range(1, steps + 1):
        asked.append(Request(prompt(model, "Hello"), greedy(9, ignore_eos=True)))
        scheduler.submit(asked[-1])
        if step < steps:
            scheduler.step()
        else:
            with pytest.raises(type(error)):
                scheduler.step()
    endings = [(who, what.code) for who, what in delivered if isinstance(what, Broken)]
    assert endings == [(request, "internal") for request in asked]


@pytest.mark.parametrize(("method", "images"), [("extend", ()), ("look", (90,))])
def test_a_prompt_that_breaks_its_own_prefill_harms_nobody_else(model, prompt, monkeypatch, method, images):
    delivered: list = []
    scheduler = scheduler_of(model, delivered.extend)
    good, bad = (Request(prompt(model, "Hello", *seeds), greedy(6, ignore_eos=True)) for seeds in ((), images))
    scheduler.submit(good)
    scheduler.step()
    scheduler.submit(bad)
    with monkeypatch.context() as patch:
        patch.setattr(model, method, _Raises(ValueError("image tokens")))
        patch.setattr(model, "extend_beside", _Raises(ValueError("image tokens")))
        scheduler.step()
    run_to_end(scheduler)
    endings = {who: what for who, what in delivered if not isinstance(what, Piece)}
    assert endings[bad].code == "internal" and isinstance(endings[good], Finished)
