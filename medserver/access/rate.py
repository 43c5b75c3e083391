"""How often a client may ask, kept by slowapi's limiter in this process; decided before the body is read."""

import functools
import math
import time
from collections.abc import Awaitable, Callable

import limits
from slowapi import Limiter
from starlette.requests import Request
from starlette.responses import Response

from medserver.access.client import client_of
from medserver.access.recent import Recent
from medserver.errors import TooMany

SCOPE = "answers"

Route = Callable[[Request], Awaitable[Response]]


class RateLimit:
    """One budget per client, shared by all routes that start an answer. `rate` as in `20/minute`."""

    def __init__(self, rate: str):
        storage = f"{Recent.STORAGE_SCHEME}://"
        self.limiter = Limiter(key_func=client_of, strategy="moving-window", storage_uri=storage).limiter
        self._rate = limits.parse(rate)

    def guard(self, route: Route) -> Route:
        """`route`, for who may ask. slowapi's own decorator reads the signatures anew with each request."""

        @functools.wraps(route)
        async def guarded(request: Request) -> Response:
            await self.count(client_of(request))
            return await route(request)

        return guarded

    async def count(self, client: str) -> None:
        """As `hit`, wherever it is kept."""
        self.hit(client)

    def hit(self, client: str) -> None:
        """Count a request.

        Raises:
            TooMany: it is one too many; with the seconds until this client may ask again.
        """
        if self.limiter.hit(self._rate, client, SCOPE):
            return
        reset, _ = self.limiter.get_window_stats(self._rate, client, SCOPE)
        raise refusal(self._rate, reset - time.monotonic())


def over_hosts(alone: RateLimit, rate: str, store: str | None) -> RateLimit:
    """`alone`, or the limit of several hosts where they have a `store` in common.

    Raises:
        BadSetting: as `SharedRate`.
    """
    if store is None:
        return alone
    from medserver.access.shared_rate import SharedRate  # what it stands on is of no use without a store

    return SharedRate(rate, store, alone)


def refusal(rate: limits.RateLimitItem, seconds: float) -> TooMany:
    """What a client is told who has asked too often, and may ask again in `seconds`."""
    message = f"Too many requests: {rate} are answered for each client."
    return TooMany(message, retry_after=max(1, math.ceil(seconds)))
