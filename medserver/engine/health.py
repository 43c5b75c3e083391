"""Whether a server is to be asked, judged by how it did lately. Pure: the time and the chance are handed in.

             failures in a row               cool-down over
up ───────────────────────────────▶ down ───────────────────────▶ tried once more
 ▲                                   ▲                                  │
 └── an answer came to its end       └──── failed: a longer cool-down ──┤
 └──────────────────────────────────────── a probe was answered ────────┘
"""

import random
import time
from collections.abc import Callable
from typing import Literal

# Requests and probes are counted apart: one that answers its probes may fail all its answers.
Kind = Literal["probe", "answer"]

FAILURES = 3
COOL_DOWN = (1.0, 30.0)  # seconds: after the first ejection, and at most; doubled each time
SPREAD = 0.2  # so that servers that went down together are not all tried at the same moment


class Health:
    """A circuit breaker. It begins down and due, so that nobody is asked before a first probe was answered."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, chance: Callable[[], float] = random.random):
        self._clock = clock
        self._chance = chance
        self._failures: dict[Kind, int] = {"probe": 0, "answer": 0}
        self._ejections = 0
        self._due = clock()
        self.up = False

    @property
    def proven(self) -> bool:
        """Up, and an answer has come to its end since it was last ejected, or it never was."""
        return self.up and not self._ejections

    @property
    def due_in(self) -> float:
        """Seconds until one that is down may be tried again."""
        return 0.0 if self.up else max(0.0, self._due - self._clock())

    def succeeded(self, kind: Kind) -> None:
        self._failures[kind] = 0
        if kind == "answer":
            self._ejections = 0
        self.up = True

    def failed(self, kind: Kind) -> None:
        """One more failure; a server that is down or has just come back is given no second one."""
        self._failures[kind] += 1
        if self.proven and self._failures[kind] < FAILURES:
            return
        if self.up or self.due_in == 0:  # what was still running as it went down is no news
            self._eject()

    def _eject(self) -> None:
        first, longest = COOL_DOWN
        pause = min(first * 2 ** min(self._ejections, 16), longest)
        self._due = self._clock() + pause * (1 + SPREAD * (2 * self._chance() - 1))
        self._ejections += 1
        self._failures = {"probe": 0, "answer": 0}
        self.up = False
