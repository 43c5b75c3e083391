"""A chat through the whole house: who leaves, is refused or never comes whole holds nothing."""

import asyncio
import logging

import pytest

from medserver.errors import Unavailable
from tests.front import app_with, chat, frames, until
from tests.scripted import Exchange, ended, run, turns

CANARY = "CANARY-7731"


def test_a_chat_goes_through_the_whole_house_and_leaves_nothing_behind():
    async def scene():
        app, house, engine = app_with(["The ", "heart", ended()])
        exchange = chat(CANARY)
        await exchange.of(app)
        assert [one.get("token") for one in frames(exchange.body)[:2]] == ["The ", "heart"]
        assert frames(exchange.body)[-1] == "[DONE]"
        assert (house.admission.active, house.admission.waiting, engine.open) == (0, 0, 0)

    run(scene())


def test_an_engine_that_is_loading_is_a_refusal_before_anything_is_read():
    async def scene():
        problem = Unavailable("The model is still loading.", code="loading", retry_after=5)
        app, house, _ = app_with(problem=problem)
        exchange = Exchange(None, path="/api/chat")
        await exchange.of(app)
        assert (exchange.status, exchange.headers["retry-after"]) == (503, "5")
        assert house.admission.active == 0

    run(scene())


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_leaves_in_mid_answer_frees_the_slot_and_stops_the_engine(stream):
    async def scene():
        app, house, engine = app_with(["a", asyncio.Event()])
        exchange = chat(CANARY, stream=stream)
        task = exchange.of(app)
        await until(lambda: engine.open)
        assert house.admission.active == 1
        exchange.left.set()
        await turns(20)
        assert task.done()
        assert (house.admission.active, engine.open) == (0, 0)

    run(scene())


def test_a_client_that_leaves_the_queue_gives_its_place_to_the_next(monkeypatch):
    monkeypatch.setattr("tests.scripted.SLOTS", 1)

    async def scene():
        go_on = asyncio.Event()
        app, house, engine = app_with(["a", go_on, ended()], ["c", ended()])
        first, second, third = (chat(CANARY, client=f"192.0.2.{n}") for n in (1, 2, 3))
        tasks = [first.of(app)]
        await until(lambda: engine.open)
        tasks.append(second.of(app))
        await until(lambda: house.admission.waiting == 1)
        tasks.append(third.of(app))
        await until(lambda: b'{"queue":1}' in third.body)
        assert frames(second.body)[0] == {"queue": 0}
        second.left.set()
        await until(lambda: b'{"queue":0}' in third.body)
        assert (house.admission.active, house.admission.waiting) == (1, 1)
        go_on.set()
        await asyncio.gather(*tasks)
        assert frames(third.body)[-1] == "[DONE]" and {"token": "c"} in frames(third.body)
        assert (house.admission.active, house.admission.waiting) == (0, 0)

    run(scene())


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 422), (b'{"messages": []}', 422), (b'{"messages":[{"role":"user","content":"x"}]}', 400)],
)
def test_a_chat_that_is_refused_gives_its_place_back(body, status):
    async def scene():
        app, house, _ = app_with(max_conversation_length=0)
        exchange = Exchange(body, path="/api/chat")
        await exchange.of(app)
        assert (exchange.status, house.admission.active) == (status, 0)

    run(scene())


def test_a_client_that_leaves_while_it_sends_gives_its_place_back():
    async def scene():
        app, house, _ = app_with()
        exchange = Exchange(None, path="/api/chat")
        task = exchange.of(app)
        await turns(20)
        exchange.left.set()
        await asyncio.gather(task, return_exceptions=True)
        assert (house.admission.active, house.admission.waiting) == (0, 0)

    run(scene())


def test_a_client_that_leaves_while_it_sends_is_no_fault_of_the_servers(caplog):
    async def scene():
        app, *_ = app_with()
        exchange = Exchange(None, path="/api/chat")
        task = exchange.of(app)
        await turns(20)
        exchange.left.set()
        await task

    with caplog.at_level(logging.ERROR):
        run(scene())
    assert not caplog.records


def test_a_request_that_never_arrives_whole_holds_no_slot(monkeypatch):
    monkeypatch.setattr("tests.scripted.SLOTS", 1)

    async def scene():
        app, _house, _ = app_with(["a", ended()])
        slow, quick = Exchange(None, path="/api/chat", client="192.0.2.66"), chat(CANARY)
        waiting = slow.of(app)
        await turns(20)
        await quick.of(app)
        assert quick.status == 200 and not waiting.done()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)

    run(scene())
