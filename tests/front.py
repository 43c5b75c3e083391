"""The whole front on a scripted engine, asked without a socket; and its streams read back."""

import asyncio

import orjson

from medserver import server
from medserver.config import Settings
from medserver.engine.base import Serving
from medserver.house import House
from medserver.models import VARIANTS
from medserver.server import Front
from tests.scripted import Exchange, ScriptedEngine, ScriptedHost


def app_with(*scripts, problem=None, **settings) -> tuple[Front, House, ScriptedEngine]:
    engine = ScriptedEngine(*scripts)
    chosen = {"max_user_streams": 9, "rate_limit": "1000/second", "open": True} | settings
    serving = Serving(VARIANTS["demo"], "nowhere", True, 32, 16)
    app = server.create_app(Settings(model="demo", **chosen), serving, ScriptedHost(engine, problem))
    return app, app.house, engine


async def until(condition) -> None:
    while not condition():  # noqa: ASYNC110 (what it waits for is not ours to announce)
        await asyncio.sleep(0.001)


def frames(body: bytes) -> list:
    """The JSON of each frame, `[DONE]` as it is; comments are left out."""
    assert body.endswith(b"\n\n")
    payloads = [part.removeprefix(b"data: ") for part in body.split(b"\n\n")[:-1] if not part.startswith(b":")]
    return [payload.decode() if payload == b"[DONE]" else orjson.loads(payload) for payload in payloads]


def chat(text: str, path: str = "/api/chat", client: str = "192.0.2.7", **fields) -> Exchange:
    body = orjson.dumps({"messages": [{"role": "user", "content": text}], **fields})
    return Exchange(body, path=path, client=client, headers={"content-type": "application/json"})
