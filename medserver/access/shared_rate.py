"""How often an address may ask, counted in a Redis for several hosts; while none can be reached, on this host alone."""

import asyncio
import hashlib
import ipaddress
import logging
import secrets
import time
from urllib.parse import unquote, urlsplit

from limits.aio.storage import Storage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import ConfigurationError
from limits.storage import storage_from_string

from medserver.access.rate import SCOPE, RateLimit, refusal
from medserver.parse import BadSetting

log = logging.getLogger("medserver")

PATIENCE_SECONDS = 0.1  # a refusal must not take longer than this, so the store must not either
CONNECT_SECONDS = 3.0
AWAY_SECONDS = 5.0  # so long a store that did not answer is not asked again


class SharedRate(RateLimit):
    """`store` as `redis://host:6379/0`; `alone` counts while it cannot be reached.

    Sessions and keys are each host's own, as are those who ask from the machine itself, so they are counted for each
    host. The store is told a hash of each, keyed with its password: whoever knows that, and no one else, can find out
    the addresses. Times are those of the hosts, whose clocks should agree to a second.

    Raises:
        BadSetting: the client of Redis is not installed, or `store` is not understood.
    """

    def __init__(self, rate: str, store: str, alone: RateLimit):
        super().__init__(rate)
        self._secret = hashlib.blake2b(unquote(urlsplit(store).password or "").encode()).digest()
        self._host = secrets.token_hex(8)
        self._alone = alone
        storage = opened(store)
        self._limiter = MovingWindowRateLimiter(storage)
        named = storage.base_exceptions
        self._troubles = (*(named if isinstance(named, tuple) else (named,)), OSError)
        self._away_until = 0.0
        self._away = False
        self._late: set[asyncio.Task] = set()

    async def count(self, client: str) -> None:
        if time.monotonic() >= self._away_until:
            try:
                wait = await self._in_time(client)
            except self._troubles:
                self._away_until = time.monotonic() + AWAY_SECONDS
                self._say(away=True)
            else:
                self._say(away=False)
                if wait:
                    raise refusal(self._rate, wait)
                return
        await self._alone.count(client)

    async def _in_time(self, client: str) -> float:
        """As `_wait`. One that is late ends by itself: what took its time is most often the connection, which stays."""
        asked = asyncio.create_task(self._wait(client))
        self._late.add(asked)
        asked.add_done_callback(self._ended)
        done, _ = await asyncio.wait({asked}, timeout=PATIENCE_SECONDS)
        if not done:
            raise TimeoutError
        return asked.result()

    def _ended(self, asked: asyncio.Task) -> None:
        self._late.discard(asked)
        if not asked.cancelled():
            asked.exception()  # it was told, or nobody waits for it any more

    async def _wait(self, client: str) -> float:
        """Count a request; seconds until this client may ask again, 0 where it may now."""
        name = hashlib.blake2b(self._known_as(client).encode(), digest_size=16, key=self._secret).hexdigest()
        if await self._limiter.hit(self._rate, name, SCOPE):
            return 0.0
        reset, _ = await self._limiter.get_window_stats(self._rate, name, SCOPE)
        return max(0.001, reset - time.time())

    def _known_as(self, client: str) -> str:
        try:
            own = ipaddress.ip_network(client).is_loopback
        except ValueError:
            own = True
        return f"{self._host} {client}" if own else client

    def _say(self, *, away: bool) -> None:
        if away != self._away:
            self._away = away
            said = "does not answer: each host counts for itself meanwhile" if away else "answers again"
            log.warning("the store of the rate limit %s", said)


def opened(store: str) -> Storage:
    """The storage that `store` names; it is not connected to before it is asked.

    Raises:
        BadSetting: the client of Redis is not installed, or `store` is not understood.
    """
    try:
        import redis  # noqa: F401 # brought by an extra; `limits` reports all else the same way
    except ImportError:
        raise BadSetting(
            "--rate-limit-store needs the client of Redis: pip install 'medserver[redis]' in MedServer's environment."
        ) from None
    times = {"socket_timeout": CONNECT_SECONDS, "socket_connect_timeout": CONNECT_SECONDS}
    try:
        return storage_from_string(f"async+{store}", implementation="redispy", **times)
    except (ConfigurationError, ValueError):
        raise BadSetting("--rate-limit-store is no address of a Redis, such as redis://10.0.0.5:6379/0") from None
