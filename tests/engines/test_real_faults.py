"""Faults of the real engines behind the real command: killed, stopped, and a start that fails.

What is to happen is the same for all; SGLang and vLLM take part where `conftest.py` finds their environments.
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import psutil
import pytest

from tests import checkpoints
from tests.engines.conftest import ENVIRONMENTS
from tests.serving import Running, long_question

READY_SECONDS = 300  # the real ones import, load and warm up for about a minute on two free cores
ENGINES = ("transformers", *ENVIRONMENTS)
STARVED_KIB = 2_000_000  # enough to import, and to ask which version it is; not to serve


def interpreter(name: str) -> tuple[str, ...]:
    """The arguments that choose `name`; skips where it is not installed."""
    variable = ENVIRONMENTS.get(name)
    if variable is None:
        return ("--engine", name)
    if not os.environ.get(variable):
        pytest.skip(f"no environment with the real {name}: {variable} is not set")
    return ("--engine", name, "--engine-python", os.environ[variable])


@contextmanager
def serving(checkpoint, engine: tuple[str, ...]) -> Iterator[Running]:
    arguments = ("-m", "4", "--model-path", str(checkpoint), "--max-model-len", "2048")
    with Running(*arguments, "--rate-limit", "1000/minute", *engine) as running:
        running.until(lambda health: health["status"] == "ready", READY_SECONDS)
        yield running


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    # No head that both of them compute on a CPU is narrower.
    wide = replace(checkpoints.TINY, head_dim=32)
    return checkpoints.make(tmp_path_factory.mktemp("wide"), images=True, size=wide)


@pytest.fixture(scope="module", params=ENGINES)
def running(request, checkpoint) -> Iterator[Running]:
    with serving(checkpoint, interpreter(request.param)) as running:
        yield running


def engine_of(running: Running) -> list[psutil.Process]:
    """The processes of the engine, parents first; image decoders and whatever watches over the engine are not of it."""
    programs = ("medserver.worker", "sglang", "vllm", "VLLM")
    below = [one for one in running.children() if "medserver.engine.keeper" not in one.cmdline()]
    return [one for one in below if any(word in f"{one.name()} {' '.join(one.cmdline())}" for word in programs)]


def broken_stream(running: Running, hit: list[psutil.Process], what: signal.Signals) -> tuple[list, float]:
    """The frames after `hit` met `what` in the middle of an answer, and the seconds until the last of them."""
    with running.streaming("Hello", **long_question(ignore_eos=True)) as frames:
        frames.until_token()
        started = time.monotonic()
        for process in hit:
            process.send_signal(what)
        return list(frames), time.monotonic() - started


def until_replaced(running: Running, restarts: int) -> None:
    running.until(lambda health: health["engine"]["restarts"] > restarts and health["status"] == "ready", READY_SECONDS)


def all_gone(processes: list[psutil.Process]) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=10)
    return [one for one in alive if _runs(one)] == []


def _runs(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


@pytest.mark.parametrize("part", [0, -1], ids=["its first process", "its last process"])
def test_one_that_is_killed_ends_its_streams_at_once_and_comes_back(running: Running, part: int):
    before = engine_of(running)
    restarts = running.health()["engine"]["restarts"]
    frames, seconds = broken_stream(running, [before[part]], signal.SIGKILL)
    *_, error, done = frames
    assert error["code"] == "engine_lost" and done == "[DONE]"
    assert sum("error" in frame for frame in frames if frame != "[DONE]") == 1
    assert seconds < 2
    assert running.client.get("/").status_code == 200, "the page never goes away"
    until_replaced(running, restarts)
    assert all_gone(before)
    assert running.chat(max_tokens=4, stream=False).status_code == 200


def test_one_that_is_stopped_counts_as_hung_and_is_replaced(running: Running):
    before = engine_of(running)
    restarts = running.health()["engine"]["restarts"]
    frames, _ = broken_stream(running, before, signal.SIGSTOP)
    assert frames[-2]["code"] == "engine_lost" and frames[-1] == "[DONE]"
    until_replaced(running, restarts)
    assert all_gone(before)
    assert running.chat(max_tokens=4, stream=False).status_code == 200


@pytest.fixture
def starved(tmp_path):
    """Makes an interpreter that gets less address space than an engine needs, so that it runs out on the way."""

    def make(name: str) -> tuple[str, ...]:
        *flags, python = interpreter(name)
        program = tmp_path / "python"
        program.write_text(f'#!/bin/sh\nulimit -v {STARVED_KIB}\nexec "{python}" "$@"\n')
        program.chmod(0o755)
        return *flags, str(program)

    return make


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_one_that_cannot_start_makes_room_for_the_next_and_leaves_nothing_behind(name: str, checkpoint, starved):
    with serving(checkpoint, starved(name)) as running:
        engine = running.health()["engine"]
        assert engine["name"] == "transformers"
        [given_up] = [one for one in engine["tried"] if one["name"] == name]
        assert given_up["why"]
        assert [one for one in engine_of(running) if "medserver.worker" not in one.cmdline()] == []
        assert running.chat(max_tokens=4, stream=False).status_code == 200
