"""Prompts join those that are answered, alone and together, and nobody is the worse for it."""

import time
from collections import Counter
from types import SimpleNamespace

import pytest
import torch

from medserver.worker.attention import PackedStep, PrefillStep
from medserver.worker.pace import LONGEST_PAUSE, Pace
from medserver.worker.request import Request
from medserver.worker.values import Finished, Piece, Prompt
from tests.worker.by_hand import LONG, Raises, greedy, run_to_end, scheduled, scheduler_of

WINDOW = 32  # of the tiny checkpoints


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
        patch.setattr("medserver.worker.batch.choose", Raises(torch.OutOfMemoryError()))
        monkeypatch.setattr(text_model, "extend", Raises(AssertionError("it ran beside the rows")))
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


@pytest.mark.parametrize(("method", "images"), [("extend", ()), ("look", (90,))])
def test_a_prompt_that_breaks_its_own_prefill_harms_nobody_else(model, prompt, monkeypatch, method, images):
    delivered: list = []
    scheduler = scheduler_of(model, delivered.extend)
    good, bad = (Request(prompt(model, "Hello", *seeds), greedy(6, ignore_eos=True)) for seeds in ((), images))
    scheduler.submit(good)
    scheduler.step()
    scheduler.submit(bad)
    with monkeypatch.context() as patch:
        patch.setattr(model, method, Raises(ValueError("image tokens")))
        patch.setattr(model, "extend_beside", Raises(ValueError("image tokens")))
        scheduler.step()
    run_to_end(scheduler)
    endings = {who: what for who, what in delivered if not isinstance(what, Piece)}
    assert endings[bad].code == "internal" and isinstance(endings[good], Finished)


@pytest.mark.parametrize("captured", [False, True])
def test_what_was_not_read_beside_the_rows_waits_for_the_next_step_but_for_captured_ones(
    text_model, prompt, monkeypatch, captured
):
    """Captured steps cost less than one with a prompt beside it, so they use all the time there is."""
    forwards: list[str] = []
    for name in ("extend", "extend_beside"):
        forward = getattr(text_model, name)
        monkeypatch.setattr(
            text_model, name, lambda *asked, name=name, run=forward: forwards.append(name) or run(*asked)
        )
    monkeypatch.setattr(Pace, "tokens", lambda *_, **__: 1024)
    scheduler = scheduler_of(text_model, lambda batch: None, slots=64)
    scheduler.submit(Request(prompt(text_model, "Hello"), greedy(200, ignore_eos=True)))
    for _ in range(3):
        scheduler.step()
    if captured:  # a stand-in: none runs on a CPU
        monkeypatch.setattr(text_model, "graphs", SimpleNamespace(decode=lambda *_: None))
    for _ in range(60):
        scheduler.submit(Request(prompt(text_model, "Again"), greedy(2)))
    forwards.clear()
    scheduler.step()
    assert forwards[0] == "extend_beside" and ("extend" in forwards) == captured
