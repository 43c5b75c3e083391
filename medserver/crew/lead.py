"""The parent of the web workers: it keeps the port and the engine, starts again who died, and ends everybody."""

import asyncio
import json
import logging
import signal
import socket
import sys
import time
from contextlib import suppress

from medserver.config import SHUTDOWN_SECONDS, Settings
from medserver.crew.common import Common
from medserver.crew.desk import Desk
from medserver.crew.leased import Orders
from medserver.crew.line import packed
from medserver.engine.base import Serving
from medserver.engine.host import EngineHost
from medserver.service.notify import notify

log = logging.getLogger("medserver")

BACKOFF = (0.2, 1.0, 3.0, 10.0)  # seconds before the next start, by how many in a row have not lasted
STABLE_SECONDS = 60.0  # a worker that serves so long has lasted
HOPELESS = 3  # workers that ended before the first ever served
GRACE_SECONDS = 0.8  # beyond the time to drain, for a worker's own end


def lead(settings: Settings, serving: Serving, common: Common, listening: socket.socket) -> int:
    """Serve with several workers until SIGINT or SIGTERM; returns the exit code."""
    return asyncio.run(Lead(settings, serving, common, listening).run())


class Lead:
    def __init__(self, settings: Settings, serving: Serving, common: Common, listening: socket.socket):
        self._settings = settings
        self._serving = serving
        self._common = common
        self._listening = listening
        self._desk = Desk(common)
        self._workers: set[asyncio.subprocess.Process] = set()
        self._closing = asyncio.Event()
        self._served = False
        self._stillborn = 0

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._close, number)
        self._common.host.start()
        ending = asyncio.create_task(self._end())
        others = [asyncio.create_task(self._bound())]
        if self._settings.https:
            others.append(asyncio.create_task(self._renew()))
        try:
            await asyncio.gather(*(self._keep() for _ in range(self._settings.workers)))
        finally:
            for task in others:
                task.cancel()
            self._closing.set()
            await ending
        return 0 if self._served else 3

    def _close(self, number: int) -> None:
        """Take nobody in any more; a second signal hurries the workers as it would hurry a server alone."""
        if not self._closing.is_set():
            notify("STOPPING=1")
            self._closing.set()
            self._listening.close()
        self._signal(number)

    def _signal(self, number: int) -> None:
        for worker in self._workers:
            with suppress(ProcessLookupError):
                worker.send_signal(number)

    async def _bound(self) -> None:
        """End the workers that have not ended by themselves in the time that open answers are given."""
        await self._closing.wait()
        await asyncio.sleep(SHUTDOWN_SECONDS + GRACE_SECONDS)
        self._signal(signal.SIGKILL)

    async def _end(self) -> None:
        await self._closing.wait()
        await self._common.end()

    async def _renew(self) -> None:
        from medserver.access.tls import renewed

        async for _ in renewed(self._settings):
            self._desk.tell("certificate")

    async def _keep(self) -> None:
        """Run one worker again and again."""
        failures = 0
        while not self._closing.is_set():
            started = time.monotonic()
            try:
                await self._live()
            except OSError as error:  # the machine has no room for another process
                log.error("a web worker could not be started: %s", error.strerror)
            if self._closing.is_set():
                return
            failures = 0 if time.monotonic() - started > STABLE_SECONDS else failures + 1
            log.error("a web worker ended unexpectedly and is started again")
            self._stillborn += not self._served
            if self._stillborn >= HOPELESS:
                log.error("no web worker could be started")
                self._close(signal.SIGTERM)
            with suppress(asyncio.TimeoutError):
                pause = BACKOFF[min(failures, len(BACKOFF)) - 1] if failures else 0
                await asyncio.wait_for(self._closing.wait(), pause)

    async def _live(self) -> None:
        """One worker, from its start until it has gone and given back everything."""
        ours, theirs = socket.socketpair()
        with theirs:
            worker = await self._spawn(theirs)
        self._workers.add(worker)
        window = self._desk.open(self._on_serving)
        worker.stdin.write(json.dumps(packed(self._orders())).encode() + b"\n")
        worker.stdin.close()
        await window.line.open(ours)
        if self._closing.is_set():  # it came too late for the signal
            self._signal(signal.SIGTERM)
        await worker.wait()
        self._workers.discard(worker)
        await window.left.wait()

    async def _spawn(self, line: socket.socket) -> asyncio.subprocess.Process:
        """Its session is its own, since Ctrl-C in the terminal is ours to pass on."""
        ends = (self._listening.fileno(), line.fileno())
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "medserver.crew", *map(str, ends)),
            stdin=asyncio.subprocess.PIPE,
            pass_fds=ends,
            start_new_session=True,
        )

    def _orders(self) -> Orders:
        common, tls = self._common, self._common.tls
        return Orders(
            settings=self._settings,
            serving=self._serving,
            hardware=common.hardware,
            standing=common.host.standing if isinstance(common.host, EngineHost) else None,
            tls=(tls.chain, tls.key, tls.authority) if tls else None,
            salt=common.salt.hex(),
            started=common.started,
        )

    def _on_serving(self) -> None:
        if not self._served:
            self._served = True
            notify("READY=1")
