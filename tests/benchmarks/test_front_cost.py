"""What the front costs is measured on real processes: the clock is the kernel's own, and the relay changes nothing."""

import asyncio
import subprocess
import sys
import time
from contextlib import ExitStack

import psutil

from benchmarks import client, front, scenarios, workload
from benchmarks.tree import cpu_seconds_of

SPINS = "import time; end = time.process_time() + 0.2\nwhile time.process_time() < end: pass\ninput()"


def test_the_clock_of_a_process_counts_what_it_works_and_not_what_it_waits():
    with subprocess.Popen([sys.executable, "-c", SPINS], stdin=subprocess.PIPE) as spinning:
        process = psutil.Process(spinning.pid)
        deadline = time.monotonic() + 30
        while cpu_seconds_of(process) < 0.2:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        while process.status() != psutil.STATUS_SLEEPING:
            time.sleep(0.01)
        worked = cpu_seconds_of(process)
        time.sleep(0.3)
        assert cpu_seconds_of(process) - worked < 0.05
        spinning.stdin.close()
    assert abs(sum(psutil.Process().cpu_times()[:2]) - cpu_seconds_of(psutil.Process())) < 0.1


def test_what_the_relay_carries_is_what_the_engine_said(tmp_path):
    with ExitStack() as stack:
        engine = front.scripted_engine(stack, tmp_path, 0)
        _, url = front.server_before(engine, front.RELAY, stack, tmp_path)

        async def both() -> list[client.Answer]:
            body = workload.body(workload.text(), 500, None)
            urls = [f"http://127.0.0.1:{engine}", *[url] * 8]
            return await asyncio.gather(*(client.ask(one, body) for one in urls))

        direct, *relayed = asyncio.run(both())
    assert len(direct.text) > 500
    assert {answer.text for answer in relayed} == {direct.text}


def test_who_stands_before_an_engine_is_asked_in_turns_with_it(monkeypatch):
    asked = []

    async def ask(url, body):
        asked.append(url)
        return client.Answer(200, ["a"], [0.030 if url == "engine" else 0.032], 0.04, 2)

    monkeypatch.setattr(scenarios, "ask", ask)
    engine = scenarios.Target("engine", None)
    figures = asyncio.run(scenarios.first_tokens(scenarios.Target("front", None, behind=engine)))
    assert asked == ["front", "engine"] * scenarios.FIRSTS
    assert abs(figures["TTFT p50 ms"] - 32) < 1e-6 and abs(figures[scenarios.ADDED] - 2) < 1e-6
    assert scenarios.ADDED not in asyncio.run(scenarios.first_tokens(engine))
