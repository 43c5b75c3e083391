"""Who connects and asks nothing, or half of it, is hung up on: uvicorn waits for ever, asyncio a minute for TLS.

With TLS or without, and whether the other side agrees or not, that is done within 45 seconds.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Iterator
from typing import Any

from medserver.access.body import IDLE_SECONDS
from medserver.protocol import Protocol

HANDSHAKE_SECONDS = 8.0
ROUNDS = 4  # of looking at who asks nothing, in the time that is given to them
LAST_ROUNDS = 2  # then, for who has not taken our last words; over TLS, closing is a conversation too


@contextlib.contextmanager
def short_handshakes() -> Iterator[None]:
    """For servers that are made meanwhile; uvicorn has no option for it."""
    loop = asyncio.get_running_loop()
    create_server = loop.create_server

    def hurried(*args, ssl: ssl.SSLContext | None = None, **more):
        limit = {"ssl_handshake_timeout": HANDSHAKE_SECONDS} if ssl else {}
        return create_server(*args, ssl=ssl, **limit, **more)

    loop.create_server = hurried
    try:
        yield
    finally:
        del loop.create_server


async def hurry(connections: set[Protocol]) -> None:
    """Look after them as they come and go. One that is kept between two requests is closed earlier, by uvicorn."""
    before: dict[Protocol, tuple[tuple[Any, bool], int]] = {}
    while True:
        await asyncio.sleep(IDLE_SECONDS / ROUNDS)
        seen = {}
        for one in filter(_asks_nothing, tuple(connections)):
            state = (one.cycle, one.transport.is_closing())
            known, rounds = before.get(one, (state, 0))
            seen[one] = state, rounds + 1 if known == state else 1
            _close(one.transport, seen[one][1])
        before = seen


def _asks_nothing(connection: Protocol) -> bool:
    """Nor has an answer to read yet, for which there is a time of its own (`protocol.UNREAD_SECONDS`)."""
    between = connection.cycle is None or connection.cycle.response_complete
    return between and not connection.flow.write_paused


def _close(transport: asyncio.Transport, rounds: int) -> None:
    if transport.is_closing() and rounds >= LAST_ROUNDS:
        transport.abort()
    elif rounds > ROUNDS:
        transport.close()
