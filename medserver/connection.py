"""An answer's work goes on for as long as somebody waits for it; it knows no wire.

When its client has gone, or the server goes down, the work stops and everything that was held for it is given back.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal, Protocol

from medserver import config

Receive = Callable[[], Awaitable[dict[str, Any]]]


class Line(Protocol):
    """The connection itself, where the server that took it offers it as the `medserver` extension of ASGI.

    What goes this way passes no layer, and who waits for a client to leave needs no task for it.
    """

    def put(self, data: bytes) -> bool:
        """Send a piece of a body that has begun; False where it has to be sent in the usual way."""

    def on_gone(self, leave: Callable[[], None] | None) -> None: ...


def line_of(scope) -> Line | None:
    return scope.get("extensions", {}).get("medserver")


class UnderWay:
    """The answers under way: told together that the server goes down, and kept alive together.

    `closing` is set when it does. One task does it for all of them: a task and a timer for each would only wait.
    """

    def __init__(self, closing: asyncio.Event):
        self._closing = closing
        self._answers: set[Connection] = set()
        self._watching: asyncio.Task | None = None

    def enter(self, answer: "Connection") -> None:
        answer.spoke = asyncio.get_running_loop().time()
        self._answers.add(answer)
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())

    def leave(self, answer: "Connection") -> None:
        self._answers.discard(answer)
        if not self._answers and self._watching is not None:
            self._watching.cancel()
            self._watching = None

    async def _watch(self) -> None:
        clock = asyncio.get_running_loop().time
        while not self._closing.is_set():
            due = min(answer.spoke for answer in self._answers) + config.KEEP_ALIVE_SECONDS
            try:
                await asyncio.wait_for(self._closing.wait(), due - clock())
            except asyncio.TimeoutError:
                now = clock()
                for answer in [one for one in self._answers if now - one.spoke >= config.KEEP_ALIVE_SECONDS]:
                    answer.spoke = now
                    answer.keep_alive()
        self._watching = None  # who enters from now on is told by another
        for answer in tuple(self._answers):
            answer.stop("closing")


class Connection:
    """Runs one answer's work. `held` is given back at every ending, by its `__aexit__`.

    `spoke`: when something was last sent, so that `keep_alive` is called where nothing was for too long.
    """

    def __init__(self, held: AbstractAsyncContextManager, under_way: UnderWay):
        self._held: AbstractAsyncContextManager | None = held
        self._under_way = under_way
        self._task: asyncio.Task | None = None
        self._stopped: Literal["gone", "closing"] | None = None
        self.spoke = 0.0
        self.keep_alive: Callable[[], None] = lambda: None

    async def release(self) -> None:
        """Give back what is held, before the last word: a client may ask again the moment it has read that."""
        held, self._held = self._held, None
        if held is not None:
            await held.__aexit__(None, None, None)

    async def run(self, work: Awaitable[None], scope, receive: Receive) -> bool:
        """Run `work` to its end; False when the server is closing. Where the client left, it is just stopped.

        It runs in the request's own task, which goes on after it was stopped.
        """
        self._task = task = asyncio.current_task()
        self._under_way.enter(self)
        stay = _tell_when_gone(scope, receive, lambda: self.stop("gone"))
        try:
            await work
        except asyncio.CancelledError:
            if self._stopped is None:
                raise  # it was somebody else
            if hasattr(task, "uncancel"):  # Python 3.11
                task.uncancel()
        finally:
            self._task = None
            stay()
            self._under_way.leave(self)
            await self.release()
        return self._stopped != "closing"

    def stop(self, why: Literal["gone", "closing"]) -> None:
        if self._task is not None and self._stopped is None:
            self._stopped = why
            self._task.cancel()


def _tell_when_gone(scope, receive: Receive, leave: Callable[[], None]) -> Callable[[], object]:
    """Call `leave` when the client goes, unless what is returned was called before."""
    if line := line_of(scope):
        line.on_gone(leave)
        return lambda: line.on_gone(None)

    def over(waiting: asyncio.Task) -> None:
        if not waiting.cancelled():
            waiting.exception()  # whatever ended it: nobody is there any more
            leave()

    waiting = asyncio.ensure_future(_gone(receive))
    waiting.add_done_callback(over)
    return waiting.cancel


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
