"""An engine's client before a scripted server, asked once."""

from contextlib import aclosing, asynccontextmanager

import aiohttp

from medserver.engine.base import Delta, End, EngineFacts
from medserver.engine.client import EngineClient
from medserver.engine.dialect import VLLM, Dialect
from medserver.engine.patience import Patience
from tests.engines.upstreams import MODEL, Wire, ask
from tests.scripted import run


@asynccontextmanager
async def client_of(wire: Wire, dialect: Dialect = VLLM, patience: Patience | None = None, on_failing=None):
    async with wire.open(), aiohttp.ClientSession(wire.url) as session:
        extra = {"patience": patience} if patience else {}
        extra |= {"on_failing": on_failing} if on_failing else {}
        yield EngineClient(session, MODEL, EngineFacts(True, 4096), dialect=dialect, **extra)


async def said(client: EngineClient, asked=None) -> tuple[str, End]:
    async with aclosing(client.stream(asked or ask())) as stream:
        *texts, end = [item async for item in stream]
    assert isinstance(end, End) and all(isinstance(one, Delta) and one.text for one in texts)
    return "".join(one.text for one in texts), end


def heard(wire: Wire, asked=None, **options) -> tuple[str, End]:
    async def scene():
        async with client_of(wire, **options) as client:
            return await said(client, asked)

    return run(scene())
