"""A server under test: a process and all that it starts, its time, its memory, and its pause while others run."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def free_port() -> int:
    """A port that nobody has on any address, below those that the kernel gives to clients.

    One of theirs may be a client's again before the server has started: a load test has thousands of them.
    """
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("", random.randrange(20_000, 32_768)))
            return probe.getsockname()[1]


def cpu_seconds_of(process: psutil.Process) -> float:
    """Of all its threads. Linux has a clock for that, to the nanosecond; elsewhere it is counted in ticks of 10 ms.

    The clock's number is made as the C library's `clock_getcpuclockid` makes it.
    """
    if sys.platform == "linux":
        return time.clock_gettime((~process.pid << 3) | 2)
    return sum(process.cpu_times()[:2])


class NotStarted(Exception):
    """It ended, or was not ready in time; the message is the end of what it wrote."""


@dataclass
class Tree:
    """A context manager: leaving it ends the process and its children. `startup`: seconds until it was ready."""

    argv: Sequence[str]
    ready_url: str
    log: Path
    env: dict[str, str]
    patience: float = 300.0
    startup: float = 0.0

    def __enter__(self) -> "Tree":
        started = time.perf_counter()
        # Settings of whoever measures are not those to be measured, and a server refuses one that it does not know.
        env = {name: value for name, value in os.environ.items() if not name.startswith("MEDSERVER_")} | self.env
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                list(self.argv), stdout=log, stderr=subprocess.STDOUT, env=env, start_new_session=True
            )
        self._known = psutil.Process(self._process.pid)
        try:
            while not self._ready():
                if self._process.poll() is not None or time.perf_counter() - started > self.patience:
                    raise NotStarted(self.log.read_text(errors="replace")[-600:])
                time.sleep(0.1)
        except BaseException:
            self.__exit__()
            raise
        self.startup = time.perf_counter() - started
        return self

    def __exit__(self, *_) -> None:
        self.resume()
        processes = self.processes()
        for process in processes:
            with contextlib.suppress(psutil.Error):
                process.terminate()
        _, alive = psutil.wait_procs(processes, timeout=10)
        for process in alive:
            with contextlib.suppress(psutil.Error):
                process.kill()
        self._process.wait(10)

    def processes(self) -> list[psutil.Process]:
        with contextlib.suppress(psutil.Error):
            return [*self._known.children(recursive=True), self._known]
        return []

    def pause(self) -> None:
        """Several engines poll while they idle, and would take time from whoever is measured."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def cpu_seconds(self) -> float:
        """Of the whole tree, as far as it is alive."""
        return sum(self._of(process, cpu_seconds_of) for process in self.processes())

    def memory(self) -> int:
        """Resident bytes of the whole tree; pages that two of them share count twice."""
        return int(sum(self._of(process, lambda one: one.memory_info().rss) for process in self.processes()))

    @property
    def root(self) -> psutil.Process:
        return self._known

    @staticmethod
    def _of(process: psutil.Process, figure) -> float:
        try:
            return figure(process)
        except (psutil.Error, OSError):
            return 0.0

    def _signal(self, number: int) -> None:
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                process.send_signal(number)

    def _ready(self) -> bool:
        try:
            with _DIRECT.open(self.ready_url, timeout=5) as answer:
                said = answer.read()
                return b'"status"' not in said or b'"ready"' in said or b'"ok"' in said or b'"healthy"' in said
        except (urllib.error.URLError, OSError):
            return False
