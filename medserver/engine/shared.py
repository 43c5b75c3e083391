"""An engine that another process keeps, as a host: nothing is started here, and nothing ended."""

from collections.abc import Callable
from typing import Any

import aiohttp

from medserver.engine.base import Engine, Reach
from medserver.engine.client import engine_at
from medserver.engine.connector import open_session
from medserver.engine.host import EngineStatus, Standing, absent


class SharedHost:
    """What it is told of the engine is all it knows. `on_failing`: as an engine's, with its port."""

    def __init__(self, standing: Standing, on_failing: Callable[[int, str], None]):
        self._standing = standing
        self._on_failing = on_failing
        self._session: aiohttp.ClientSession | None = None
        self._engine: Engine | None = None

    def start(self) -> None:
        """Within the running loop; engines come and go, and the session stays."""
        self._session = open_session()

    async def close(self) -> None:
        """Leave the engine as it is."""
        await self._session.close()

    def hear(self, standing: Standing) -> None:
        if standing.reach != self._standing.reach:
            self._engine = None
        self._standing = standing

    def engine(self) -> Engine:
        """The running engine.

        Raises:
            Unavailable: it is loading, or it is down.
        """
        reach = self._standing.reach
        if reach is None:
            raise absent(self.status)
        if self._engine is None:
            road = _Road(self._session, reach)
            self._engine = engine_at(reach, road, lambda why: self._on_failing(reach.port, why))
        return self._engine

    @property
    def status(self) -> EngineStatus:
        return self._standing.status

    @property
    def models(self) -> tuple[str, ...]:
        return self._standing.models

    @property
    def slots(self) -> int:
        return self._standing.slots


class _Road:
    """The session's way to one engine: as a session that was opened for it alone."""

    def __init__(self, session: aiohttp.ClientSession, reach: Reach):
        self._session = session
        self._url = f"http://127.0.0.1:{reach.port}/"
        self._headers = {"Authorization": f"Bearer {reach.secret}"}

    def post(self, path: str, **options: Any) -> Any:
        return self._session.post(self._url + path, headers=self._headers, **options)
