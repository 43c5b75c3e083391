"""Requests that have no slot yet, in the order they came; for any thread."""

import threading
from collections import deque
from collections.abc import Callable

from medserver.worker.request import Request


class Queue:
    """First come, first served. Whoever serves it sleeps in `wait` until there is something to do."""

    def __init__(self) -> None:
        self._waiting: deque[Request] = deque()
        self._wake = threading.Condition()
        self._closing = False

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def first(self) -> Request | None:
        with self._wake:
            return self._waiting[0] if self._waiting else None

    def add(self, request: Request) -> None:
        with self._wake:
            self._waiting.append(request)
            self._wake.notify()

    def wake(self) -> None:
        with self._wake:
            self._wake.notify()

    def close(self) -> None:
        with self._wake:
            self._closing = True
            self._wake.notify()

    def wait(self, busy: Callable[[], bool], seconds: float) -> bool:
        """Until `busy`, which may ask how many wait, and no longer than so many `seconds`; false once it is closed."""
        with self._wake:
            self._wake.wait_for(lambda: self._closing or busy(), seconds)
            return not self._closing

    def remove(self, request: Request) -> None:
        """Take it out, if it is still in."""
        with self._wake:
            if request in self._waiting:
                self._waiting.remove(request)

    def drop_cancelled(self) -> None:
        with self._wake:
            self._waiting = deque(request for request in self._waiting if not request.cancelled.is_set())
