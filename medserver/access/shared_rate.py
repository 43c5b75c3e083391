"""How often a client may ask, counted in a Redis for several hosts; while none can be reached, on this host alone."""

import asyncio
import hashlib
import logging
import time

from limits.aio.storage import Storage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import ConfigurationError
from limits.storage import storage_from_string

from medserver.access.rate import SCOPE, RateLimit, refusal
from medserver.config import BadSetting

log = logging.getLogger("medserver")

PATIENCE_SECONDS = 0.1  # a refusal must not take longer than this, so the store must not either
AWAY_SECONDS = 5.0  # so long a store that did not answer is not asked again


class SharedRate(RateLimit):
    """`store` as `redis://host:6379/0`; `alone` counts while it cannot be reached.

    The store hears a hash of each client, keyed with `store` itself, which all its hosts have: neither an address nor
    the name of a session or key. Times are those of the hosts, whose clocks should agree to a second.

    Raises:
        BadSetting: the client of Redis is not installed, or `store` is not understood.
    """

    def __init__(self, rate: str, store: str, alone: RateLimit):
        super().__init__(rate)
        self._secret = hashlib.blake2b(store.encode(), digest_size=32).digest()
        self._alone = alone
        storage = opened(store)
        self._limiter = MovingWindowRateLimiter(storage)
        named = storage.base_exceptions
        self._troubles = (*(named if isinstance(named, tuple) else (named,)), OSError, asyncio.TimeoutError)
        self._away_until = 0.0

    async def count(self, client: str) -> None:
        if time.monotonic() >= self._away_until:
            try:
                wait = await asyncio.wait_for(self._wait(client), PATIENCE_SECONDS)
            except self._troubles:
                self._away_until = time.monotonic() + AWAY_SECONDS
                log.warning("the store of the rate limit does not answer: each host counts for itself meanwhile")
            else:
                if wait:
                    raise refusal(self._rate, wait)
                return
        await self._alone.count(client)

    async def _wait(self, client: str) -> float:
        """Count a request; seconds until this client may ask again, 0 where it may now."""
        name = hashlib.blake2b(client.encode(), digest_size=16, key=self._secret).hexdigest()
        if await self._limiter.hit(self._rate, name, SCOPE):
            return 0.0
        reset, _ = await self._limiter.get_window_stats(self._rate, name, SCOPE)
        return max(0.001, reset - time.time())


def opened(store: str) -> Storage:
    """The storage that `store` names; it is not connected to before it is asked.

    Raises:
        BadSetting: the client of Redis is not installed, or `store` is not understood.
    """
    times = {"socket_timeout": PATIENCE_SECONDS, "socket_connect_timeout": PATIENCE_SECONDS}
    try:
        return storage_from_string(f"async+{store}", implementation="redispy", **times)
    except ConfigurationError:
        raise BadSetting(
            "--rate-limit-store needs the client of Redis: pip install 'medserver[redis]' in MedServer's environment."
        ) from None
    except ValueError:
        raise BadSetting("--rate-limit-store is no address of a Redis, such as redis://10.0.0.5:6379/0") from None
