"""The chunks that go out past h11 are those that h11 would have made."""

import asyncio
import socket

import pytest
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from medserver.protocol import Protocol
from tests.scripted import run

PIECES = [b"data: a\n\n", b"", b"x" * 70_000, "data: Grüße\n\n".encode()]
FIXED = [(b"Content-Length", str(sum(map(len, PIECES))).encode())]
REQUESTS = {
    "a stream": ("GET", "1.1", 200, []),
    "a stream for an old client": ("GET", "1.0", 200, []),
    "a head": ("HEAD", "1.1", 200, []),
    "a body whose length is told": ("GET", "1.1", 200, FIXED),
    "a body that says it comes in chunks": ("GET", "1.1", 200, [(b"transfer-encoding", b"chunked")]),
}


def app_of(status: int, headers: list):
    async def app(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": headers})
        for piece in PIECES:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    return app


async def on_the_wire(protocol: type, method: str, version: str, status: int, headers: list) -> bytes:
    config = uvicorn.Config(
        app_of(status, headers), http=protocol, lifespan="off", log_config=None, date_header=False, server_header=False
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = asyncio.create_task(server._serve([listening]))
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        writer.write(f"{method} / HTTP/{version}\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        said = await asyncio.wait_for(reader.read(), 30)
        writer.close()
        server.should_exit = True
        await serving
    return said


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_every_byte_is_as_h11_writes_it(request_):
    ours = run(on_the_wire(Protocol, *request_))
    assert ours == run(on_the_wire(H11Protocol, *request_))
    assert ours.startswith(b"HTTP/1.1 200")
    assert (b"data: a" in ours) is (request_[0] != "HEAD")
