"""Which of several servers is asked. Pure: it knows how busy each is, and nothing of how one is reached.

A conversation goes back to the server that holds its beginning in a prefix cache, unless that one is clearly busier
than another. Rendezvous hashing keeps the others' conversations where they are when a server comes or goes.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, Protocol, TypeVar

import orjson

from medserver.engine.base import Ask

SLACK = 2  # answers that a cached prefix is worth waiting behind


class Busy(Protocol):
    url: str
    outstanding: int


Server = TypeVar("Server", bound=Busy)


def conversation(ask: Ask, salt: bytes) -> bytes:
    """What all requests of one conversation share: all up to its first question. Salted, so that it tells nothing."""
    return blake2b(orjson.dumps(_opening(ask.messages)), key=salt, digest_size=16).digest()


def _opening(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for index, message in enumerate(messages):
        if message["role"] == "user":
            return messages[: index + 1]
    return messages


def choose(servers: Sequence[Server], key: bytes) -> Server:
    """The one that the conversation belongs to, or the least busy where that one is too busy."""
    least = min(server.outstanding for server in servers)
    preferred = _preferred(servers, key)
    if preferred.outstanding <= least + SLACK:
        return preferred
    return _preferred([server for server in servers if server.outstanding == least], key)


def _preferred(servers: Sequence[Server], key: bytes) -> Server:
    return max(servers, key=lambda server: blake2b(server.url.encode(), key=key, digest_size=8).digest())
