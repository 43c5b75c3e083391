"""How many threads compute: as many as there are cores that nobody else uses, looked at some times a second.

A product is split over threads that meet again after each: one that has to wait for its core holds up all others.
With a core of two taken by another program, two threads took 2.2 times as long as one (measured, decode steps).
"""

import os
from collections.abc import Callable
from time import perf_counter, process_time

import psutil
import torch

# Seconds between two looks. The images of a crowd take their decoders half a second, and what is seen of that holds
# until the next look.
LOOK = 0.25
STALE = 3.0  # seconds after which the last look says nothing of now


class Threads:
    """Belongs to the thread that computes: OpenMP keeps the number per thread.

    `busy`: seconds that the allowed cores were busy since the machine started, this process's own work among them.
    """

    def __init__(self, most: int, cores: int | None = None, busy: Callable[[], float] | None = None):
        """`most`: threads when all `cores` are free, which are those that this process may run on by default."""
        self._most = most
        self._allowed = allowed_cores()
        self._cores = cores or len(self._allowed)
        self._busy = busy or self._busy_seconds
        self.number = most
        self._looked = (float("-inf"), 0.0, 0.0)

    def adjust(self) -> None:
        """Before a piece of work; it costs nothing but once in `LOOK`."""
        now = perf_counter()
        if now - self._looked[0] < LOOK:
            return
        before, self._looked = self._looked, (now, self._busy(), process_time())
        passed, busy, own = (after - earlier for after, earlier in zip(self._looked, before, strict=True))
        if passed > STALE:
            return
        others = round((busy - own) / passed)
        self._use(min(self._most, max(1, self._cores - others)))

    def _use(self, number: int) -> None:
        if number != self.number:
            self.number = number
            torch.set_num_threads(number)

    def _busy_seconds(self) -> float:
        times = psutil.cpu_times(percpu=True)
        return sum(sum(one) - one.idle - getattr(one, "iowait", 0.0) for one in _of(times, self._allowed))


def allowed_cores() -> list[int]:
    """The cores that this process may run on, by number."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def _of(times: list, allowed: list[int]) -> list:
    """Those of the allowed cores; a container may see fewer than it may run on."""
    return [times[number] for number in allowed if number < len(times)]
