"""Keeps an engine running: starts it again when it ends, takes the next one when it is given up, says how it stands.

It does not know chats. `engine()` gives the running engine or raises; nothing here ever ends the front.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from medserver.config import ENGINE_SLOTS
from medserver.engine.base import Engine, EngineRow, Reach
from medserver.engine.life import Life, Loading, Lost, StartFailed
from medserver.engine.select import Selection
from medserver.engine.supply import Rows, Supply, bring
from medserver.errors import Unavailable
from medserver.parse import BadSetting

log = logging.getLogger("medserver.engine")

State = Literal["starting", "loading", "ready", "restarting", "failed", "stopped"]

BACKOFF = (0.2, 1.0, 3.0, 10.0, 30.0)  # seconds before the next start, by how many in a row have not lasted
STABLE_SECONDS = 60.0  # an engine that lives so long after its start has lasted
SUPPLY_SECONDS = 60.0  # before weights that could not be had are asked for again
CRASHES = 5  # lives in a row that did not last, after which the next candidate takes over


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """`why`: the sentence of the last failure. `tried`: (name, why) of what was passed over or given up."""

    name: str
    state: State = "starting"
    loading: Loading | None = None
    restarts: int = 0
    why: str | None = None
    tried: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """How an engine stands and how it is asked, for who does not keep it. `reach` None: there is nothing to ask."""

    status: EngineStatus
    models: tuple[str, ...]
    slots: int
    reach: Reach | None = None


def absent(status: EngineStatus) -> Unavailable:
    """Why there is no engine to ask."""
    if status.state == "failed":
        return Unavailable("No engine is running. The page's status says why.", retry_after=60)
    return Unavailable("The model is still loading. Please try again shortly.", code="loading", retry_after=5)


class EngineHost:
    """`rows`: how to make each engine that `selection` may name, or what brings the weights and knows the rows then.

    `model_id`: what an engine is asked for.
    """

    def __init__(self, selection: Selection, rows: Rows | Supply, model_id: str):
        self._selection = selection
        self._rows = rows
        self._model_id = model_id
        self._engine: Engine | None = None
        self._reach: Reach | None = None
        self._life: Life | None = None
        self._task: asyncio.Task | None = None
        self.on_change: Callable[[], None] = lambda: None
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
        if self._engine is None:
            raise absent(self.status)
        return self._engine

    @property
    def models(self) -> tuple[str, ...]:
        """The ids that can be asked for."""
        return (self._model_id,)

    @property
    def slots(self) -> int:
        """How many answers the running engine works on at a time."""
        return self._engine.facts.slots if self._engine else ENGINE_SLOTS

    @property
    def standing(self) -> Standing:
        """All that another process needs to know to ask the engine; `on_change` is called when it may have changed."""
        return Standing(self.status, self.models, self.slots, self._reach)

    def failing(self, port: int, why: str) -> None:
        """Another process has found that the engine on `port` cannot be left as it is."""
        if self._life and self._reach and self._reach.port == port:
            self._life.end(why)

    async def _keep(self) -> None:
        rows = await self._supplied(self._rows) if isinstance(self._rows, Supply) else self._rows
        *_, last = self._selection.candidates
        for candidate in self._selection.candidates:
            self._change(name=candidate.name, state="starting", why=None)
            why = await self._keep_one(rows[candidate.name](), for_good=candidate is last)
            log.error("%s is given up: %s", candidate.name, why)
            self._change(why=why, loading=None, tried=(*self.status.tried, (candidate.name, why)))
        self._change(state="failed")

    async def _supplied(self, supply: Supply) -> Rows:
        """The rows, once the weights are here. What kept them away may be mended meanwhile, so it tries again."""
        while True:
            self._change(state="loading", loading=None)
            try:
                return supply.rows(await bring(supply.launch(), lambda loading: self._change(loading=loading)))
            except (Lost, BadSetting) as reason:
                log.error("the weights are not here: %s Trying again in %.0f s.", reason, SUPPLY_SECONDS)
                self._change(state="failed", loading=None, why=str(reason))
            await asyncio.sleep(SUPPLY_SECONDS)

    async def _keep_one(self, row: EngineRow, *, for_good: bool) -> str:
        """Run one engine again and again; returns why it is given up, which `for_good` keeps it from once it ran."""
        failures, unready, restarts = 0, 0, 0
        while True:
            started = time.monotonic()
            self._change(state="restarting" if restarts else "loading")
            try:
                ready, why = await self._live(row)
            except StartFailed as reason:
                return str(reason)
            failures = 0 if ready and time.monotonic() - started > STABLE_SECONDS else failures + 1
            unready = 0 if ready else unready + 1
            if unready >= row.attempts:
                return why
            if failures >= CRASHES and not for_good:
                return f"It ended {failures} times in a row soon after its start. The last time: {why}"
            restarts += 1
            self._change(state="restarting", loading=None, why=why, restarts=self.status.restarts + 1)
            log.warning("%s is started again: %s", row.name, why)
            await asyncio.sleep(BACKOFF[min(failures, len(BACKOFF)) - 1] if failures else 0)

    async def _live(self, row: EngineRow) -> tuple[bool, str]:
        """One life; whether the engine ever became ready, and why it ended.

        Raises:
            StartFailed: it never did, and another try would not help.
        """
        self._life = Life(row, self._model_id, lambda loading: self._change(loading=loading), self._begin)
        try:
            why = await self._life.run()
        except StartFailed:
            raise
        except Lost as reason:
            why = str(reason)
        except Exception as error:  # garbage on its wire, a port that was taken: as good as a failed start
            log.error("%s failed while starting: %s", row.name, type(error).__name__)
            why = "The engine could not be started."
        finally:
            ready, self._engine, self._reach = self._engine is not None, None, None
        return ready, why

    def _begin(self, engine: Engine, reach: Reach) -> None:
        self._engine, self._reach = engine, reach
        self._change(state="ready", loading=None, why=None)
        log.info("%s is ready", self.status.name)

    def _change(self, **fields) -> None:
        self.status = replace(self.status, **fields)
        self.on_change()
