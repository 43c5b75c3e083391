"""Requests come, wait, are cancelled and break, and nobody else is the worse for it."""

import pytest
import torch

from medserver.worker.kv import kv_bytes
from medserver.worker.request import Request
from medserver.worker.slots import BLOCK
from medserver.worker.values import Broken, Finished, Piece
from tests.worker.by_hand import LONG, Raises, greedy, run_to_end, scheduler_of


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
        assert scheduler._kv.cache.bytes <= room
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


def test_a_step_that_breaks_fails_its_requests_and_not_the_worker(model, prompt, monkeypatch):
    delivered: list = []
    scheduler = scheduler_of(model, delivered.extend)
    older, newer = (Request(prompt(model, "Hello"), greedy(6, ignore_eos=True)) for _ in range(2))
    scheduler.submit(older)
    scheduler.submit(newer)
    scheduler.step()
    with monkeypatch.context() as patch:
        patch.setattr(model, "decode", Raises(torch.OutOfMemoryError()))
        scheduler.step()
    assert (newer, "out_of_memory") in [(who, getattr(what, "code", None)) for who, what in delivered]
    assert scheduler.running == 1, "only the newest makes room"
    run_to_end(scheduler)
    assert delivered[-1][0] is older and isinstance(delivered[-1][1], Finished)


@pytest.mark.parametrize(("error", "steps"), [(torch.AcceleratorError("sticky"), 1), (RuntimeError("odd"), 3)])
def test_a_device_that_stays_broken_ends_the_worker_and_every_request_hears_of_it(
    model, prompt, monkeypatch, error, steps
):
    delivered: list = []
    scheduler = scheduler_of(model, delivered.extend)
    monkeypatch.setattr(model, "decode", Raises(error))
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
