"""When each client asked last, for one rate, kept only for as long as it counts; it decides nothing.

The memory storage of `limits` starts a thread with the requests, which walks over every client there ever was: none is
forgotten, and who comes from ever new addresses makes each request dearer for all.
"""

import bisect
import time
from collections import OrderedDict

from limits.storage import MovingWindowSupport, Storage


class Recent(Storage, MovingWindowSupport):
    """The clients in the order of their last request that was counted, each with the moments of its own."""

    STORAGE_SCHEME = "recent"
    base_exceptions = ()

    def __init__(self, uri: str | None = None, **options):
        super().__init__(uri, **options)
        self._clients: OrderedDict[str, list[float]] = OrderedDict()

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        now = time.monotonic()
        moments = self._counting(key, now - expiry)
        if len(moments) + amount > limit:
            return False
        moments.extend([now] * amount)
        self._clients[key] = moments
        self._clients.move_to_end(key)
        return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        now = time.monotonic()
        moments = self._counting(key, now - expiry)
        return (moments[0] if moments else now), len(moments)

    def _counting(self, key: str, since: float) -> list[float]:
        """The moments of a client that still count; who has none left is forgotten, whoever it is."""
        while self._clients and next(iter(self._clients.values()))[-1] <= since:
            self._clients.popitem(last=False)
        moments = self._clients.get(key, [])
        del moments[: bisect.bisect_right(moments, since)]
        return moments

    def clear(self, key: str) -> None:
        self._clients.pop(key, None)

    def reset(self) -> int:
        forgotten = len(self._clients)
        self._clients.clear()
        return forgotten

    def check(self) -> bool:
        return True

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        raise NotImplementedError  # of other strategies, as are the two below

    get = get_expiry = incr
