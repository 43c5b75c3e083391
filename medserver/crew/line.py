"""The line between a web worker and its parent: lines of JSON in order, some of them questions; knows no message.

It is one end of a pair of sockets. Whoever dies closes their end, and the other learns of it at once.
"""

import asyncio
import contextlib
import functools
import inspect
import itertools
import json
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from pydantic import TypeAdapter

from medserver.errors import Problem

Value = TypeVar("Value")


@functools.lru_cache
def _adapter(kind: type) -> TypeAdapter:
    return TypeAdapter(kind)


def packed(value: Any) -> Any:
    """A frozen value of ours as JSON has it."""
    return _adapter(type(value)).dump_python(value, mode="json")


def unpacked(kind: type[Value], said: Any) -> Value:
    return _adapter(kind).validate_python(said)


def packed_problem(problem: Problem) -> dict[str, Any]:
    said = {"status": problem.status, "code": problem.code, "sentence": problem.sentence}
    return said | {"retry_after": problem.retry_after}


def unpacked_problem(said: Mapping[str, Any]) -> Problem:
    problem = Problem(said["sentence"], code=said["code"], retry_after=said["retry_after"])
    problem.status = said["status"]
    return problem


class Line(asyncio.Protocol):
    """`hear`: what is done with each kind of message; what it returns, or a `Problem` that it raises, is the answer.

    `lost` is called when the other end has gone. What is said before `open` is said then.
    """

    def __init__(self, hear: Mapping[str, Callable[..., Any]], lost: Callable[[], None]):
        self._hear = hear
        self._lost = lost
        self._transport: asyncio.Transport | None = None
        self._early: list[bytes] = []
        self._held = b""
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future] = {}
        self._answering: set[asyncio.Task] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over: asyncio.Future | None = None

    async def open(self, end: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        self._over = self._loop.create_future()
        await self._loop.create_connection(lambda: self, sock=end)

    async def close(self) -> None:
        """Hang up when all that was said has gone out."""
        self._lost = lambda: None
        self._transport.close()
        await self._over

    def tell(self, kind: str, **fields: Any) -> None:
        self._send({"kind": kind, **fields})

    def tell_soon(self, kind: str, **fields: Any) -> None:
        """As `tell`, from any thread."""
        if self._loop is None:
            self.tell(kind, **fields)
            return
        with contextlib.suppress(RuntimeError):  # at the very end nobody listens any more
            self._loop.call_soon_threadsafe(functools.partial(self.tell, kind, **fields))

    async def ask(self, kind: str, **fields: Any) -> Any:
        """The answer; the question has gone out before this waits.

        Raises:
            Problem: the answer is no.
        """
        number = next(self._numbers)
        future = self._asked[number] = self._loop.create_future()
        self._send({"kind": kind, "ask": number, **fields})
        try:
            return await future
        finally:
            del self._asked[number]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        transport.writelines(self._early)
        self._early.clear()

    def data_received(self, data: bytes) -> None:
        *lines, self._held = (self._held + data).split(b"\n")
        for line in lines:
            self._take(json.loads(line))

    def connection_lost(self, _: Exception | None) -> None:
        self._over.set_result(None)
        self._lost()

    def _send(self, said: dict[str, Any]) -> None:
        line = json.dumps(said).encode() + b"\n"
        if self._transport is None:
            self._early.append(line)
        elif not self._transport.is_closing():
            self._transport.write(line)

    def _take(self, said: dict[str, Any]) -> None:
        if "re" in said:
            self._hear_answer(**said)
            return
        kind, number = said.pop("kind"), said.pop("ask", None)
        try:
            found = self._hear[kind](**said)
        except Problem as problem:
            self._send({"re": number, "refused": packed_problem(problem)})
            return
        if inspect.isawaitable(found):
            task = asyncio.ensure_future(self._answer_later(number, found))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)
        elif number:
            self._send({"re": number, "answer": found})

    async def _answer_later(self, number: int, found: Awaitable[Any]) -> None:
        self._send({"re": number, "answer": await found})

    def _hear_answer(self, re: int, answer: Any = None, refused: dict[str, Any] | None = None) -> None:
        future = self._asked.get(re)
        if future is None or future.done():  # nobody waits for it any more
            return
        if refused is None:
            future.set_result(answer)
        else:
            future.set_exception(unpacked_problem(refused))
