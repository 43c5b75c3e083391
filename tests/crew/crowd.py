"""Many clients at once, each with a connection and an address of its own, and the processes that answer them."""

import asyncio
import json
import os
import re
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import httpx
import psutil

from tests.crew.program import ENGINE
from tests.serving import Running, question

PROGRAM = Path(__file__).with_name("program.py")
PATIENCE = 120  # no measurement: it turns a hang into a failure
RATE, STREAMS = 60, 3


def addresses(count: int, net: int = 1) -> list[str]:
    return [f"127.{net}.{1 + number // 250}.{1 + number % 250}" for number in range(count)]


class Crew(Running):
    """The command on the scripted engine. `fronts`: the processes that answer HTTP."""

    def __init__(self, workers: int, *more: str):
        limits = ("--rate-limit", f"{RATE}/hour", "--max-user-streams", str(STREAMS))
        super().__init__("-m", "demo", "--workers", str(workers), *limits, *more, program=(str(PROGRAM),))
        self.workers = workers
        self.client.close()
        # Each question on a connection of its own: one that is kept stays with who took it.
        self.client = self.from_address("127.0.0.1")

    @property
    def fronts(self) -> list[psutil.Process]:
        if self.workers == 1:
            return [psutil.Process(self.process.pid)]
        return [one for one in self._children() if "medserver.crew" in one.cmdline()]

    @property
    def engines(self) -> list[psutil.Process]:
        return [one for one in self._children() if str(ENGINE) in one.cmdline()]

    def _children(self) -> list[psutil.Process]:
        with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):  # one that just ends; look again
            return [one for one in self.children() if one.status() != psutil.STATUS_ZOMBIE and one.cmdline()]
        return self._children()

    def until_all_serve(self) -> "Crew":
        """Every process that is to answer does, and knows the engine."""
        self.until(lambda health: health["status"] == "ready" and len(self.fronts) == self.workers)
        for front in self.fronts:
            with self.only(front):
                self.until(lambda health: health["status"] == "ready")
        return self

    @contextmanager
    def only(self, front: psutil.Process) -> Iterator[None]:
        """Whoever connects meanwhile is answered by `front`: the others are stopped."""
        others = [one for one in self.fronts if one != front]
        for one in others:
            one.send_signal(signal.SIGSTOP)
        try:
            while any(one.status() != psutil.STATUS_STOPPED for one in others):
                time.sleep(0.001)
            yield
        finally:
            for one in others:
                one.send_signal(signal.SIGCONT)

    def from_address(self, address: str) -> httpx.Client:
        transport = httpx.HTTPTransport(local_address=address, limits=httpx.Limits(max_keepalive_connections=0))
        return httpx.Client(base_url=self.url, transport=transport, timeout=PATIENCE, trust_env=False)

    def engine(self, path: str, body: object = None) -> dict:
        """What the engine says of itself, or does."""
        [process] = self.engines
        [port] = {one.laddr.port for one in process.net_connections("inet") if one.status == psutil.CONN_LISTEN}
        url = f"http://127.0.0.1:{port}/{path}"
        if body is not None:
            return httpx.post(url, json=body, trust_env=False, timeout=PATIENCE).content
        return httpx.get(url, trust_env=False, timeout=PATIENCE).json()


class Call:
    """One question on a connection of its own."""

    def __init__(self, running: Running, address: str, text: str):
        self._running = running
        self._address = address
        self._text = text
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""

    async def begun(self) -> "Call":
        """Asked, and answered as far as the status."""
        port = self._running.port
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(self._address, 0))
        body = json.dumps(question(self._text)).encode()
        head = f"POST /api/chat HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self._writer.write(head.encode() + body)
        first, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        self.status = int(first.split()[1])
        self.headers = dict(line.lower().split(": ", 1) for line in lines if line)
        return self

    @property
    def code(self) -> str:
        return json.loads(self.body)["code"]

    @property
    def whole(self) -> bool:
        """Every token once and in order, and the last frame once."""
        return b"".join(re.findall(rb'"token":"(.*?)"', self.body)) == b"ab" and self.body.count(b"[DONE]") == 1

    async def token(self) -> "Call":
        """It has its first token, and so a slot."""
        while b'"token"' not in self.body:
            more = await self._reader.read(65536)
            assert more, self.body
            self.body += more
        return self

    async def ended(self) -> "Call":
        with suppress(ConnectionResetError):
            while more := await self._reader.read(65536):
                self.body += more
        self._writer.close()
        return self

    def leave(self) -> None:
        self._writer.transport.abort()


async def calls(running: Running, whose: list[str], text: str = "hold") -> list[Call]:
    return list(await asyncio.gather(*(Call(running, address, text).begun() for address in whose)))


@asynccontextmanager
async def stage(running: Crew) -> AsyncIterator[None]:
    """One scene, which leaves the server as it found it: the gate shut, nobody there."""
    try:
        yield
    finally:
        running.engine("gate", True)
        await until(lambda: running.stats() == {"active": 0, "waiting": 0})
        await until(lambda: running.engine("count")["running"] == 0)
        running.engine("gate", False)


async def until(condition) -> None:
    while not await asyncio.to_thread(condition):  # noqa: ASYNC110 (other processes announce nothing)
        await asyncio.sleep(0.02)


def play(scene) -> None:
    asyncio.run(asyncio.wait_for(scene, PATIENCE))


def end(process: psutil.Process) -> None:
    os.kill(process.pid, signal.SIGKILL)
