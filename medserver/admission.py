"""Who may have an answer now: a cap per client, then a queue for the slots, fair between clients. It knows no HTTP.

async with admission.enter(client) as ticket:   TooMany or Unavailable is raised here, at once
    ...                                         the body may arrive slowly: no slot is taken yet
    async for ahead in ticket.turn():           lines up; how many are ahead, whenever that changes
        ...
    ...                                         the slot is ours
                                                and every ending gives it back
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from types import TracebackType

from medserver.errors import TooMany, Unavailable
from medserver.flag import Flag

# An answer takes seconds to a minute: a client that tries again sooner only meets the same refusal.
RETRY_SECONDS = 5


class Ticket:
    """One admitted request. A context manager: entering twice is a mistake, leaving gives back what it held."""

    def __init__(self, admission: "Admission", client: str):
        self._admission = admission
        self.client = client
        self.moved = Flag()

    async def turn(self) -> AsyncIterator[int]:
        """Line up, and yield how many are ahead, now and at each change; ends when the slot is ours.

        Raises:
            Unavailable: there is no place for it, or none any more.
        """
        self._admission.line_up(self)
        said: int | None = None
        while not self._admission.holds_slot(self):
            self.moved.clear()
            if said != (ahead := self._admission.ahead_of(self)):
                said = ahead
                yield ahead
            await self.moved.wait()

    async def __aenter__(self) -> "Ticket":
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._admission.leave(self)


class Admission:
    """`per_client` tickets per client, `slots` of them at work, `queue` more waiting.

    A slot goes to the client who has the fewest, and between equals to who came first: a script that asks ten
    questions at once does not hold up a ward that asks one. Nobody waits for ever, since answers end. Places go the
    same way: where the queue is full, a newcomer takes the place of who would have had the last turn.

    `slots` is asked each time: another engine may take over, and work on more or fewer answers at a time.
    """

    def __init__(self, *, per_client: int, slots: Callable[[], int], queue: int):
        self._per_client = per_client
        self._slots = slots
        self._queue = queue
        self._clients: Counter[str] = Counter()
        self._tickets: set[Ticket] = set()
        self._active: set[Ticket] = set()
        self._waiting: list[Ticket] = []  # in the order of arrival
        self.idle = asyncio.Event()  # set while nobody is at work
        self.idle.set()

    @property
    def active(self) -> int:
        return len(self._active)

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def enter(self, client: str) -> Ticket:
        """Take one of the client's places; the slot is a matter of `Ticket.turn`.

        Raises:
            TooMany: this client already has as many answers running or waiting as it may.
            Unavailable: the queue is full of clients who have no more than this one.
        """
        if self._clients[client] >= self._per_client:
            raise TooMany(
                f"You already have {self._clients[client]} answer(s) running. Stop one or wait until it has ended.",
                code="too_many_streams",
                retry_after=RETRY_SECONDS,
            )
        if not self._has_room(client):
            raise _full()
        ticket = Ticket(self, client)
        self._clients[client] += 1
        self._tickets.add(ticket)
        return ticket

    def line_up(self, ticket: Ticket) -> None:
        """Stand in the queue for a slot; one place too many is taken from who would have had the last turn.

        Raises:
            Unavailable: that is this very ticket.
        """
        self._waiting.append(ticket)
        self._advance()
        if self.waiting > self._queue:
            *_, last = self._line()
            self._waiting.remove(last)
            last.moved.set()
            if last is ticket:
                raise _full()

    def _has_room(self, client: str) -> bool:
        if self.active < self._slots() or self.waiting < self._queue:
            return True
        held = Counter(ticket.client for ticket in (*self._active, *self._waiting))
        latest = max((held[ticket.client] for ticket in self._waiting), default=0) - 1  # the rank of the last turn
        return held[client] < latest

    def leave(self, ticket: Ticket) -> None:
        """Give the place back; leaving twice changes nothing."""
        if ticket not in self._tickets:
            return
        self._tickets.remove(ticket)
        self._active.discard(ticket)
        if ticket in self._waiting:
            self._waiting.remove(ticket)
        self._clients[ticket.client] -= 1
        if not self._clients[ticket.client]:
            del self._clients[ticket.client]  # the table would grow with every address
        self._advance()

    def holds_slot(self, ticket: Ticket) -> bool:
        return ticket in self._active

    def ahead_of(self, ticket: Ticket) -> int:
        """How many would have a slot before it.

        Raises:
            Unavailable: it has lost its place.
        """
        if ticket not in self._waiting:
            raise _full()
        return self._line().index(ticket)

    def _line(self) -> list[Ticket]:
        """Who waits, in the order in which slots would go to them if nobody left."""
        ranks = self._ranks()
        return sorted(self._waiting, key=ranks.__getitem__)  # keeps the order of arrival within a rank

    def _ranks(self) -> dict[Ticket, int]:
        """For each who waits how many answers its client has before this one, at work or waiting."""
        held = Counter(ticket.client for ticket in self._active)
        ranks: dict[Ticket, int] = {}
        for ticket in self._waiting:
            ranks[ticket] = held[ticket.client]
            held[ticket.client] += 1
        return ranks

    def _advance(self) -> None:
        while self._waiting and len(self._active) < self._slots():
            ticket = self._line()[0]
            self._waiting.remove(ticket)
            self._active.add(ticket)
            ticket.moved.set()
        for ticket in self._waiting:
            ticket.moved.set()
        if self._active:
            self.idle.clear()
        else:
            self.idle.set()


def _full() -> Unavailable:
    return Unavailable(
        "The server is fully occupied. Please try again shortly.", code="queue_full", retry_after=RETRY_SECONDS
    )
