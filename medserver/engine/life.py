"""One life of an engine: started, loaded, tested, watched until it ends; it knows no other engine and no other life."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from medserver.engine.base import Engine, EngineFacts, EngineRow, Reach
from medserver.engine.client import engine_at
from medserver.engine.connector import open_session
from medserver.engine.listing import PROBE, entries, marker_ids
from medserver.engine.process import ChildProcess
from medserver.engine.self_test import SelfTestFailed, self_test

POLL_SECONDS = 0.1
PORT_SECONDS = 60.0  # until a child has opened its port; importing on a slow disk takes its time
WATCH_SECONDS = 2.0  # between two probes of one that is ready
WATCH_PROBE = aiohttp.ClientTimeout(total=3)
WATCH_FAILURES = 3  # probes in a row without an answer, after which it counts as hung

_BROKEN = (aiohttp.ClientError, ConnectionError, asyncio.TimeoutError)


@dataclass(frozen=True, slots=True)
class Loading:
    """How far a start has come: the stage and its own progress."""

    stage: str
    done: int
    total: int


class Lost(Exception):
    """A start that came to nothing; the message is the sentence why. Another try may do better."""


class StartFailed(Exception):
    """It cannot start, and trying again would not help. The message is the sentence why."""


class Life:
    """`on_loading` hears how far it has come, `on_ready` gets the engine and its `Reach` once it may be asked."""

    def __init__(
        self,
        row: EngineRow,
        model_id: str,
        on_loading: Callable[[Loading], None],
        on_ready: Callable[[Engine, Reach], None],
    ):
        self._row = row
        self._model_id = model_id
        self._on_loading = on_loading
        self._on_ready = on_ready
        self._heard = time.monotonic()
        self._failing = asyncio.Event()
        self._why = ""

    def end(self, why: str) -> None:
        """Who asks it has found that it cannot be left as it is."""
        self._why = self._why or why
        self._failing.set()

    async def run(self) -> str:
        """From the start to the end, after which nothing of it is left; returns why it ended, having been ready.

        Raises:
            Lost, StartFailed: it never was.
        """
        launch = self._row.launch()
        child = await ChildProcess.start(launch.argv, launch.first_line)
        session: aiohttp.ClientSession | None = None
        try:
            port = await self._port(child)
            session = open_session(f"http://127.0.0.1:{port}", {"Authorization": f"Bearer {launch.secret}"})
            return await self._live(child, session, port, launch.secret)
        finally:
            await child.stop()  # first: aiohttp leaves whoever reads from a session that is closed waiting for ever
            if session:
                await session.close()

    @staticmethod
    async def _port(child: ChildProcess) -> int:
        try:
            said = await asyncio.wait_for(child.said(), PORT_SECONDS)
        except asyncio.TimeoutError:
            raise Lost("The engine did not open its port in time.") from None
        if said is None:
            raise Lost("The engine ended while it was starting.")
        if "failed" in said:
            raise StartFailed(said["failed"])
        return said["port"]

    async def _live(self, child: ChildProcess, session: aiohttp.ClientSession, port: int, secret: str) -> str:
        ended = asyncio.create_task(self._ended(child))
        becoming = asyncio.create_task(self._until_ready(session))
        hung = asyncio.create_task(self._hung(session, becoming))
        try:
            await asyncio.wait({ended, becoming}, return_when=asyncio.FIRST_COMPLETED)
            if not becoming.done():
                await ended
                raise Lost("The engine ended while it was loading.")
            await child.tell(b"ready\n")
            row = self._row
            reach = Reach(port, secret, self._model_id, becoming.result(), row.dialect, row.patience, row.markers)
            self._on_ready(engine_at(reach, session, self.end), reach)
            await asyncio.wait({ended, hung}, return_when=asyncio.FIRST_COMPLETED)
            return hung.result() if hung.done() else _reason_of(ended)
        finally:
            for task in (ended, becoming, hung):
                task.cancel()
            await asyncio.gather(ended, becoming, hung, return_exceptions=True)

    async def _ended(self, child: ChildProcess) -> None:
        """Wait until the child is gone; a reason it gives while it loads makes the failure final."""
        while said := await child.said():
            self._heard = time.monotonic()
            if "failed" in said:
                raise StartFailed(said["failed"])
            self._note_progress(said)
        await child.ended()

    async def _until_ready(self, session: aiohttp.ClientSession) -> EngineFacts:
        self._heard = time.monotonic()
        while not await self._answers(session):
            if time.monotonic() - self._heard > self._row.silence:
                raise Lost("The engine stopped answering while it was loading.")
            await asyncio.sleep(POLL_SECONDS)
        async with session.get("v1/models", timeout=PROBE) as response:
            [entry, *_] = entries(await response.read())
        facts = self._row.describe(entry)
        if None in facts.thinking_ids and self._row.markers:
            facts = facts.with_thinking_ids(await marker_ids(session, self._model_id, self._row.markers))
        if self._row.self_test:
            await self._test(session, facts.supports_images)
        return facts

    async def _test(self, session: aiohttp.ClientSession, images: bool) -> None:
        self._on_loading(Loading("self-test", 0, 1))
        try:
            await self_test(session, self._model_id, images=images)
        except SelfTestFailed as reason:
            raise StartFailed(str(reason)) from None

    async def _answers(self, session: aiohttp.ClientSession) -> bool:
        """Whether it is ready; what it says of its loading on the way is noted."""
        with contextlib.suppress(*_BROKEN):
            async with session.get(self._row.dialect.probe_path, timeout=PROBE) as response:
                self._heard = time.monotonic()
                if response.status == 200:
                    return True
                self._note_progress(_fields(await response.read()))
        return False

    async def _hung(self, session: aiohttp.ClientSession, ready: asyncio.Task) -> str:
        """Watch one that is ready; returns the sentence why it counts as hung, or as full."""
        await asyncio.wait({ready})
        failures = 0
        while failures < WATCH_FAILURES:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._failing.wait(), WATCH_SECONDS)
                return self._why
            failures = 0 if await _alive(session, self._row.dialect.probe_path) else failures + 1
        return "The engine stopped answering."

    def _note_progress(self, said: dict[str, Any]) -> None:
        if "stage" in said:
            self._on_loading(Loading(said["stage"], said["done"], said["total"]))


def _reason_of(ended: asyncio.Task) -> str:
    """What an engine that was ready said as it ended; garbage is no reason."""
    problem = ended.exception()
    return str(problem) if isinstance(problem, StartFailed) else "The engine ended unexpectedly."


async def _alive(session: aiohttp.ClientSession, path: str) -> bool:
    """Any answer is a sign of life; one that is overloaded may well refuse."""
    try:
        async with session.get(path, timeout=WATCH_PROBE) as response:
            return response.status < 500
    except _BROKEN:
        return False


def _fields(body: bytes) -> dict[str, Any]:
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) else {}
