"""Events go out as they come, or together at their end; which bytes they become is their wire's matter."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, Protocol

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from medserver.api_wire import ApiWire
from medserver.connection import Connection, Line, Receive, line_of
from medserver.errors import Internal, Problem, Unavailable
from medserver.events import Done, Event, Thought, Token
from medserver.openai_door import problems

log = logging.getLogger("medserver")

Send = Callable[[dict[str, Any]], Awaitable[None]]

DONE = b"data: [DONE]\n\n"
KEEP_ALIVE = b": still here\n\n"
_SHUTTING_DOWN = Unavailable("The server is shutting down.", code="shutting_down", retry_after=10)
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would collect the frames
]


class Wire(Protocol):
    """How one answer is written. Lines that begin with a colon and the last frame are the same on all wires."""

    def frame(self, event: Event) -> bytes: ...

    def error_frame(self, problem: Problem) -> bytes: ...

    def whole(self, answer: str, thoughts: str, done: Done) -> dict[str, Any]: ...


def told(problem: Problem, scope) -> Problem:
    """The problem as this request's client is told it: what went wrong inside is only a request id to them."""
    scope["state"]["refused"] = problem.code
    return Internal(scope["state"]["request_id"]) if problem.code == "internal" else problem


def refusal(problem: Problem, scope) -> Response:
    """The problem as an answer, in the shape that the clients of its path know."""
    problem = told(problem, scope)
    headers = {} if problem.retry_after is None else {"Retry-After": str(problem.retry_after)}
    if f"{scope['path']}/".startswith("/v1/"):
        return JSONResponse(problems.body(problem), problems.status(problem), headers | problems.headers(problem))
    return JSONResponse(ApiWire.refusal(problem), problem.status, headers)


def problem_of(error: Exception, scope) -> Problem:
    """The error itself, or what stands for one that nobody foresaw.

    That is logged by its kind alone: an exception's text may quote what a patient wrote.
    """
    if isinstance(error, Problem):
        return error
    log.error("request %s failed: %s", scope["state"]["request_id"], type(error).__name__)
    return Internal()


class EventStream(Response):
    """Frames as they come. What fails before the first of them is still an ordinary refusal with its status."""

    def __init__(self, events: AsyncIterator[Event], connection: Connection, wire: Wire):
        self._events = events
        self._connection = connection
        self._wire = wire
        self._line: Line | None = None
        self._started = False
        self._keeping: asyncio.Task | None = None
        self.background = None

    async def __call__(self, scope, receive: Receive, send: Send) -> None:
        self._line = line_of(scope)
        try:
            if not await self._connection.run(self._pump(scope, receive, send), scope, receive):
                await self._fail(_SHUTTING_DOWN, scope, receive, send)
        except OSError:
            return  # the client left in the middle of a frame

    async def _pump(self, scope, receive: Receive, send: Send) -> None:
        self._connection.keep_alive = lambda: self._keep_alive(send)
        frame = self._wire.frame
        try:
            async with aclosing(self._events) as events:
                async for event in events:
                    await self._write(frame(event), send)
        except OSError:
            raise
        except Exception as error:
            await self._fail(problem_of(error, scope), scope, receive, send)
        else:
            await self._end(send)
        finally:
            if self._keeping:
                self._keeping.cancel()

    def _keep_alive(self, send: Send) -> None:
        if self._keeping is None or self._keeping.done():  # else the last one waits for its reader
            self._keeping = asyncio.ensure_future(self._still_here(send))

    async def _still_here(self, send: Send) -> None:
        with contextlib.suppress(OSError):
            await self._write(KEEP_ALIVE, send)

    async def _write(self, data: bytes, send: Send) -> None:
        self._connection.spoke = asyncio.get_running_loop().time()
        if self._started and self._line and self._line.put(data):
            return
        if not self._started:
            self._started = True
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        await send({"type": "http.response.body", "body": data, "more_body": True})

    async def _end(self, send: Send) -> None:
        await self._connection.release()
        await self._write(DONE, send)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _fail(self, problem: Problem, scope, receive: Receive, send: Send) -> None:
        if not self._started:
            await self._connection.release()
            await refusal(problem, scope)(scope, receive, send)
            return
        await self._write(self._wire.error_frame(told(problem, scope)), send)
        await self._end(send)


class WholeAnswer(Response):
    """The same events as one JSON object, for `stream: false`."""

    def __init__(self, events: AsyncIterator[Event], connection: Connection, wire: Wire):
        self._events = events
        self._connection = connection
        self._wire = wire
        self.background = None

    async def __call__(self, scope, receive: Receive, send: Send) -> None:
        answer: list[Response] = []
        if not await self._connection.run(self._collect(answer, scope), scope, receive):
            answer = [refusal(_SHUTTING_DOWN, scope)]
        if answer:  # otherwise the client has gone
            await answer[0](scope, receive, send)

    async def _collect(self, answer: list[Response], scope) -> None:
        tokens: list[str] = []
        thoughts: list[str] = []
        try:
            async with aclosing(self._events) as events:
                async for event in events:
                    if isinstance(event, Token):
                        tokens.append(event.text)
                    elif isinstance(event, Thought):
                        thoughts.append(event.text)
                    elif isinstance(event, Done):
                        body = self._wire.whole("".join(tokens), "".join(thoughts), event)
                        answer.append(JSONResponse(body, headers={"Cache-Control": "no-store"}))
        except Exception as error:
            answer[:] = [refusal(problem_of(error, scope), scope)]


class Later(Response):
    """Leaves an answer to `Answering`, so that nothing of the framework waits in memory for its end."""

    def __init__(self, answer: Response):
        self._answer = answer
        self.background = None

    async def __call__(self, scope, receive: Receive, send: Send) -> None:
        scope["state"]["later"] = self._answer


class Unsaid(Response):
    """Says nothing: the framework would answer a failure that nobody foresaw, which is the envelope's to answer."""

    async def __call__(self, scope, receive: Receive, send: Send) -> None:
        pass


class Answering:
    """ASGI layer: gives the answer that was left to it, once all of the framework has returned.

    It would hold a tenth of a stream's memory or more, and each of its frames would pass through all of its layers.
    """

    def __init__(self, app):
        self._app = app

    async def __call__(self, scope, receive: Receive, send: Send) -> None:
        inner = {**scope}  # what the framework lays into it goes with it
        try:
            await self._app(inner, receive, send)
        except ClientDisconnect:
            return  # left while still sending: there is nobody to answer
        finally:
            scope["route"] = inner.get("route")
            del inner
        if answer := scope.get("state", {}).pop("later", None):
            if isinstance(scope["headers"], list):
                scope["headers"].clear()  # we have read them, and a browser sends a kilobyte
            await answer(scope, receive, send)
