"""How far a long piece of work has come: bytes, speed, time left; live on a terminal, else a line now and then."""

import sys
import time
from collections import deque
from collections.abc import Callable
from threading import Event, Lock, Thread
from typing import TextIO

LIVE_SECONDS, PLAIN_SECONDS = 0.25, 5.0
_WINDOW = 20.0  # seconds over which the speed is taken


class Progress:
    """Counts bytes from any thread and says how far they are, from entering to leaving.

    `done`: here already. `told` hears of it as well, with what is done and the whole.
    """

    def __init__(
        self,
        stage: str,
        total: int,
        *,
        done: int = 0,
        stream: TextIO | None = None,
        told: Callable[[int, int], None] = lambda done, total: None,
    ):
        self.stage, self.total, self.done = stage, total, done
        self._stream = stream or sys.stderr
        self._told = told
        self._live = self._stream.isatty()
        self._marks: deque[tuple[float, int]] = deque()
        self._lock, self._ended = Lock(), Event()
        self._teller = Thread(target=self._tell, daemon=True)

    def __enter__(self) -> "Progress":
        self._mark()
        self._told(self.done, self.total)
        self._teller.start()
        return self

    def __exit__(self, *_) -> None:
        self._ended.set()
        self._teller.join()
        self._told(self.done, self.total)
        self._say(end="\n")

    def add(self, count: int) -> None:
        with self._lock:
            self.done += count

    def _tell(self) -> None:
        due = time.monotonic() + PLAIN_SECONDS
        while not self._ended.wait(LIVE_SECONDS):
            self._told(self.done, self.total)
            if self._live:
                self._say(end="")
            elif time.monotonic() >= due:
                self._say(end="\n")
                due += PLAIN_SECONDS

    def _say(self, end: str) -> None:
        text = line(self.stage, self.done, self.total, self._mark())
        self._stream.write(f"\r{text:<79}{end}" if self._live else f"{text}{end}")
        self._stream.flush()

    def _mark(self) -> float:
        """Note how far it is now; returns the speed over the last seconds."""
        now = time.monotonic()
        self._marks.append((now, self.done))
        while len(self._marks) > 2 and now - self._marks[1][0] > _WINDOW:
            self._marks.popleft()
        since, before = self._marks[0]
        return max(0, self.done - before) / (now - since) if now > since else 0.0


def line(stage: str, done: int, total: int, speed: float) -> str:
    """`Downloading: 3.2 of 8.6 GB (37 %), 41.3 MB/s, 2 min 11 s left`; amounts in powers of ten."""
    share = 100 * done // total if total else 100
    said = f"{stage}: {amount(done)} of {amount(total)} ({share} %)"
    if done >= total:
        return said
    said += f", {amount(int(speed))}/s"
    return said + (f", {duration((total - done) / speed)} left" if speed > 0 else "")


def amount(count: int) -> str:
    """Bytes in the unit that suits them."""
    if count >= 1e9:
        return f"{count / 1e9:.1f} GB"
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.1f} kB"


def duration(seconds: float) -> str:
    hours, rest = divmod(round(seconds), 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
