"""Keeps an engine running: starts it, waits until it is ready, restarts it when it dies, and says how it stands.

It does not know chats. `engine()` gives the running engine or raises; nothing here ever ends the front.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import aiohttp

from medserver.engine.base import Engine, EngineRow
from medserver.engine.client import EngineClient
from medserver.engine.process import ChildProcess
from medserver.engine.select import Selection
from medserver.errors import Unavailable

log = logging.getLogger("medserver.engine")

State = Literal["starting", "loading", "ready", "restarting", "failed", "stopped"]

POLL_SECONDS = 0.1
PORT_SECONDS = 60.0  # until a child has opened its port; importing on a slow disk takes its time
PROBE = aiohttp.ClientTimeout(total=10)
SILENCE_SECONDS = 120.0  # importing torch can keep a worker from answering, but not that long
BACKOFF = (0.2, 1.0, 3.0, 10.0, 30.0)  # seconds before the next start, by how many in a row have not lasted
STABLE_SECONDS = 60.0  # an engine that lives so long after its start has lasted
STARTS = 3  # starts in a row that never became ready, after which an engine is given up


@dataclass(frozen=True, slots=True)
class Loading:
    """How far a start has come: the stage and its own progress."""

    stage: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """`why`: the sentence of the last failure. `tried`: (name, why) of what was passed over or given up."""

    name: str
    state: State = "starting"
    loading: Loading | None = None
    restarts: int = 0
    why: str | None = None
    tried: tuple[tuple[str, str], ...] = ()


class _Lost(Exception):
    """A start that came to nothing; the message is the sentence why. Another try may do better."""


class StartFailed(Exception):
    """The child said that it cannot start; trying again would not help. The message is its sentence."""


Rows = dict[str, Callable[[], EngineRow]]


class EngineHost:
    """`rows`: how to make each engine that `selection` may name. `model_id`: what it is asked for."""

    def __init__(self, selection: Selection, rows: Rows, model_id: str):
        self._selection = selection
        self._rows = rows
        self._model_id = model_id
        self._engine: Engine | None = None
        self._task: asyncio.Task | None = None
        tried = tuple((one.name, one.why) for one in selection.passed_over)
        self.status = EngineStatus(selection.candidates[0].name, tried=tried)

    def start(self) -> None:
        self._task = asyncio.create_task(self._keep())

    async def close(self) -> None:
        """End the engine and everything it started."""
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._change(state="stopped")

    def engine(self) -> Engine:
        """The running engine.

        Raises:
            Unavailable: it is loading, or it is down.
        """
        if self._engine is not None:
            return self._engine
        if self.status.state == "failed":
            raise Unavailable("No engine is running. The page's status says why.", retry_after=60)
        raise Unavailable("The model is still loading. Please try again shortly.", code="loading", retry_after=5)

    async def _keep(self) -> None:
        for candidate in self._selection.candidates:
            self._change(name=candidate.name, state="starting")
            await self._keep_one(self._rows[candidate.name]())
            self._change(tried=(*self.status.tried, (candidate.name, self.status.why or "")))
        self._change(state="failed", loading=None)

    async def _keep_one(self, row: EngineRow) -> None:
        """Run one engine again and again; returns when it is given up."""
        failures = 0
        while True:
            started = time.monotonic()
            try:
                ready = await self._run(row)
            except StartFailed as reason:
                log.error("%s cannot start: %s", row.name, reason)
                self._change(why=str(reason))
                return
            except Exception as error:  # garbage on its wire, a port that was taken: as good as a failed start
                log.error("%s failed while starting: %s", row.name, type(error).__name__)
                self._change(why="The engine could not be started.")
                ready = False
            lasted = ready and time.monotonic() - started > STABLE_SECONDS
            failures = 0 if lasted else failures + 1
            if not ready and failures >= STARTS:
                return
            self._change(state="restarting", loading=None, restarts=self.status.restarts + 1)
            log.warning("%s ended; it is started again", row.name)
            await asyncio.sleep(BACKOFF[min(failures, len(BACKOFF)) - 1] if failures else 0)

    async def _run(self, row: EngineRow) -> bool:
        """One life of an engine, until it ends; returns whether it ever became ready."""
        launch = row.launch()
        child = await ChildProcess.start(launch.argv, launch.first_line)
        try:
            port = await self._port(child)
            headers = {"Authorization": f"Bearer {launch.secret}", "Content-Type": "application/json"}
            # Answers last as long as they last, and a stream's connection is closed to stop its work.
            async with aiohttp.ClientSession(
                f"http://127.0.0.1:{port}",
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=5),
                connector=aiohttp.TCPConnector(limit=0),
                trust_env=False,
            ) as session:
                return await self._serve(row, child, session)
        except _Lost as reason:
            self._change(why=str(reason))
            return False
        finally:
            self._engine = None
            await child.stop()

    @staticmethod
    async def _port(child: ChildProcess) -> int:
        try:
            said = await asyncio.wait_for(child.said(), PORT_SECONDS)
        except asyncio.TimeoutError:
            raise _Lost("The engine did not open its port in time.") from None
        if said is None:
            raise _Lost("The engine ended while it was starting.")
        if "failed" in said:
            raise StartFailed(said["failed"])
        return said["port"]

    async def _serve(self, row: EngineRow, child: ChildProcess, session: aiohttp.ClientSession) -> bool:
        self._change(state="loading" if self.status.restarts == 0 else "restarting")
        ended = asyncio.create_task(self._ended(child))
        becoming = asyncio.create_task(self._until_ready(row, session))
        try:
            await asyncio.wait({ended, becoming}, return_when=asyncio.FIRST_COMPLETED)
            if not becoming.done():
                await ended
                raise _Lost("The engine ended while it was loading.")
            self._engine = becoming.result()
            self._change(state="ready", loading=None, why=None)
            log.info("%s is ready", row.name)
            await asyncio.wait({ended})
            self._change(why="The engine ended unexpectedly.")
            return True
        finally:
            for task in (ended, becoming):
                task.cancel()
            await asyncio.gather(ended, becoming, return_exceptions=True)

    @staticmethod
    async def _ended(child: ChildProcess) -> None:
        """Wait until the child is gone; a reason it gives while it loads makes the failure final."""
        while said := await child.said():
            if "failed" in said:
                raise StartFailed(said["failed"])
        await child.ended()

    async def _until_ready(self, row: EngineRow, session: aiohttp.ClientSession) -> Engine:
        heard = time.monotonic()
        while True:
            with contextlib.suppress(aiohttp.ClientError, asyncio.TimeoutError):
                async with session.get(row.ready_path, timeout=PROBE) as response:
                    heard = time.monotonic()
                    if response.status == 200:
                        break
                    self._note_progress(await response.json())
            if time.monotonic() - heard > SILENCE_SECONDS:
                raise _Lost("The engine stopped answering while it was loading.")
            await asyncio.sleep(POLL_SECONDS)
        async with session.get("/v1/models", timeout=PROBE) as response:
            [model] = (await response.json())["data"]
        return EngineClient(session, self._model_id, row.describe(model))

    def _note_progress(self, said: dict) -> None:
        if "stage" in said:
            self._change(loading=Loading(said["stage"], said["done"], said["total"]))

    def _change(self, **fields) -> None:
        self.status = replace(self.status, **fields)
