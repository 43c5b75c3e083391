"""The front and its scripted engine as processes, and what can be seen of them from outside."""

import asyncio
import json
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import psutil

from benchmarks.tree import Tree, free_port

STRICT = ("--max-user-streams", "1", "--rate-limit", "1000000/second")  # clients are told apart by their addresses
UNLIMITED = ("--max-user-streams", "100000", "--rate-limit", "1000000/second")
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class House:
    """A context manager. `folder` holds the log, the state and what the engine tells of itself."""

    def __init__(self, *flags: str, slots: int = 64, env: dict[str, str] | None = None):
        self._flags = flags or UNLIMITED
        self._slots = slots
        self._env = env or {}
        self.port = free_port()
        self._held = ExitStack()

    def __enter__(self) -> "House":
        self.folder = Path(self._held.enter_context(tempfile.TemporaryDirectory()))
        self._where = self.folder / "engine.json"
        state = ("--state-dir", str(self.folder / "state"))
        served = ("-m", "demo", "-p", str(self.port), "--host", "127.0.0.1", "--open", *state, *self._flags)
        argv = (sys.executable, "-m", "benchmarks.safety.served", str(self._slots), str(self._where), *served)
        url = f"http://127.0.0.1:{self.port}/api/health"
        self.tree = self._held.enter_context(Tree(argv, url, self.folder / "log", self._env))
        return self

    def __exit__(self, *_) -> None:
        self._held.close()

    @property
    def front(self) -> psutil.Process:
        return self.tree.root

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    @property
    def engine(self) -> psutil.Process:
        return psutil.Process(json.loads(self._where.read_text())["pid"])

    def health(self) -> dict:
        return _get(self.port, "/api/health")

    def counts(self) -> dict:
        """What the engine has begun, ended and open."""
        return _get(json.loads(self._where.read_text())["port"], "/counts")

    def release(self) -> None:
        _get(json.loads(self._where.read_text())["port"], "/release")

    def idle(self) -> bool:
        queue = self.health()["queue"]
        return queue["active"] == queue["waiting"] == self.counts()["open"] == 0

    def ready(self) -> bool:
        return self.health()["status"] == "ready"

    async def until(self, condition: Callable[[], bool], seconds: float = 30.0) -> float:
        """Seconds until it holds; fails when it does not in time."""
        started = time.perf_counter()
        while True:
            try:
                if await asyncio.to_thread(condition):
                    return time.perf_counter() - started
            except (OSError, psutil.Error):
                pass  # an engine between two lives
            assert time.perf_counter() - started < seconds, f"not within {seconds} s: {self.health()}"
            await asyncio.sleep(0.005)


def _get(port: int, path: str) -> dict:
    with _DIRECT.open(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
        return json.loads(answer.read())
