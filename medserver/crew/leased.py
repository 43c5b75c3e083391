"""A web worker's side of what its parent keeps: the surfaces that the house knows, each asking over the line."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from medserver.access.entrance import Entrance
from medserver.access.rate import RateLimit, over_hosts
from medserver.audit.account import Account
from medserver.config import Settings
from medserver.crew.common import Common
from medserver.crew.line import Line, packed, unpacked, unpacked_problem
from medserver.engine.base import Serving
from medserver.engine.host import Standing
from medserver.engine.remote import RemoteHost
from medserver.engine.shared import SharedHost
from medserver.hardware import Hardware

if TYPE_CHECKING:
    from medserver.access.tls import Tls


@dataclass(frozen=True, slots=True)
class Orders:
    """What a worker is started with. `standing` None: servers elsewhere answer, which each worker watches for itself.

    `tls`: the files of a `Tls`; `salt`: in hexadecimal figures.
    """

    settings: Settings
    serving: Serving
    hardware: Hardware
    standing: Standing | None
    tls: tuple[Path, Path, Path | None] | None
    salt: str
    started: float


class LeasedTicket:
    """One place at the parent's; what `admission.Ticket` is there."""

    def __init__(self, line: Line, tickets: dict[int, "LeasedTicket"], number: int, client: str):
        self._line = line
        self._tickets = tickets
        self._number = number
        self.client = client
        self.places: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def turn(self) -> AsyncIterator[int]:
        self._line.tell("line_up", ticket=self._number)
        while "ahead" in (said := await self.places.get()):
            yield said["ahead"]
        if "refused" in said:
            raise unpacked_problem(said["refused"])

    async def __aenter__(self) -> "LeasedTicket":
        self._tickets[self._number] = self
        try:
            await self._line.ask("enter", ticket=self._number, client=self.client)
        except BaseException:
            del self._tickets[self._number]
            self._line.tell("leave", ticket=self._number)
            raise
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """Give the place back, and wait until it is: the client's next request may come to another worker."""
        del self._tickets[self._number]
        await self._line.ask("leave", ticket=self._number)


class LeasedAdmission:
    """`active` and `waiting` are of all workers."""

    def __init__(self, line: Line):
        self._line = line
        self._numbers = itertools.count(1)
        self._tickets: dict[int, LeasedTicket] = {}
        self.idle = asyncio.Event()
        self.hear_queue(0, 0)

    def enter(self, client: str) -> LeasedTicket:
        """A place for `client`, once it is entered; that raises what `admission.Admission.enter` does."""
        return LeasedTicket(self._line, self._tickets, next(self._numbers), client)

    def hear_queue(self, active: int, waiting: int) -> None:
        self.active, self.waiting = active, waiting
        if active:
            self.idle.clear()
        else:
            self.idle.set()

    def hear_place(self, ticket: int, **said: Any) -> None:
        if held := self._tickets.get(ticket):  # else its client has left meanwhile
            held.places.put_nowait(said)


class LeasedRate(RateLimit):
    def __init__(self, rate: str, line: Line):
        super().__init__(rate)
        self._line = line

    async def count(self, client: str) -> None:
        await self._line.ask("hit", client=client)


class LeasedMetrics:
    """Counted at the parent, which a worker's death takes nothing from; the audit log is written there as well."""

    def __init__(self, line: Line):
        self._line = line

    def hear(self, account: Account) -> None:
        self._line.tell("account", account=packed(account))

    async def text(self) -> bytes:
        return (await self._line.ask("figures")).encode()


class LeasedEntrance(Entrance):
    """The ledger is a file for all; the terminal is the parent's."""

    def __init__(self, settings: Settings, line: Line):
        super().__init__(settings)
        self._line = line

    async def offer(self, *, again: bool = False) -> None:
        await self._line.ask("offer", again=again)


def leased(orders: Orders, line: Line, heard: dict[str, Callable[..., Any]]) -> Common:
    """What the parent keeps, as the house of a worker sees it; `heard` is given what each message does."""
    settings = orders.settings
    salt = bytes.fromhex(orders.salt)
    admission = LeasedAdmission(line)
    heard |= {"queue": admission.hear_queue, "place": admission.hear_place}
    return Common(
        hardware=orders.hardware,
        host=_host(orders, line, heard, salt),
        admission=admission,
        rate=over_hosts(LeasedRate(settings.rate_limit, line), settings.rate_limit, settings.rate_limit_store),
        metrics=LeasedMetrics(line),
        entrance=LeasedEntrance(settings, line),
        journal=None,
        tls=_tls(orders),
        salt=salt,
        started=orders.started,
    )


def _host(orders: Orders, line: Line, heard: dict[str, Callable[..., Any]], salt: bytes) -> SharedHost | RemoteHost:
    settings = orders.settings
    if orders.standing is None:
        return RemoteHost(settings.upstream, orders.serving, settings.max_model_len, settings.upstream_key, salt)
    host = SharedHost(orders.standing, lambda port, why: line.tell("failing", port=port, why=why))
    heard["standing"] = lambda standing: host.hear(unpacked(Standing, standing))
    return host


def _tls(orders: Orders) -> "Tls | None":
    if orders.tls is None:
        return None
    from medserver.access.tls import Tls  # what it stands on is of no use without it

    return Tls(*orders.tls)
