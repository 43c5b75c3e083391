"""The whole front, asked many times over without a socket; one loop for all, as its decoders belong to one."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from tests.front import app_with
from tests.scripted import Exchange, ended

ANSWERS = 20_000


class Front:
    """`engine.asks` keeps what reached the model."""

    def __init__(self, **settings):
        scripts = (["a", ended()] for _ in range(ANSWERS))
        self.app, self.house, self.engine = app_with(*scripts, **{"rate_limit": "1000000/second"} | settings)
        self._loop = asyncio.new_event_loop()

    def ask(self, path: str, body: bytes, **headers: str) -> Exchange:
        exchange = Exchange(body, path=path, headers={"content-type": "application/json"} | headers)

        async def scene() -> None:
            await asyncio.wait_for(exchange.of(self.app), 60)

        self._loop.run_until_complete(scene())
        return exchange

    def close(self) -> None:
        self._loop.run_until_complete(self.house.decoders.close())
        self._loop.close()


@contextmanager
def opened(**settings) -> Iterator[Front]:
    front = Front(**settings)
    try:
        yield front
    finally:
        front.close()
