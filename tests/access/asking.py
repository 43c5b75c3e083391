"""Asks the whole front as each kind of visitor does; the ledger lies in a folder of the test's own."""

import orjson

from medserver.server import Front
from tests.front import app_with
from tests.scripted import Exchange, ended, run

STRANGER, MACHINE = "192.0.2.7", "127.0.0.1"
OWN_HOST = "192.0.2.1:8000"


def front(tmp_path, *scripts, **settings) -> Front:
    """A server that asks devices, unless the settings say otherwise."""
    return app_with(*(scripts or (["a", ended()],)), **{"open": False, "state_dir": tmp_path / "state"} | settings)[0]


def entrance_of(app: Front):
    return app.house.entrance


def exchange(method: str, path: str, client: str = STRANGER, body: bytes = b"", **headers: str) -> Exchange:
    host = "localhost:8000" if client == MACHINE else OWN_HOST
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Exchange(body, path=path, method=method, client=client, headers={"host": host} | named)


def ask(app: Front, method: str, path: str, client: str = STRANGER, body: bytes = b"", **headers: str) -> Exchange:
    asked = exchange(method, path, client, body, **headers)

    async def scene():
        await asked.of(app)

    run(scene())
    return asked


def pair(app: Front, client: str = STRANGER, **proof) -> Exchange:
    return ask(app, "POST", "/api/pairing", client, orjson.dumps(proof))


def code_of(asked: Exchange) -> str:
    return orjson.loads(asked.body)["code"]


def cookie_of(asked: Exchange) -> str:
    return asked.headers["set-cookie"].split(";")[0]
