"""A client that sends what it likes, leaves as it likes, and notes when which frame of an answer came."""

import asyncio
import contextlib
import json
import socket
import struct
from dataclasses import dataclass, field
from itertools import pairwise
from time import perf_counter
from typing import Any

NOWHERE = "127.0.0.1"


def address(number: int) -> str:
    """A loopback address of its own for every client."""
    return f"127.{1 + number // 62500}.{number // 250 % 250}.{1 + number % 250}"


def question(text: str, **fields: Any) -> bytes:
    asked = {"messages": [{"role": "user", "content": text}], "thinking": "off", **fields}
    return json.dumps(asked).encode()


def request(body: bytes, *more: str, path: str = "/api/chat", method: str = "POST", length: bool = True) -> bytes:
    head = [f"{method} {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json", *more]
    head += [f"Content-Length: {len(body)}"] if length else []
    return "\r\n".join([*head, "", ""]).encode() + body


@dataclass
class Exchange:
    """One connection and what came of it. `began`: seconds from the last byte sent to the first received."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    sent: float
    status: int = 0
    began: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)
    frames: list[tuple[float, Any]] = field(default_factory=list)
    body: bytes = b""

    @classmethod
    async def begin(cls, port: int, data: bytes, client: str = NOWHERE, window: int = 0) -> "Exchange":
        """`window`: bytes that the kernel holds for a client that reads slowly."""
        made = socket.socket()
        made.setblocking(False)
        if window:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        made.bind((client, 0))
        await asyncio.get_running_loop().sock_connect(made, ("127.0.0.1", port))
        reader, writer = await asyncio.open_connection(sock=made, limit=1 << 16)
        writer.write(data)
        return cls(reader, writer, perf_counter())

    async def head(self) -> int:
        """The status; 0 where the connection ended without one."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            raw = await self.reader.readuntil(b"\r\n\r\n")
            self.began = perf_counter() - self.sent
            first, *rest = raw.decode("latin-1").split("\r\n")
            self.status = int(first.split()[1])
            self.headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in rest)}
        return self.status

    async def frame(self) -> Any:
        """The next frame, `[DONE]` as it is; None at the end."""
        with contextlib.suppress(ConnectionError):
            while line := await self.reader.readline():
                if line.startswith(b"data: "):
                    text = line[6:].strip()
                    said = "[DONE]" if text == b"[DONE]" else json.loads(text)
                    self.frames.append((perf_counter(), said))
                    return said
        return None

    async def until_token(self) -> None:
        """Read on until the first word; fails where there is none."""
        while (said := await self.frame()) is not None:
            if "token" in said:
                return
        raise AssertionError(f"no word came: {self.status} {self.frames[-2:]}")

    async def rest(self) -> "Exchange":
        """Everything that comes until the stream, or an answer of known length, has ended."""
        if self.headers.get("content-type", "").startswith("text/event-stream"):
            while await self.frame() not in (None, "[DONE]"):
                pass
        elif length := int(self.headers.get("content-length", 0)):
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                self.body = await self.reader.readexactly(length)
        self.writer.close()
        return self

    @property
    def words(self) -> list[str]:
        return [said["token"] for _, said in self.frames if "token" in said]

    @property
    def text(self) -> str:
        return "".join(self.words)

    @property
    def gaps(self) -> list[float]:
        times = [when for when, said in self.frames if "token" in said]
        return [later - earlier for earlier, later in pairwise(times)]

    @property
    def code(self) -> str | None:
        """Of the refusal, or of the stream's error frame."""
        if self.body:
            return json.loads(self.body).get("code")
        return next((said["code"] for _, said in self.frames if "code" in said), None)

    @property
    def done(self) -> bool:
        return bool(self.frames) and self.frames[-1][1] == "[DONE]"

    def leave(self, *, reset: bool = False) -> None:
        """Go away: with FIN, or with RST as a machine does that is switched off."""
        if reset and not self.writer.is_closing():
            self.writer.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            self.writer.transport.abort()
        self.writer.close()


async def ask(port: int, data: bytes, client: str = NOWHERE) -> Exchange:
    """One request to its end."""
    exchange = await Exchange.begin(port, data, client)
    await exchange.head()
    return await exchange.rest()
