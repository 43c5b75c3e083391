"""A client that hardly costs anything: while an answer streams it notes when which bytes came, and reads them after.

It speaks as much HTTP/1.1 as chat completions need, over one connection per request.
"""

import asyncio
import json
from dataclasses import dataclass, field
from itertools import pairwise
from time import perf_counter
from urllib.parse import urlsplit

from benchmarks.workload import Body

PATH = "/v1/chat/completions"


@dataclass(frozen=True, slots=True)
class Answer:
    """Seconds since the request was sent. `pieces`: when each frame with text came; `tokens` as the server counts."""

    status: int
    texts: list[str]
    pieces: list[float]
    ended: float
    tokens: int

    @property
    def text(self) -> str:
        return "".join(self.texts)

    @property
    def ttft(self) -> float:
        return self.pieces[0]

    @property
    def gaps(self) -> list[float]:
        """Between one piece of text and the next."""
        return [later - earlier for earlier, later in pairwise(self.pieces)]


class Failed(Exception):
    """A server gave something else than an answer; the message is what it said."""


@dataclass
class _Arrivals(asyncio.Protocol):
    request: bytes
    done: asyncio.Future
    sent: float = 0.0
    arrived: list[tuple[float, bytes]] = field(default_factory=list)

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.sent = perf_counter()
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.arrived.append((perf_counter(), data))

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


async def ask(url: str, body: Body) -> Answer:
    """One streamed completion to its end.

    Raises:
        Failed: it is no answer, or another number of tokens than was asked for.
    """
    transport, arrivals = await _sent(url, body)
    try:
        await arrivals.done
    finally:
        transport.close()
    return read(arrivals.sent, arrivals.arrived, body["max_tokens"])


async def hold(url: str, body: Body) -> asyncio.Transport:
    """Begin a completion and return once something of it is there; it goes on until the transport is closed."""
    transport, arrivals = await _sent(url, body)
    while b"data:" not in b"".join(data for _, data in arrivals.arrived):
        if arrivals.done.done():
            raise Failed("it ended before it began")
        await asyncio.sleep(0.02)
    return transport


async def _sent(url: str, body: Body) -> tuple[asyncio.Transport, _Arrivals]:
    address, data = urlsplit(url), json.dumps(body).encode()
    head = f"POST {PATH} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/json\r\n"
    head += f"Authorization: Bearer none\r\nContent-Length: {len(data)}\r\nConnection: close\r\n\r\n"
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    return await loop.create_connection(lambda: _Arrivals(head.encode() + data, done), address.hostname, address.port)


def read(sent: float, arrived: list[tuple[float, bytes]], expected: int) -> Answer:
    """Arrivals as an answer.

    Raises:
        Failed: they are none.
    """
    status, frames = _frames(arrived)
    pieces, texts, tokens = [], [], None
    for when, frame in frames:
        chunk = json.loads(frame) if frame != b"[DONE]" else {}
        if status != 200 or "error" in chunk:
            raise Failed(f"{status}: {frame[:300].decode()}")
        if said := _text(chunk):
            pieces.append(when - sent)
            texts.append(said)
        tokens = (chunk.get("usage") or {}).get("completion_tokens", tokens)
    if status != 200 or not pieces:
        raise Failed(f"{status}: {b''.join(data for _, data in arrived)[-300:].decode(errors='replace')}")
    if (tokens or expected) != expected:
        raise Failed(f"{tokens} tokens instead of {expected}")
    return Answer(status, texts, pieces, arrived[-1][0] - sent, expected)


def _text(chunk: Body) -> str:
    deltas = [choice.get("delta") or {} for choice in chunk.get("choices") or ()]
    names = ("content", "reasoning_content", "reasoning")
    return "".join(delta.get(name) or "" for delta in deltas for name in names)


def _frames(arrived: list[tuple[float, bytes]]) -> tuple[int, list[tuple[float, bytes]]]:
    """The status, and each `data:` line with the time of the bytes that completed it."""
    held, status, chunked, frames = b"", 0, False, []
    payload = b""
    for when, data in arrived:
        held += data
        if not status:
            head, found, held = held.partition(b"\r\n\r\n")
            if not found:
                held = head
                continue
            status, chunked = int(head.split(b" ", 2)[1]), b"chunked" in head.lower()
        more, held = _unchunked(held) if chunked else (held, b"")
        *lines, payload = (payload + more).split(b"\n")
        frames += [(when, line[5:].strip()) for line in lines if line.startswith(b"data:")]
    return status, frames


def _unchunked(data: bytes) -> tuple[bytes, bytes]:
    """What whole chunks carry, and what is left of one that is not whole yet."""
    out = []
    while (end := data.find(b"\r\n")) >= 0:
        size = int(data[:end].split(b";")[0] or b"0", 16)
        if len(data) < end + 4 + size:
            break
        out.append(data[end + 2 : end + 2 + size])
        data = data[end + 4 + size :]
    return b"".join(out), data
