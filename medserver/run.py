"""Runs the front in this process: binds the port, says where it is, serves until it is told to stop."""

import contextlib
import signal
import socket
import sys
from collections.abc import Iterator

import uvicorn

from medserver.config import SHUTDOWN_SECONDS, BadSetting, Settings
from medserver.models import TERMS
from medserver.server import create_app
from medserver.weights import serving_for


class Server(uvicorn.Server):
    """uvicorn, which also tells the house at the first signal, so that open streams end with a word."""

    def handle_exit(self, sig: int, frame) -> None:
        self.config.app.state.house.closing.set()
        super().handle_exit(sig, frame)

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


def serve(settings: Settings) -> int:
    """Serve until SIGINT or SIGTERM; returns the exit code.

    Raises:
        BadSetting: the checkpoint or the address cannot be used.
    """
    serving = serving_for(settings)
    listening = _listen(settings)
    app = create_app(settings, serving)
    server = Server(
        uvicorn.Config(
            app,
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # a client is who connects; anybody can write a header
            timeout_graceful_shutdown=int(SHUTDOWN_SECONDS),
        )
    )
    _greet(settings, serving.variant.name, serving.note)
    server.run(sockets=[listening])
    return 0 if server.started else 3


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    if sys.platform != "win32":  # there the option would let another program share the port
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
    except OSError as error:
        listening.close()
        raise BadSetting(
            f"{settings.host} port {settings.port} cannot be used: {error.strerror}. Choose another with -p."
        ) from None
    listening.listen(2048)
    return listening


def _greet(settings: Settings, name: str, note: str | None) -> None:
    """What the person at the terminal needs next: the addresses, and what this is not for."""
    lines = [f"MedServer serves {name}"]
    lines += [f"  {note}"] if note else []
    lines += [f"  http://{address}:{settings.port}" for address in _addresses(settings.host)]
    lines += [
        "For research and clinical decision support; not FDA-approved or CE-marked, not for direct patient care",
        "without validation. " + TERMS,
    ]
    print("\n".join(lines), flush=True)


def _addresses(host: str) -> list[str]:
    if host not in ("0.0.0.0", "::"):
        return [f"[{host}]" if ":" in host else host]
    addresses = ["localhost"]
    # The address this machine would use towards the network; connecting a datagram socket sends nothing.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            addresses.append(probe.getsockname()[0])
        except OSError:
            pass
    return addresses
