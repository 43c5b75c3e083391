"""What goes over the line arrives as it was; and what was asked is answered, or refused as it would be at home."""

import asyncio
import json
import logging
import socket

import pytest

from medserver import logs
from medserver.access.client import salt_of
from medserver.audit.account import Account
from medserver.config import Settings
from medserver.crew.leased import Orders
from medserver.crew.line import Line, packed, unpacked
from medserver.engine.base import EngineFacts, Reach
from medserver.engine.dialect import SGLANG
from medserver.engine.host import EngineStatus, Standing
from medserver.engine.life import Loading
from medserver.engine.patience import OWN
from medserver.errors import Problem, TooMany
from medserver.events import Done, Timings, Usage
from medserver.hardware import probe
from medserver.models import ThinkingMarkers
from medserver.weights import serving_for
from tests.front import until
from tests.scripted import run
from tests.test_config import SPEC

CHOSEN = {name: value for _, name, _, _, value in SPEC if name not in ("engine", "model")}
FACTS = EngineFacts(True, 8192, "cuda", "bfloat16", None, 1.5, (100, 101), 8)
STANDING = Standing(
    EngineStatus("vllm", "ready", Loading("weights", 1, 2), 3, "It ended.", (("sglang", "It is not here."),)),
    ("a", "b"),
    8,
    Reach(41234, "secret", "a", FACTS, SGLANG, OWN, ThinkingMarkers()),
)
SETTINGS = Settings(model="demo", **CHOSEN)
ORDERS = Orders(SETTINGS, serving_for(Settings(model="demo")), probe(), STANDING, None, "ab" * 16, 12.5)
ACCOUNT = Account("f00d", "POST", images=2, done=Done("stop", Usage(7, 3), Timings(12.5, None)))


@pytest.mark.parametrize("value", [ORDERS, STANDING, ACCOUNT], ids=lambda value: type(value).__name__)
def test_values_are_the_same_at_the_other_end(value):
    assert unpacked(type(value), json.loads(json.dumps(packed(value)))) == value


class Pair:
    """Two ends in one loop. `heard`: what the far one was told."""

    def __init__(self, **hear):
        self.heard: list = []
        self.lost = 0
        hear = {"note": lambda **said: self.heard.append(said)} | hear
        self.near, self.far = Line({}, self._count), Line(hear, self._count)

    def _count(self) -> None:
        self.lost += 1

    async def __aenter__(self) -> "Pair":
        for line, end in zip((self.near, self.far), socket.socketpair(), strict=True):
            await line.open(end)
        return self

    async def __aexit__(self, *_) -> None:
        await self.near.close()


def test_what_is_said_arrives_in_order_also_what_was_said_too_early_and_at_the_end():
    async def scene():
        pair = Pair()
        pair.near.tell("note", number=0, odd="\ud800\n肝")
        async with pair:
            for number in range(1, 2000):
                pair.near.tell("note", number=number)
        await until(lambda: pair.lost)
        assert [said["number"] for said in pair.heard] == list(range(2000))
        assert pair.heard[0]["odd"] == "\ud800\n肝" and pair.lost == 1, "who hangs up is told nothing of it"
        pair.far.tell("note")  # nobody is there, and that is no fault

    run(scene())


def test_questions_are_answered_at_once_or_later_and_refusals_are_what_they_were():
    async def later(number: int) -> int:
        await asyncio.sleep(0)
        return number + 1

    def no() -> None:
        raise TooMany("Not now.", code="too_many_streams", retry_after=5)

    async def scene():
        async with Pair(double=lambda number: 2 * number, later=later, no=no) as pair:
            asked = [pair.near.ask("later", number=1), pair.near.ask("double", number=4)]
            assert await asyncio.gather(*asked) == [2, 8]
            with pytest.raises(Problem) as refused:
                await pair.near.ask("no")
            found = refused.value
            assert (found.status, found.code, found.retry_after, found.sentence) == (
                429, "too_many_streams", 5, "Not now.")  # fmt: skip
            waiting = asyncio.create_task(pair.near.ask("double", number=1))
            await asyncio.sleep(0)
            waiting.cancel()
            assert await pair.near.ask("double", number=2) == 4, "an answer that nobody waits for is in nobody's way"

    run(scene())


def test_what_a_worker_logs_goes_to_its_parent_and_no_library_s_line_with_it(monkeypatch):
    root = logging.Logger("root")
    monkeypatch.setattr(logging, "root", root)
    monkeypatch.setattr(logs.logging, "getLogger", lambda *_: root)
    told = []
    logs.relay("info", told.append)
    for name in ("medserver.engine", "uvicorn.error"):
        root.handle(logging.LogRecord(name, logging.INFO, "", 0, "ready in %d s", (3,), None))
    assert [(record.name, record.getMessage()) for record in told] == [("medserver.engine", "ready in 3 s")]


def test_lines_are_told_from_other_threads_as_well():
    async def scene():
        async with Pair() as pair:
            await asyncio.to_thread(pair.near.tell_soon, "note", number=1)
            await until(lambda: pair.heard)

    run(scene())


def test_a_client_has_the_same_salt_at_all_workers_of_a_run_alone():
    assert salt_of("192.0.2.7", b"one") == salt_of("192.0.2.7", b"one") != salt_of("192.0.2.7", b"two")
    assert "192.0.2.7" not in salt_of("192.0.2.7", b"one")
