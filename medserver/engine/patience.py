"""How long an engine may be silent; it does not know what is waited for."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from math import inf


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds without a byte: `first` until the answer has begun, `between` from then on."""

    first: float = inf
    between: float = inf

    @property
    def head(self) -> float | None:
        """`first` as libraries say it, to whom None is for ever."""
        return None if self.first == inf else self.first


FOREVER = Patience()
# An engine on this machine is probed by its host; a prefill may take minutes on a CPU, an answer that has begun not.
OWN = Patience(between=180.0)
REMOTE = Patience(first=300.0, between=60.0)


class Watch:
    """Calls `give_up` once nothing was heard for too long. A context manager.

    One timer that is set anew when it runs out: a wait with a timeout for each chunk would cost more than the chunk.
    """

    def __init__(self, patience: Patience, give_up: Callable[[], None]):
        self._patience = patience
        self._give_up = give_up
        self._loop = asyncio.get_running_loop()
        self._limit = patience.first
        self.begun = False
        self._heard = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> "Watch":
        self._look()
        return self

    def __exit__(self, *_) -> None:
        self._stop()

    def heard(self) -> None:
        self._heard = self._loop.time()

    def began(self) -> None:
        """The answer has begun; saying so again changes nothing."""
        if not self.begun:
            self.begun = True
            self._limit = self._patience.between
            self._stop()
            self._look()

    def _look(self) -> None:
        left = self._heard + self._limit - self._loop.time()
        if left <= 0:
            self._give_up()
        elif left < inf:
            self._timer = self._loop.call_later(left, self._look)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
