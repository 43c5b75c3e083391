"""How often a client may ask, kept by slowapi in this process; decided before the body is read."""

import math
import time
from collections.abc import Callable

import limits
from slowapi import Limiter
from slowapi.errors import RateLimitExceeded
from starlette.requests import Request

from medserver.access.client import client_of
from medserver.access.recent import Recent
from medserver.errors import TooMany

_SCOPE = "answers"


class RateLimit:
    """One budget per client, shared by all routes that start an answer. `rate` as in `20/minute`."""

    def __init__(self, rate: str):
        self.limiter = Limiter(key_func=client_of, strategy="moving-window", storage_uri=f"{Recent.STORAGE_SCHEME}://")
        self.guard: Callable = self.limiter.shared_limit(rate, scope=_SCOPE)
        self._rate = limits.parse(rate)

    def hit(self, client: str) -> None:
        """Count a request that came in elsewhere.

        Raises:
            TooMany: it is one too many.
        """
        if not self.limiter.limiter.hit(self._rate, client, _SCOPE):
            raise self._too_many(self._rate, client, _SCOPE)

    def refusal(self, request: Request, exceeded: RateLimitExceeded) -> TooMany:
        """The refusal, with the seconds until this client may ask again."""
        item, keys = request.state.view_rate_limit
        return self._too_many(item, *keys)

    def _too_many(self, item: limits.RateLimitItem, *keys: str) -> TooMany:
        reset, _ = self.limiter.limiter.get_window_stats(item, *keys)
        seconds = max(1, math.ceil(reset - time.monotonic()))
        return TooMany(f"Too many requests: {item} are answered for each client.", retry_after=seconds)
