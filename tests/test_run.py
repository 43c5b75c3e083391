"""The front's process: where it says that it is found, and for how long it waits for who connects.

Other devices take the last address, and the QR code holds it.
"""

import asyncio
import socket
from ipaddress import ip_network

import pytest
import uvicorn

from medserver import run
from medserver.config import Settings
from tests.front import until
from tests.scripted import run as run_scene

PROXY = (ip_network("127.0.0.1"),)


def urls(**chosen) -> list[str]:
    return run._urls(Settings(model="demo", **chosen))


@pytest.fixture(autouse=True)
def _one_network(monkeypatch):
    """The address towards the network is this machine's own matter."""
    found = run._addresses
    everywhere = ("0.0.0.0", "::")
    monkeypatch.setattr(
        run, "_addresses", lambda host: ["localhost", "192.0.2.1"] if host in everywhere else found(host)
    )


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({}, ["http://localhost:8000", "http://192.0.2.1:8000"]),
        ({"host": "::"}, ["http://localhost:8000", "http://192.0.2.1:8000"]),
        ({"host": "127.0.0.1", "port": 80}, ["http://127.0.0.1:80"]),
        ({"host": "2001:db8::1"}, ["http://[2001:db8::1]:8000"]),
        ({"host": "ward-pc.lan", "tls": "auto"}, ["https://ward-pc.lan:8000"]),
        (
            {"allowed_host": ("ward.example.org", "other.example.org")},
            ["http://localhost:8000", "http://192.0.2.1:8000", "http://ward.example.org:8000"],
        ),
        ({"host": "127.0.0.1", "allowed_host": ("ward.example.org",)}, ["http://127.0.0.1:8000"]),
        (
            {"host": "127.0.0.1", "allowed_host": ("ward.example.org",), "trusted_proxy": PROXY},
            ["http://127.0.0.1:8000", "https://ward.example.org"],
        ),
        (
            {"host": "127.0.0.1", "allowed_host": ("2001:db8::1",), "trusted_proxy": PROXY},
            ["http://127.0.0.1:8000", "https://[2001:db8::1]"],
        ),
    ],
)
def test_the_server_says_where_it_is_found(chosen, said):
    assert urls(**chosen) == said


def test_a_machine_without_a_network_is_found_at_localhost(monkeypatch):
    monkeypatch.undo()

    class Nowhere:
        def __enter__(self):
            return self

        def __exit__(self, *_) -> None:
            pass

        def connect(self, _) -> None:
            raise OSError

    monkeypatch.setattr(run.socket, "socket", lambda *_: Nowhere())
    assert urls() == ["http://localhost:8000"]


async def _slow_answer(scope, receive, send) -> None:
    await receive()
    await asyncio.sleep(0.5)
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def test_who_connects_and_asks_nothing_is_not_waited_for(monkeypatch):
    """Nor who asks the half, after a whole request too; an answer that takes long is not cut."""
    monkeypatch.setattr(run, "IDLE_SECONDS", 0.1)
    listening = socket.create_server(("127.0.0.1", 0))
    server = run.Server(uvicorn.Config(_slow_answer, lifespan="off", log_config=None), Settings(model="demo"))
    whole = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"

    async def said(sent: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        writer.write(sent)
        answer = await reader.read()
        writer.close()
        return answer

    async def scene() -> None:
        serving = asyncio.create_task(server.serve([listening]))
        await until(lambda: server.started)
        answers = await asyncio.gather(*(said(sent) for sent in (b"", whole[:9], whole, whole + whole[:9])))
        assert [len(answer.split(b"204 No Content")) - 1 for answer in answers] == [0, 0, 1, 1]
        server.should_exit = True
        await serving

    run_scene(scene())
