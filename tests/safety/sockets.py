"""The front as it is run, in this process and on a real socket, so that what it reads can be counted."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass

import uvicorn

from medserver.access.tls import Tls
from medserver.config import Settings
from medserver.protocol import Protocol
from medserver.run import Server
from tests.front import until


@dataclass
class Listening:
    """`serving` ends when the server has."""

    port: int
    server: Server | None = None
    serving: asyncio.Task | None = None
    read: int = 0  # bytes that its connections were handed

    def status_of(self, answer: bytes) -> int:
        return int(answer.split(b" ", 2)[1]) if answer else 0


@contextlib.asynccontextmanager
async def listening(app, files: Tls | None = None) -> AsyncIterator[Listening]:
    """`files`: of a server that speaks TLS."""
    bound = socket.create_server(("127.0.0.1", 0))
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)  # so that little fills what a kernel would hold
    said = Listening(bound.getsockname()[1])

    class Counted(Protocol):
        def data_received(self, data: bytes) -> None:
            said.read += len(data)
            super().data_received(data)

    shown = {"ssl_certfile": files.chain, "ssl_keyfile": files.key} if files else {}
    config = uvicorn.Config(app, http=Counted, lifespan="off", log_config=None, **shown)
    server = said.server = Server(config, Settings(model="demo"))
    said.serving = asyncio.create_task(server.serve([bound]))
    await until(lambda: server.started)
    try:
        yield said
    finally:
        server.should_exit = server.force_exit = True
        await said.serving


async def answer_to(port: int, data: bytes, more: bytes = b"", times: int = 0) -> bytes:
    """What comes back to `data` and then `more`, many times over, until there is no use in sending any more."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    heard = asyncio.create_task(_heard(reader))
    try:
        writer.write(data)
        for _ in range(times):
            if heard.done():
                break
            writer.write(more)
            await writer.drain()
    except ConnectionError:
        pass
    answer = await heard
    writer.close()
    return answer


async def _heard(reader: asyncio.StreamReader) -> bytes:
    """Until the end of the connection, or of an answer that says how long it is."""
    said = b""
    try:
        while piece := await reader.read(65536):
            said += piece
            head, found, body = said.partition(b"\r\n\r\n")
            lengths = [int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            if found and lengths and len(body) >= lengths[0]:
                break
    except ConnectionError:
        pass
    return said


async def said(port: int, sent: bytes) -> bytes:
    """All that comes until the server hangs up; on our side nothing is ever closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    answer = await _until_the_end(reader)
    writer.close()
    return answer


async def said_over_tls(port: int, sent: bytes, files: Tls) -> bytes:
    """As `said`, after a handshake. The server's wish to close is heard by nobody."""
    heard, told = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context(cafile=str(files.authority))
    wrapped = client.wrap_bio(heard, told, server_hostname="localhost")
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while True:
        try:
            wrapped.do_handshake()
            break
        except ssl.SSLWantReadError:
            writer.write(told.read())
            heard.write(await reader.read(65536))
    wrapped.write(sent)
    writer.write(told.read())
    heard.write(await _until_the_end(reader))
    writer.close()
    answer = b""
    with contextlib.suppress(ssl.SSLError):
        while piece := wrapped.read():
            answer += piece
    return answer


async def _until_the_end(reader: asyncio.StreamReader) -> bytes:
    answer = b""
    with contextlib.suppress(ConnectionError):
        while piece := await reader.read(65536):
            answer += piece
    return answer
