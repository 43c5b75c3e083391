"""The real command as a real process, for tests from outside; it ends only what it started."""

import base64
import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import httpx
import PIL.Image
import psutil

from benchmarks.tree import free_port
from medserver.access.ledger import Ledger
from medserver.access.sessions import Sessions
from medserver.access.visitor import cookie_name

LAN_HOST = "ward-pc.lan"  # what a test's browser calls it, to be another device of the network
READY_SECONDS = 120  # importing torch on a busy machine takes its time


class Running:
    """`medserver …` on a loopback port of its own, or another `program` of its flags. A context manager."""

    by_port: ClassVar[dict[int, "Running"]] = {}

    def __init__(
        self,
        *arguments: str,
        host: str = "127.0.0.1",
        env: dict[str, str] | None = None,
        program: Sequence[str] = ("-m", "medserver"),
    ):
        self.port = free_port()
        self.url = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{self.port}"
        command = [sys.executable, *program, *arguments, "-p", str(self.port), "--host", host]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("MEDSERVER_")}
        self._state = tempfile.TemporaryDirectory()
        self.state_dir = self._state.name
        clean |= {"MEDSERVER_STATE_DIR": self.state_dir, "MEDSERVER_ALLOWED_HOST": LAN_HOST}
        Running.by_port[self.port] = self
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            command, env=clean | (env or {}), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.client = httpx.Client(base_url=self.url, timeout=60, trust_env=False)

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *_) -> None:
        self.client.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(15)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(5)
        self.process.stdout.close()
        self._state.cleanup()

    def cookie(self) -> dict[str, str]:
        """What a browser holds whose device was paired, for the name of the network."""
        cookie, _ = Sessions(Ledger(Path(self.state_dir))).begin("Chrome on Linux")
        return {"name": cookie_name(self.port, secure=False), "value": cookie, "url": f"http://{LAN_HOST}:{self.port}"}

    def health(self) -> dict:
        return self.client.get("/api/health").json()

    def until(self, condition, seconds: float = READY_SECONDS) -> dict:
        """Poll health until `condition(health)`; fails the test when it does not come true in time."""
        deadline = time.monotonic() + seconds
        last: dict | None = None
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.process.stdout.read()
            with contextlib.suppress(httpx.TransportError):
                last = self.health()
                if condition(last):
                    return last
            time.sleep(0.05)
        raise AssertionError(f"not in {seconds} s; last: {last}")

    def until_ready(self) -> "Running":
        self.until(lambda health: health["status"] == "ready")
        return self

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def worker(self) -> psutil.Process:
        [worker] = [one for one in self.children() if "medserver.worker" in one.cmdline()]
        return worker

    def stats(self) -> dict:
        return self.health()["queue"]

    def chat(self, text: str = "Hello", **fields) -> httpx.Response:
        return self.client.post("/api/chat", json=question(text, **fields))

    @contextlib.contextmanager
    def streaming(self, text: str = "Hello", **fields) -> Iterator["Frames"]:
        with self.client.stream("POST", "/api/chat", json=question(text, **fields)) as response:
            yield Frames(response)


class Frames:
    """The frames of one stream, parsed one by one as they arrive."""

    def __init__(self, response: httpx.Response):
        self.response = response
        self._lines = response.iter_lines()

    def __iter__(self) -> "Frames":
        return self

    def __next__(self) -> dict | str:
        for line in self._lines:
            if line.startswith("data: "):
                payload = line.removeprefix("data: ")
                return payload if payload == "[DONE]" else json.loads(payload)
        raise StopIteration

    def until_token(self) -> dict:
        return next(frame for frame in self if "token" in frame or "thinking" in frame)


def question(text: str, images: tuple[str, ...] = (), **fields) -> dict:
    message = {"role": "user", "content": text}
    if images:
        message["image_data"] = list(images)
    return {"messages": [message], "thinking": "off", **fields}


def long_question(**fields) -> dict:
    """A question whose answer takes some seconds: the tiny model, when greedy, runs in circles.

    Circles are quick, by prompt lookup (2,000 tokens a second were seen), so it takes many tokens.
    """
    return {"max_tokens": 6000, "temperature": 0, "loop_guard": 0, **fields}


def picture(color: str = "gray", size: tuple[int, int] = (40, 30), kind: str = "PNG") -> str:
    out = io.BytesIO()
    PIL.Image.new("RGB", size, color).save(out, kind)
    return base64.b64encode(out.getvalue()).decode()
