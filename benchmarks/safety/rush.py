"""One of many clients at once, and a cheap one: what is measured is to be the server's time, not its own."""

import asyncio
import socket
from itertools import pairwise
from time import perf_counter

WORD = b'"token"'


class Asked(asyncio.Protocol):
    """A request that is sent the moment its connection stands; the pieces of its answer are looked at afterwards."""

    def __init__(self, data: bytes):
        self._data = data
        self._sent = 0.0
        self.pieces: list[tuple[float, bytes]] = []
        self.begun, self.ended = asyncio.Event(), asyncio.Event()

    @classmethod
    async def begin(cls, port: int, data: bytes, client: str) -> "Asked":
        made = socket.socket()
        made.setblocking(False)
        made.bind((client, 0))
        loop = asyncio.get_running_loop()
        await loop.sock_connect(made, ("127.0.0.1", port))
        _, asked = await loop.create_connection(lambda: cls(data), sock=made)
        return asked

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._sent = perf_counter()
        transport.write(self._data)

    def data_received(self, data: bytes) -> None:
        self.pieces.append((perf_counter(), data))
        self.begun.set()

    def connection_lost(self, _: Exception | None) -> None:
        self.begun.set()
        self.ended.set()

    @property
    def began(self) -> float:
        """Seconds from the request to the first byte of its answer; without end where none came."""
        return self.pieces[0][0] - self._sent if self.pieces else float("inf")

    @property
    def said(self) -> bytes:
        return b"".join(piece for _, piece in self.pieces)

    @property
    def status(self) -> int:
        return int(self.said[9:12] or 0)

    @property
    def retry_after(self) -> bytes:
        head = self.said.lower().partition(b"\r\n\r\n")[0]
        return head.partition(b"\r\nretry-after:")[2].partition(b"\r\n")[0].strip()

    @property
    def whole(self) -> bool:
        return self.status == 200 and b"data: [DONE]" in self.said and b'"code"' not in self.said

    @property
    def gaps(self) -> list[float]:
        """Seconds between two words; nothing where they came together."""
        times = [when for when, piece in self.pieces for _ in range(piece.count(WORD))]
        return [later - earlier for earlier, later in pairwise(times)]
