"""The host and engines that misbehave: real child processes of a few lines each, instead of a worker."""

import asyncio
import os
import signal
import sys
import time
from contextlib import aclosing

import aiohttp
import pytest

from medserver.chat import Sampling
from medserver.engine import host as host_module
from medserver.engine import life as life_module
from medserver.engine.base import Ask, EngineFacts, EngineRow, Launch
from medserver.engine.host import EngineHost
from medserver.engine.patience import Patience
from medserver.engine.select import Candidate, Selection
from medserver.engine.supply import Supply
from medserver.errors import EngineLost, Unavailable

# A child that serves as an engine would, until it is told to do otherwise.
SERVING = """
import json, os, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Engine(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.answer({"data": [{"id": "odd"}]})
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not asked.get("stream"):
            self.answer(SELF_TEST)
            return
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        data = b'data: {"choices": [{"delta": {"content": "begun"}}]}\\n\\n'
        self.wfile.write(b"%x\\r\\n%s\\r\\n" % (len(data), data))
        self.wfile.flush()
        time.sleep(600)
    def answer(self, said):
        body = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
SELF_TEST = {"choices": [{"logprobs": {"content": [{"logprob": -1.5}]}}]}
server = ThreadingHTTPServer(("127.0.0.1", 0), Engine)
print(json.dumps({"port": server.server_port}), flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
"""
STAYS = SERVING + "sys.stdin.read()\n"


class Stage:
    """A host over children of `scripts`, in their order; `about` goes into every row."""

    def __init__(self, *scripts: str, **about):
        self.launches: list[str] = []
        rows = {f"odd{number}": self._row(f"odd{number}", script, about) for number, script in enumerate(scripts)}
        candidates = tuple(Candidate(name, ".") for name in rows)
        self.host = EngineHost(
            Selection(candidates, ()), {name: lambda row=row: row for name, row in rows.items()}, "odd"
        )

    def _row(self, name: str, script: str, about: dict) -> EngineRow:
        def launch() -> Launch:
            self.launches.append(name)
            return Launch((sys.executable, "-c", script), b"orders\n", "secret")

        return EngineRow(name, launch, lambda _: EngineFacts(True, 100), **about)

    async def __aenter__(self) -> "Stage":
        self.host.start()
        return self

    async def __aexit__(self, *_) -> None:
        await self.host.close()

    async def until(self, reached, seconds: float = 20.0):
        deadline = time.monotonic() + seconds
        while not reached(self.host.status):
            assert time.monotonic() < deadline, self.host.status
            await asyncio.sleep(0.01)
        return self.host.status


def scene(*scripts: str, until, **about):
    """Play until `until(status)`; the status then, and how many children were started."""

    async def play():
        async with Stage(*scripts, **about) as stage:
            status = await stage.until(until)
            if status.state != "ready":
                with pytest.raises(Unavailable):
                    stage.host.engine()
            return status, len(stage.launches)

    return asyncio.run(play())


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch):
    monkeypatch.setattr(host_module, "BACKOFF", (0.01,))
    monkeypatch.setattr(life_module, "POLL_SECONDS", 0.02)


def ready(status) -> bool:
    return status.state == "ready"


def given_up(status) -> bool:
    return status.state == "failed"


def test_an_engine_that_serves_is_ready():
    status, starts = scene(STAYS, until=ready)
    assert (starts, status.restarts, status.why) == (1, 0, None)


def test_an_engine_that_says_why_it_cannot_start_is_not_tried_again():
    status, starts = scene('print(\'{"failed": "No weights."}\', flush=True)', until=given_up)
    assert (starts, status.why, status.restarts) == (1, "No weights.", 0)
    assert status.tried == (("odd0", "No weights."),)


@pytest.mark.parametrize("script", ["raise SystemExit(1)", "print('no json', flush=True)", "print('{}', flush=True)"])
def test_an_engine_that_never_starts_is_given_up_after_three_tries(script):
    status, starts = scene(script, until=given_up)
    assert starts == 3
    assert status.restarts == 2 and status.why


def test_an_engine_that_never_opens_its_port_is_given_up_and_ended(monkeypatch):
    monkeypatch.setattr(life_module, "PORT_SECONDS", 0.2)
    status, starts = scene("import time; time.sleep(600)", until=given_up)
    assert starts == 3 and "port" in status.why


def test_an_engine_that_falls_silent_while_it_loads_is_given_up(monkeypatch):
    monkeypatch.setattr(life_module, "PROBE", aiohttp.ClientTimeout(total=0.1))
    mute = (
        "import json, socket, sys; s = socket.create_server(('127.0.0.1', 0));"
        "print(json.dumps({'port': s.getsockname()[1]}), flush=True); sys.stdin.read()"
    )
    status, starts = scene(mute, until=given_up, silence=0.3)
    assert starts == 3 and "answering" in status.why


@pytest.mark.parametrize("ending", ["", "print('garbage', flush=True)", 'print(\'{"failed": "x"}\', flush=True)'])
def test_an_engine_that_was_ready_and_ends_is_started_again_whatever_it_says(ending):
    dying = SERVING + f"import time; time.sleep(0.4)\n{ending}\n"
    _, starts = scene(dying, until=lambda status: status.restarts >= 7)
    assert starts >= 7, "there is no other, so it is never given up"


def test_one_that_cannot_start_makes_room_for_the_next_at_once():
    status, starts = scene('print(\'{"failed": "No weights."}\', flush=True)', STAYS, until=ready)
    assert (status.name, starts, status.restarts) == ("odd1", 2, 0)
    assert status.tried == (("odd0", "No weights."),) and status.why is None


def test_one_that_keeps_crashing_makes_room_for_the_next():
    dying = SERVING + "time.sleep(0.3)\n"
    status, starts = scene(dying, STAYS, until=lambda status: status.name == "odd1" and ready(status))
    assert starts == host_module.CRASHES + 1
    [(name, why)] = status.tried
    assert name == "odd0" and why.startswith("It ended 5 times in a row")


def test_one_attempt_is_all_that_some_engines_get():
    _, starts = scene("raise SystemExit(1)", until=given_up, attempts=1)
    assert starts == 1


@pytest.mark.parametrize(
    "answer",
    [
        '{"choices": []}',
        '{"choices": [{"logprobs": {"content": []}}]}',
        '{"choices": [{"logprobs": {"content": [{"logprob": None}]}}]}',
        '{"choices": [{"logprobs": {"content": [{"logprob": float("inf")}]}}]}',
    ],
)
def test_one_whose_answers_are_not_finite_never_becomes_ready(answer):
    script = SERVING + f"SELF_TEST = {answer}\n" + "sys.stdin.read()\n"
    status, starts = scene(script, STAYS, until=ready, self_test=True)
    assert (status.name, starts) == ("odd1", 2)
    assert status.tried == (("odd0", "The self-test failed: the answer about words is empty or not finite."),)


ASK = Ask([{"role": "user", "content": "x"}], Sampling(max_tokens=8, temperature=0.0, top_p=1.0), 8)


async def begun(stage: Stage):
    """A stream of which the first piece has come; what is left of it."""
    stream = stage.host.engine().stream(ASK)
    await anext(stream)
    return stream


def test_one_that_is_stopped_counts_as_hung_and_its_streams_end(monkeypatch):
    monkeypatch.setattr(life_module, "WATCH_SECONDS", 0.1)
    monkeypatch.setattr(life_module, "WATCH_PROBE", aiohttp.ClientTimeout(total=0.2))

    async def play():
        async with Stage(STAYS + "#", STAYS) as stage:
            await stage.until(ready)
            async with aclosing(await begun(stage)) as stream:
                os.kill(_child_of_ours(), signal.SIGSTOP)
                with pytest.raises(EngineLost):
                    await asyncio.wait_for(anext(stream), 10)
            return await stage.until(lambda status: ready(status) and status.restarts == 1)

    status = asyncio.run(play())
    assert status.name == "odd0" and status.tried == ()


def test_an_answer_that_stops_half_way_ends_the_engine_that_gave_it():
    async def play():
        async with Stage(STAYS, patience=Patience(between=0.3)) as stage:
            await stage.until(ready)
            async with aclosing(await begun(stage)) as stream:
                with pytest.raises(EngineLost):
                    await asyncio.wait_for(anext(stream), 10)
            return await stage.until(lambda status: status.restarts == 1, seconds=10)

    assert asyncio.run(play()).why == "The engine stopped in the middle of an answer."


def _child_of_ours() -> int:
    import psutil

    [child] = [one for one in psutil.Process().children() if STAYS in " ".join(one.cmdline())]
    return child.pid


# A child that brings weights: what it says, line by line.
BRINGS = "print({said!r}, flush=True)\nimport sys; sys.stdin.read()"


def supplied(*said: str):
    """Play a host whose weights are brought by children that say `said` in turn; its states, and what the rows got."""

    async def play():
        row = EngineRow("odd", lambda: Launch((sys.executable, "-c", STAYS), b"", ""), lambda _: EngineFacts(True, 9))
        folders, states, turns = [], [], iter(said)

        def rows(folder):
            folders.append(str(folder))
            return {"odd": lambda: row}

        supply = Supply(lambda: Launch((sys.executable, "-c", BRINGS.format(said=next(turns))), b"", ""), rows)
        host = EngineHost(Selection((Candidate("odd", "."),), ()), supply, "odd")
        host.start()
        try:
            deadline = time.monotonic() + 30
            while host.status.state != "ready" and time.monotonic() < deadline:
                if not states or states[-1] != host.status:
                    states.append(host.status)
                await asyncio.sleep(0.005)
        finally:
            await host.close()
        return states, folders

    return asyncio.run(play())


def test_weights_that_are_still_to_come_are_brought_before_an_engine_starts():
    far = '{"stage": "download", "done": 3, "total": 8}'
    states, folders = supplied(far + '\n{"here": "/weights"}')
    assert folders == [os.path.normpath("/weights")]
    assert any(one.loading and (one.loading.stage, one.loading.done) == ("download", 3) for one in states)


def test_what_keeps_weights_away_is_said_and_they_are_asked_for_again(monkeypatch):
    monkeypatch.setattr(host_module, "SUPPLY_SECONDS", 0.2)
    states, folders = supplied('{"failed": "No token. [no_token]"}', '{"here": "/weights"}')
    assert next(one.why for one in states if one.state == "failed") == "No token. [no_token]" and len(folders) == 1
