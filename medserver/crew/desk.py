"""Gives out to the web workers what there is one of, and takes back what a worker held when it has gone.

Everything is decided here, in one process and in the order in which it is asked: so each limit holds over all workers.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from medserver.admission import Ticket
from medserver.audit.account import Account
from medserver.crew.common import Common
from medserver.crew.line import Line, packed, packed_problem, unpacked
from medserver.engine.host import EngineHost
from medserver.errors import Problem


class Desk:
    """One window for each worker."""

    def __init__(self, common: Common):
        self.common = common
        self._windows: set[Window] = set()
        self._told = self.queue
        if isinstance(common.host, EngineHost):
            common.host.on_change = lambda: self.tell("standing", standing=packed(common.host.standing))

    def open(self, on_serving: Callable[[], None]) -> "Window":
        """A window for a new worker; `on_serving` is called when it serves."""
        window = Window(self, on_serving)
        self._windows.add(window)
        return window

    def closed(self, window: "Window") -> None:
        self._windows.discard(window)
        self.note_queue()

    @property
    def queue(self) -> dict[str, int]:
        return {"active": self.common.admission.active, "waiting": self.common.admission.waiting}

    def note_queue(self) -> None:
        """Tell all workers how many are at work and waiting, where that has changed."""
        if self.queue != self._told:
            self._told = self.queue
            self.tell("queue", **self._told)

    def tell(self, kind: str, **fields: Any) -> None:
        for window in self._windows:
            window.line.tell(kind, **fields)


class Window:
    """What one worker asks, and the tickets it holds."""

    def __init__(self, desk: Desk, on_serving: Callable[[], None]):
        common = desk.common
        hear = {
            "serving": on_serving,
            "enter": self._enter,
            "line_up": self._line_up,
            "leave": self._leave,
            "hit": common.rate.hit,
            "account": self._account,
            "figures": self._figures,
            "offer": common.entrance.offer,
            "failing": common.host.failing if isinstance(common.host, EngineHost) else None,
            "log": _log,
        }
        self.line = Line(hear, self._lost)
        self.left = asyncio.Event()
        self._desk = desk
        self._tickets: dict[int, Ticket] = {}
        self._turns: dict[int, asyncio.Task] = {}
        self.line.tell("queue", **desk.queue)

    def _enter(self, ticket: int, client: str) -> None:
        self._tickets[ticket] = self._desk.common.admission.enter(client)

    def _line_up(self, ticket: int) -> None:
        self._turns[ticket] = asyncio.create_task(self._wait(ticket, self._tickets[ticket]))

    async def _wait(self, number: int, ticket: Ticket) -> None:
        try:
            async for ahead in ticket.turn():
                self.line.tell("place", ticket=number, ahead=ahead)
                self._desk.note_queue()
        except Problem as problem:
            self.line.tell("place", ticket=number, refused=packed_problem(problem))
            return
        self.line.tell("place", ticket=number)
        self._desk.note_queue()

    def _leave(self, ticket: int) -> None:
        if turn := self._turns.pop(ticket, None):
            turn.cancel()
        if held := self._tickets.pop(ticket, None):
            self._desk.common.admission.leave(held)
        self._desk.note_queue()

    def _account(self, account: dict[str, Any]) -> None:
        told = unpacked(Account, account)
        for hear in self._desk.common.hearers:
            hear(told)

    async def _figures(self) -> str:
        return (await self._desk.common.metrics.text()).decode()

    def _lost(self) -> None:
        """The worker has gone, and leaves everything."""
        for ticket in list(self._tickets):
            self._leave(ticket)
        self._desk.closed(self)
        self.left.set()


def _log(name: str, level: int, text: str) -> None:
    logging.getLogger(name).log(level, "%s", text)
