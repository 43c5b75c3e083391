"""Connections to engines: as many as there are answers, each of which holds little that nobody has read yet."""

import contextlib
from collections.abc import Mapping

import aiohttp

RECEIVE_BUFFER = 8 * 1024  # bytes of one read: what piles up here for a slow reader lies in memory


def open_session(url: str | None = None, headers: Mapping[str, str] | None = None) -> aiohttp.ClientSession:
    """No proxy, no netrc and no cookies: a conversation goes to the address that was given, and leaves nothing there.

    Answers last as long as they last, and a stream's connection is closed to stop its work.
    """
    return aiohttp.ClientSession(
        url,
        headers={"Content-Type": "application/json", **(headers or {})},
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=5),
        connector=aiohttp.TCPConnector(limit=0),
        read_bufsize=RECEIVE_BUFFER,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
    )


def read_little(response: aiohttp.ClientResponse) -> None:
    """Let no read of this answer bring more than the buffer; asyncio takes 256 KiB at a time, wanted or not."""
    with contextlib.suppress(AttributeError):  # gone already, or of another loop, which reads as it likes
        response.connection.transport.max_size = RECEIVE_BUFFER
