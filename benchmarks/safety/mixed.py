"""All that clients do, by turns and for hours: answers, pictures, refusals, some who leave; and what stays of it.

Memory is looked at in pauses in which nothing is on its way, so that it tells what was kept, on a busy machine too.
"""

import asyncio
import base64
import contextlib
import itertools
import json
import time
from collections.abc import Callable, Iterator
from statistics import median

import psutil

from benchmarks.safety.house import House
from benchmarks.safety.rows import Row, at_least, at_most, exactly
from benchmarks.safety.wire import Exchange, address, question, request
from benchmarks.workload import image_url

CLIENTS = 16
RATE = 100.0  # requests a second at most, of all of them
SLOTS = 64
# And the usual rate: every request has an address of its own, all of which are to be forgotten.
USUAL = ("--max-user-streams", "1")
ROUND_SECONDS = 15.0  # between two pauses; shorter where there would be fewer than twenty
WARM_UP = 0.2  # of the time; the rest is compared in thirds
TOLD_SECONDS = 300.0
PATIENCE = 120.0  # for a pause to begin


def _with_image(url: str) -> bytes:
    said = {"role": "user", "content": "x", "image_data": [url]}
    return request(json.dumps({"messages": [said], "max_tokens": 9}).encode())


def _form(turn: int) -> bytes:
    head = b'--xxx\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    body = head + base64.b64decode(image_url(turn).partition(",")[2]) + b"\r\n--xxx--\r\n"
    asked = request(body, path="/api/analyze")
    return asked.replace(b"application/json", b"multipart/form-data; boundary=xxx", 1)


# What is asked by turns, and the status that is right; None: whoever asks leaves in the middle of the answer.
KINDS: tuple[tuple[int | None, Callable[[int], bytes]], ...] = (
    (200, lambda turn: request(question(f"{turn}: say 40 every 0.01"))),
    (200, lambda turn: request(question(f"{turn}", stream=False))),
    (200, lambda turn: request(question(f"{turn}", stream=True), path="/v1/chat/completions")),
    (200, lambda turn: _with_image(image_url(turn))),
    (200, _form),
    (400, lambda _: _with_image("data:image/png;base64,aGVsbG8=")),
    (422, lambda _: request(b"{")),
    (400, lambda turn: request(question(f"{turn}", temperature=9))),
    (200, lambda _: request(b"", path="/api/health", method="GET")),
    (200, lambda _: request(b"", path="/metrics", method="GET")),
    (200, lambda _: request(b"", path="/", method="GET")),
    (None, lambda turn: request(question(f"{turn}: hold 0.02"))),
)


class MixedLoad:
    """`minutes` of it. `rows` may be asked for at any time: a load that is interrupted has seen something too."""

    def __init__(self, minutes: float, rate: float = RATE, say: Callable[[str], None] = lambda _: None):
        self._minutes = minutes
        self._pause = CLIENTS / rate
        self._say = say
        self._asked = self._failed = self._wrong = 0
        self._played = 0.0  # seconds
        self._memory: list[int] = []

    async def play(self, house: House) -> list[Row]:
        turns, started = itertools.count(), time.monotonic()
        length, told = min(ROUND_SECONDS, self._minutes * 60 / 20), TOLD_SECONDS
        while self._played < self._minutes * 60:
            until = time.monotonic() + length
            await asyncio.gather(*(self._client(house.port, turns, until) for _ in range(CLIENTS)))
            await house.until(house.idle, PATIENCE)
            self._memory.append(_memory(house))
            self._played = time.monotonic() - started
            if self._played > told:
                told += TOLD_SECONDS
                self._say(self._so_far())
        return self.rows()

    def rows(self) -> list[Row]:
        if not self._memory:
            return []
        name = f"mixed load for {self._played / 60:.3g} of {self._minutes:g} minutes"
        rows = [
            at_least(f"{name}: requests", self._played // 2, self._asked, "requests"),
            exactly(f"{name}: 5xx, broken connections and answers without an end", 0, self._failed),
            exactly(f"{name}: other answers than are right", 0, self._wrong),
        ]
        kept = f"{name}: memory of front and decoders"
        warm = self._memory[int(len(self._memory) * WARM_UP) :]
        third = len(warm) // 3
        if not third:
            return [*rows, Row(kept, "to be compared", "too short for it", False)]
        early, middle, late = (median(part) / 1e6 for part in (warm[:third], warm[third : 2 * third], warm[-third:]))
        return [
            *rows,
            at_most(f"{kept} grown after warm-up, from {early:.4g} MB", 20, late - early, "MB"),
            at_most(f"{kept} grown from the middle to the end", 5, late - middle, "MB"),
        ]

    def _so_far(self) -> str:
        grown = (self._memory[-1] - self._memory[int(len(self._memory) * WARM_UP)]) / 1e6
        return (
            f"mixed load, {self._played / 60:.0f} of {self._minutes:g} minutes: {self._asked} requests, "
            f"{self._failed} failed, {self._wrong} wrong, memory {grown:+.1f} MB"
        )

    async def _client(self, port: int, turns: Iterator[int], until: float) -> None:
        while time.monotonic() < until:
            turn = next(turns)
            right, asked = KINDS[turn % len(KINDS)]
            self._asked += 1
            try:
                begun = await Exchange.begin(port, asked(turn), address(turn))
                await (_left(begun, reset=bool(turn // len(KINDS) % 2)) if right is None else _heard(begun))
            except OSError:
                self._failed += 1
            else:
                if _has_failed(begun, to_its_end=right is not None):
                    self._failed += 1
                elif begun.status != (right or 200):
                    self._wrong += 1
            await asyncio.sleep(self._pause)


async def _left(begun: Exchange, *, reset: bool) -> None:
    await begun.head()
    await begun.frame()
    begun.leave(reset=reset)


async def _heard(begun: Exchange) -> None:
    await begun.head()
    await begun.rest()


def _has_failed(begun: Exchange, *, to_its_end: bool) -> bool:
    if begun.status == 0 or begun.status >= 500:
        return True
    streamed = begun.headers.get("content-type", "").startswith("text/event-stream")
    return streamed and (any("code" in said for _, said in begun.frames) or (to_its_end and not begun.done))


def _memory(house: House) -> int:
    """Of the front and what it started, but for the scripted engine, which is not ours to ship."""
    engine, size = house.engine.pid, 0
    for one in house.tree.processes():
        with contextlib.suppress(psutil.Error):  # a decoder that was ended a moment ago
            size += one.memory_info().rss if one.pid != engine else 0
    return size
