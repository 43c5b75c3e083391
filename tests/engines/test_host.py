"""The host and engines that misbehave: real child processes of a few lines each, instead of a worker."""

import asyncio
import sys
import time

import pytest

from medserver.engine import host as host_module
from medserver.engine.base import EngineFacts, EngineRow, Launch
from medserver.engine.host import EngineHost
from medserver.engine.select import Candidate, Selection
from medserver.errors import Unavailable

# A child that serves as an engine would, until it is told to do otherwise.
SERVING = """
import json, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Engine(BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"data": [{}]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
server = ThreadingHTTPServer(("127.0.0.1", 0), Engine)
print(json.dumps({"port": server.server_port}), flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
"""
STAYS = SERVING + "sys.stdin.read()\n"


def scene(script: str, until, seconds: float = 20.0):
    """Run a host over children of `script` until `until(status)`; the status then, and how many were started."""
    launches = []

    def launch() -> Launch:
        launches.append(time.monotonic())
        return Launch((sys.executable, "-c", script), b"orders\n", "secret")

    async def play():
        row = EngineRow("odd", launch, "/ready", lambda _: EngineFacts(True, 100))
        host = EngineHost(Selection((Candidate("odd", "."),), ()), {"odd": lambda: row}, "odd")
        host.start()
        try:
            deadline = time.monotonic() + seconds
            while not until(host.status):
                assert time.monotonic() < deadline, host.status
                await asyncio.sleep(0.01)
            if host.status.state != "ready":
                with pytest.raises(Unavailable):
                    host.engine()
            return host.status, len(launches)
        finally:
            await host.close()

    return asyncio.run(play())


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch):
    monkeypatch.setattr(host_module, "BACKOFF", (0.01,))
    monkeypatch.setattr(host_module, "POLL_SECONDS", 0.02)


def given_up(status) -> bool:
    return status.state == "failed"


def test_an_engine_that_serves_is_ready():
    status, starts = scene(STAYS, lambda status: status.state == "ready")
    assert (starts, status.restarts, status.why) == (1, 0, None)


def test_an_engine_that_says_why_it_cannot_start_is_not_tried_again():
    status, starts = scene('print(\'{"failed": "No weights."}\', flush=True)', given_up)
    assert (starts, status.why, status.restarts) == (1, "No weights.", 0)
    assert status.tried == (("odd", "No weights."),)


@pytest.mark.parametrize("script", ["raise SystemExit(1)", "print('no json', flush=True)", "print('{}', flush=True)"])
def test_an_engine_that_never_starts_is_given_up_after_three_tries(script):
    status, starts = scene(script, given_up)
    assert starts == host_module.STARTS == 3
    assert status.restarts == 2 and status.why


def test_an_engine_that_never_opens_its_port_is_given_up_and_ended(monkeypatch):
    monkeypatch.setattr(host_module, "PORT_SECONDS", 0.2)
    status, starts = scene("import time; time.sleep(600)", given_up)
    assert starts == 3 and "port" in status.why


def test_an_engine_that_falls_silent_while_it_loads_is_given_up(monkeypatch):
    import aiohttp

    monkeypatch.setattr(host_module, "SILENCE_SECONDS", 0.3)
    monkeypatch.setattr(host_module, "PROBE", aiohttp.ClientTimeout(total=0.1))
    mute = (
        "import json, socket, sys; s = socket.create_server(('127.0.0.1', 0));"
        "print(json.dumps({'port': s.getsockname()[1]}), flush=True); sys.stdin.read()"
    )
    status, starts = scene(mute, given_up)
    assert starts == 3 and "answering" in status.why


@pytest.mark.parametrize("ending", ["", "print('garbage', flush=True)", 'print(\'{"failed": "x"}\', flush=True)'])
def test_an_engine_that_was_ready_and_ends_is_started_again_whatever_it_says(ending):
    dying = SERVING + f"import time; time.sleep(0.4)\n{ending}\n"
    _, starts = scene(dying, lambda status: status.restarts >= 4)
    assert starts >= 4, "it was ready each time, so it is never given up"
