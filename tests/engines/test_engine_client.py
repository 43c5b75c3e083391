"""An answer that nobody waits for is stopped at its engine; an engine that falls silent is waited for no longer."""

import asyncio
from contextlib import aclosing

import pytest

from medserver.engine.base import End
from medserver.engine.client import FULL, MUTE, SILENT
from medserver.engine.dialect import OURS, PLAIN, SGLANG, VLLM
from medserver.engine.patience import Patience
from medserver.errors import EngineLost, Problem
from tests.engines.asking import client_of, heard, said
from tests.engines.upstreams import HI, Sglang, Wire, answered, ask, event
from tests.front import until
from tests.scripted import run

BY_ID = [(Wire, VLLM, "request_id"), (Sglang, SGLANG, "rid"), (Wire, PLAIN, None)]


@pytest.mark.parametrize(("kind", "dialect", "field"), BY_ID)
def test_closing_the_stream_stops_the_work_by_id_too_where_there_is_a_way(kind, dialect, field):
    async def scene():
        wire = kind([event({"content": "a"}), asyncio.Event()])
        async with client_of(wire, dialect) as client:
            async with aclosing(client.stream(ask())) as stream:
                await anext(stream)
                assert wire.running == 1
            await until(lambda: wire.running == 0)
            if field:
                await until(lambda: wire.aborted)
            assert wire.aborted == ([wire.bodies[0][field]] if field else [])
            await said(client)
            assert len(wire.aborted) == bool(field), "an answer that has ended needs no abort"

    run(scene())


@pytest.mark.parametrize(("kind", "dialect", "field"), BY_ID)
def test_who_leaves_with_the_end_in_hand_aborts_nothing(kind, dialect, field):
    async def scene():
        wire = kind(answered(*HI), answered(*HI))
        async with client_of(wire, dialect) as client:
            async with aclosing(client.stream(ask())) as stream:
                async for item in stream:
                    if isinstance(item, End):
                        break
            await said(client)
            await asyncio.sleep(0.1)
            assert len(wire.bodies) == 2 and not wire.aborted

    run(scene())


def test_cancelling_who_waits_aborts_too():
    async def scene():
        wire = Sglang([asyncio.Event()])
        async with client_of(wire, SGLANG) as client:
            task = asyncio.create_task(said(client))
            await until(lambda: wire.running)
            task.cancel()
            await until(lambda: wire.aborted and not wire.running)

    run(scene())


@pytest.mark.parametrize(
    "frames",
    [
        [30],
        [event({"role": "assistant"}), 30],
        [event({"content": "a"}), 30],
        [event({"content": "a"}), b": ping\n", 30],
    ],
)
def test_silence_is_an_engine_lost(frames):
    with pytest.raises(EngineLost):
        heard(Wire(frames), patience=Patience(0.3, 0.2))


@pytest.mark.parametrize(
    ("given", "dialect", "why"),
    [
        ([30], VLLM, MUTE),  # not even a head
        ([event({"role": "assistant"}), 30], VLLM, MUTE),
        ([event({"content": "a"}), 30], VLLM, SILENT),
        ((500, {"error": {"message": "CUDA out of memory"}}), VLLM, FULL),
        ([event({"content": "a"}), event(error={"message": "CUDA out of memory", "code": 500})], SGLANG, FULL),
        ((507, {"error": {"message": "x", "code": "out_of_memory"}}), OURS, None),  # its other answers go on
        ((400, {"error": {"message": "x", "code": 400}}), VLLM, None),
        ([event({"content": "a"}), None], VLLM, None),  # its end is seen by who keeps it
    ],
)
def test_what_an_engine_is_not_left_running_for(given, dialect, why):
    async def scene() -> list[str]:
        failing = []
        async with client_of(Wire(given), dialect, Patience(0.3, 0.2), failing.append) as client:
            with pytest.raises(Problem):
                await said(client)
        return failing

    assert run(scene()) == ([why] if why else [])


def test_an_answer_that_has_begun_is_waited_for_less_long():
    with pytest.raises(EngineLost):
        heard(Wire([event({"content": "a"}), asyncio.Event()]), patience=Patience(60, 0.2))


def test_an_answer_may_begin_late_and_a_comment_is_a_sign_of_life():
    slow = [event({"role": "assistant"}), 0.3, event({"content": "a"}), *[0.25, b": ping\n"] * 4, *answered("b")]
    assert heard(Wire(slow), patience=Patience(2.0, 0.8))[0] == "ab"
