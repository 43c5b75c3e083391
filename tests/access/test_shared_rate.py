"""One rate limit over several hosts, counted in a real Redis; and what is left of it when that goes away."""

import asyncio
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import httpx
import pytest

from benchmarks.tree import free_port
from medserver.access.rate import RateLimit, over_hosts
from medserver.access.shared_rate import PATIENCE_SECONDS, opened
from medserver.config import Settings
from medserver.doctor.report import findings_for
from medserver.errors import TooMany
from medserver.parse import BadSetting
from tests.serving import Running, question

RATE = "3/minute"
OTHER = "192.0.2.8"
# The two are one program, which goes by the name it is called by.
REDIS = shutil.which("redis-server") or shutil.which("redis-check-rdb")
pytestmark = pytest.mark.skipif(REDIS is None, reason="Redis is not on this machine")


@contextmanager
def redis():
    """Its process and its address."""
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--requirepass", "se:cret"]
    with subprocess.Popen(command, executable=REDIS, stdout=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 10
            store = f"redis://:se%3Acret@127.0.0.1:{port}/0"
            while not asyncio.run(opened(store).check()):
                assert time.monotonic() < deadline and process.poll() is None
                time.sleep(0.05)
            yield process, store
        finally:
            process.send_signal(signal.SIGCONT)
            process.kill()


async def counted(*asked: tuple[RateLimit, str]) -> list[int]:
    """For each request 0 where it is let in, else the seconds that its client is told to wait."""
    told = []
    for rate, client in asked:
        try:
            await rate.count(client)
            told.append(0)
        except TooMany as refused:
            told.append(refused.retry_after)
    return told


def hosts(store: str, count: int = 2) -> list[RateLimit]:
    return [over_hosts(RateLimit(RATE), RATE, store) for _ in range(count)]


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::/64"])
def test_several_hosts_count_an_address_together_and_each_for_itself(address):
    with redis() as (_, store):
        one, two = hosts(store)
        told = asyncio.run(counted(*[(one, address), (two, address)] * 2, (two, address), (one, OTHER), (two, OTHER)))
    assert told[:3] == [0, 0, 0] and told[5:] == [0, 0]
    assert all(55 <= seconds <= 60 for seconds in told[3:5])


@pytest.mark.parametrize("own", ["key 1", "session 5f2a", "127.0.0.1", "::1"])
def test_what_is_a_hosts_own_is_not_taken_for_the_same_of_another(own):
    with redis() as (_, store):
        one, two = hosts(store)
        told = asyncio.run(counted(*[(one, own)] * 4, *[(two, own)] * 4))
    assert [bool(seconds) for seconds in told] == [False, False, False, True] * 2


def test_neither_an_address_nor_a_name_stands_in_the_store():
    with redis() as (_, store):
        [host] = hosts(store, 1)
        asyncio.run(counted((host, "192.0.2.77"), (host, "session of ward 3")))
        port = store.rpartition(":")[2].partition("/")[0]
        held = subprocess.run(
            ["redis-cli", "-p", port, "-a", "se:cret", "--no-auth-warning", "keys", "*"], capture_output=True, text=True
        ).stdout
    assert len(held.split()) == 2 and "192.0.2.77" not in held and "ward" not in held


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
def test_while_it_is_away_each_host_counts_for_itself_and_nobody_waits_for_it(number):
    async def away(process, one, two) -> list[int]:
        told = await counted((one, OTHER), (two, OTHER))
        process.send_signal(number)
        started = time.monotonic()
        told += await counted(*[(one, OTHER)] * 4, *[(two, OTHER)] * 3)
        assert time.monotonic() - started < 2 * PATIENCE_SECONDS + 0.5, "each host asked once in vain"
        return [bool(seconds) for seconds in told]

    with redis() as (process, store):
        told = asyncio.run(away(process, *hosts(store)))
    assert told == [False, False, False, False, False, True, False, False, False]


def asked(running: Running) -> httpx.Response:
    """An answer for an address that a proxy tells of."""
    said = question("x", max_tokens=1, stream=False)
    headers = {"X-Forwarded-For": OTHER}
    return httpx.post(running.url + "/api/chat", json=said, headers=headers, trust_env=False)


def test_two_servers_refuse_a_client_together_and_say_nothing_of_the_store(multimodal_checkpoint):
    with redis() as (process, store):
        options = ("-m", "demo", "--model-path", str(multimodal_checkpoint), "--rate-limit", RATE)
        options += ("--open", "--trusted-proxy", "127.0.0.1")
        with (
            Running(*options, env={"MEDSERVER_RATE_LIMIT_STORE": store}) as one,
            Running(*options, "--workers", "2", env={"MEDSERVER_RATE_LIMIT_STORE": store}) as two,
        ):
            answers = [asked(running) for running in (one.until_ready(), two.until_ready(), one, two, one)]
            assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
            assert int(answers[-1].headers["retry-after"]) > 0
            process.kill()
            assert httpx.get(one.url + "/api/health", trust_env=False).status_code == 200
            assert asked(one).status_code == 200, "each host counts for itself"
            for running in (one, two):
                running.process.send_signal(signal.SIGTERM)
            said = one.process.stdout.read() + two.process.stdout.read()
    assert "store of the rate limit does not answer" in said and "se:cret" not in said and "se%3Acret" not in said


def test_the_doctor_asks_whether_it_answers(tmp_path, monkeypatch):
    def found(store: str) -> tuple[str, str]:
        findings = findings_for(Settings(rate_limit_store=store), {}, tmp_path)
        [state] = [(one.state, one.says) for one in findings if one.name == "limits"]
        return state

    with redis() as (_, store):
        assert found(store) == ("ok", "the Redis that counts it answers")
    assert found(store) == ("warn", "the Redis that should count it does not answer")
    monkeypatch.setitem(sys.modules, "redis", None)
    assert found(store)[0] == "fail"


def test_without_its_client_the_start_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(BadSetting, match="pip install 'medserver\\[redis\\]'"):
        over_hosts(RateLimit(RATE), RATE, "redis://127.0.0.1:1/0")
