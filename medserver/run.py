"""Runs the front in this process: binds the port, says where it is, serves until it is told to stop."""

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import uvicorn

from medserver.access.addresses import is_loopback
from medserver.config import SHUTDOWN_SECONDS, Settings
from medserver.crew.common import Common
from medserver.engine.host import EngineHost
from medserver.house import build_common
from medserver.hurry import hurry, short_handshakes
from medserver.models import TERMS
from medserver.parse import BadSetting
from medserver.protocol import Protocol
from medserver.server import Front, create_app
from medserver.service.notify import notify
from medserver.weights import serving_for

if TYPE_CHECKING:
    from medserver.access.tls import Tls

log = logging.getLogger("medserver")

LOOK_SECONDS = 1.0  # of the date that answers carry
LAST_RESORT_SECONDS = int(SHUTDOWN_SECONDS) + 1  # for work that goes on though its connection has gone
BACKLOG = 2048  # connections that nobody has taken yet
OPEN_FILES = 65536
SEND_BUFFER = 32 * 1024  # bytes for each connection; left alone, the kernel would keep megabytes for who reads slowly


class Server(uvicorn.Server):
    """uvicorn, which also tells the house at the first signal, so that open streams end with a word.

    Whoever started us as a service hears when we answer, which is long before the model does, and when we end.
    """

    def __init__(self, config: uvicorn.Config, settings: Settings):
        super().__init__(config)
        self._settings = settings
        self._ending = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def handle_exit(self, sig: int, frame) -> None:
        notify("STOPPING=1")
        self.config.app.house.closing.set()
        super().handle_exit(sig, frame)
        if self._loop:
            self._loop.call_soon_threadsafe(self._ending.set)

    async def main_loop(self) -> None:
        """As uvicorn's, which looks ten times a second whether it is to end: each look wakes who has nothing to do."""
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):  # which also renews the date that answers carry
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._ending.wait(), LOOK_SECONDS)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        with short_handshakes():
            await super().startup(sockets)
        notify("READY=1")
        self._hurrying = asyncio.create_task(hurry(self.server_state.connections))
        if self.config.is_ssl:
            self._renewing = asyncio.create_task(self._renew())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's, but who has not taken their last words in time is hung up on, so that all ends in order.

        uvicorn would cancel what still writes to them, in the middle, and wait for nothing of it; it would wait for
        handshakes that are half made, from Python 3.12 on.
        """
        for server in self.servers:
            server.close()
        self.servers.clear()
        late = asyncio.get_running_loop().call_later(SHUTDOWN_SECONDS, self._hang_up)
        await super().shutdown(sockets)
        late.cancel()

    def _hang_up(self) -> None:
        for connection in tuple(self.server_state.connections):
            connection.transport.abort()

    async def _renew(self) -> None:
        """Take a renewed certificate, ours or the hospital's, for the connections from then on."""
        from medserver.access.tls import renewed

        async for files in renewed(self._settings):
            self.take(files)

    def take(self, files: "Tls") -> None:
        try:
            self.config.ssl.load_cert_chain(files.chain, files.key)
        except OSError as error:  # exchanged at this very moment; the next round sees it whole
            log.error("the certificate was not renewed: %s", error.strerror)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn's, but a signal that was obeyed is not raised again: an orderly end is exit code 0."""
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def serve(settings: Settings, host: EngineHost | None = None) -> int:
    """Serve until SIGINT or SIGTERM; returns the exit code. `host`: as `create_app`'s.

    Raises:
        BadSetting: the checkpoint or the address cannot be used.
    """
    _allow_connections()
    serving = serving_for(settings)
    listening = _listen(settings)
    common = build_common(settings, serving, host)
    if settings.workers == 1:
        server = Server(config_for(create_app(settings, serving, common=common)), settings)
    if common.journal:
        common.journal.prepare()
    urls = _urls(settings)
    _greet(serving.variant.name, serving.note, urls)
    _tell_who_may_come_in(settings, common, urls)
    keep_for_good()
    if settings.workers > 1:
        from medserver.crew.lead import lead  # of no use to a server that answers by itself

        code = lead(settings, serving, common, listening)
    else:
        server.run(sockets=[listening])
        code = 0 if server.started else 3
    return code


def keep_for_good() -> None:
    """Let Python's collector leave out what is here by now and stays: to walk over all of it takes 20 ms, in the middle
    of some answer, and 0.3 s of CPU at the end.
    """
    gc.collect()
    gc.freeze()


def config_for(app: Front) -> uvicorn.Config:
    tls = app.house.tls
    return uvicorn.Config(
        app,
        loop="asyncio",  # what was tested; uvicorn would take another that is installed
        http=Protocol,
        ssl_certfile=tls and tls.chain,
        ssl_keyfile=tls and tls.key,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",  # nothing here speaks it; a library that is installed must not answer for us
        proxy_headers=False,  # a client is who connects; anybody can write a header
        timeout_graceful_shutdown=LAST_RESORT_SECONDS,
    )


def _allow_connections() -> None:
    """Raise the limit of open files as far as the machine allows: a stream is two of them, and 1024 are soon gone."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        usual, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(usual, min(most, OPEN_FILES)), most))


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    if sys.platform != "win32":  # there the option would let another program share the port
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)  # and of all that connect to it
    try:
        listening.bind((settings.host, settings.port))
    except OSError as error:
        listening.close()
        raise BadSetting(
            f"{settings.host} port {settings.port} cannot be used: {error.strerror}. Choose another with -p."
        ) from None
    listening.listen(BACKLOG)
    return listening


def _greet(name: str, note: str | None, urls: list[str]) -> None:
    """What the person at the terminal needs next: the addresses, and what this is not for."""
    lines = [f"MedServer serves {name}"]
    lines += [f"  {note}"] if note else []
    lines += [f"  {url}" for url in urls]
    lines += [
        "For research and clinical decision support; not FDA-approved or CE-marked, not for direct patient care",
        "without validation. " + TERMS,
    ]
    print("\n".join(lines), flush=True)


def _tell_who_may_come_in(settings: Settings, common: Common, urls: list[str]) -> None:
    if common.tls and common.tls.authority:
        print(f"Its certificate is its own: {urls[-1]}/trust helps devices to trust it.")
        print(f"SHA-256 {common.tls.fingerprint}", flush=True)
    if settings.trusted_proxy or not is_loopback(settings.host):
        print(common.entrance.standing(urls), flush=True)


def _urls(settings: Settings) -> list[str]:
    """Where the server is found; the address that other devices take comes last."""
    scheme = "https" if settings.https else "http"
    urls = [f"{scheme}://{address}:{settings.port}" for address in _addresses(settings.host)]
    if settings.allowed_host:
        outer = _in_url(settings.allowed_host[0])
        if settings.trusted_proxy:
            urls.append(f"https://{outer}")  # the proxy's
        elif not is_loopback(settings.host):
            urls.append(f"{scheme}://{outer}:{settings.port}")  # a container knows no other address of its host
    return urls


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _addresses(host: str) -> list[str]:
    if host not in ("0.0.0.0", "::"):  # nosec B104 # only looked at, nothing is bound
        return [_in_url(host)]
    addresses = ["localhost"]
    # The address this machine would use towards the network; connecting a datagram socket sends nothing.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            addresses.append(probe.getsockname()[0])
        except OSError:
            pass
    return addresses
