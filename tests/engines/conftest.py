"""Every engine that is to pass the contract, as a running process behind `medserver.engine.base.Engine`.

Our own worker always; the real vLLM and the real SGLang where `MEDSERVER_TEST_VLLM` and `MEDSERVER_TEST_SGLANG` name
the interpreters of their environments (`environments/make.py` builds them for a machine without a GPU).
"""

import asyncio
import io
import json
import os
import re
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import PIL.Image
import pytest

from medserver.config import Settings
from medserver.engine.base import Ask, Engine
from medserver.engine.host import EngineHost
from medserver.hardware import Hardware, probe
from medserver.house import build_host
from medserver.weights import serving_for
from tests import checkpoints

READY_SECONDS = 400  # about a minute on two free cores, which are not always free


@dataclass
class Subject:
    """An engine under test, on an event loop of its own so that it outlives a single test."""

    loop: asyncio.AbstractEventLoop
    host: EngineHost

    @property
    def engine(self) -> Engine:
        return self.host.engine()

    def run(self, work: Awaitable, seconds: float = 120):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(seconds)

    @property
    def name(self) -> str:
        return self.host.status.name

    async def running(self) -> int:
        """How many requests the engine itself counts as running."""
        path, count = _RUNNING[self.name]
        async with self.engine._session.get(path) as response:
            return count(await response.text())

    async def kept(self, asked: Ask) -> int:
        """How many tokens of this prompt the engine did not compute again, by its own count."""
        body = {**json.loads(self.engine._body(asked)), "stream": False, "return_cached_tokens_details": True}
        del body["stream_options"]
        before = await self._hits()
        async with self.engine._session.post("/v1/chat/completions", json=body) as response:
            assert response.status == 200
            said = await response.json()
        return _KEPT[self.name](said, await self._hits() - before)

    async def _hits(self) -> int:
        if self.name != "vllm":  # the others tell with the answer
            return 0
        async with self.engine._session.get("/metrics") as response:
            return int(float(re.search(r"^vllm:prefix_cache_hits_total\S* (\S+)", await response.text(), re.M)[1]))


_RUNNING = {
    "transformers": ("/stats", lambda said: json.loads(said)["running"]),
    "vllm": ("/metrics", lambda said: int(float(re.search(r"^vllm:num_requests_running\S* (\S+)", said, re.M)[1]))),
    "sglang": ("/v1/loads", lambda said: sum(one["num_running_reqs"] for one in json.loads(said)["loads"])),
}

_KEPT = {
    "transformers": lambda said, hits: said["usage"]["prompt_tokens_details"]["cached_tokens"],
    "vllm": lambda said, hits: hits,
    "sglang": lambda said, hits: ((said.get("sglext") or {}).get("cached_tokens_details") or {"device": 0})["device"],
}


def _transformers(checkpoint_fixture: str) -> Callable:
    def make(request) -> EngineHost:
        checkpoint = request.getfixturevalue(checkpoint_fixture)
        model = "4" if checkpoint_fixture.startswith("multimodal") else "27t"
        settings = Settings(model=model, model_path=checkpoint, max_model_len=1024)
        return build_host(settings, serving_for(settings), Hardware())

    return make


def _foreign(name: str) -> Callable:
    def make(request) -> EngineHost:
        directory = request.getfixturevalue("tmp_path_factory").mktemp(name)
        # No head that both of them compute on a CPU is narrower.
        checkpoint = checkpoints.make(directory, images=True, size=replace(checkpoints.TINY, head_dim=32))
        python = Path(os.environ[ENVIRONMENTS[name]])
        settings = Settings(model="4", model_path=checkpoint, max_model_len=1024, engine=name, engine_python=python)
        return build_host(settings, serving_for(settings), probe(python))

    return make


ENVIRONMENTS = {"vllm": "MEDSERVER_TEST_VLLM", "sglang": "MEDSERVER_TEST_SGLANG"}
ENGINES = {
    "transformers": _transformers("multimodal_checkpoint"),
    "transformers-text": _transformers("text_checkpoint"),
    **{name: _foreign(name) for name in ENVIRONMENTS},
}


@pytest.fixture(scope="module", params=ENGINES)
def subject(request):
    variable = ENVIRONMENTS.get(request.param)
    if variable and not os.environ.get(variable):
        pytest.skip(f"no environment with the real {request.param}: {variable} is not set")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    subject = Subject(loop, ENGINES[request.param](request))
    subject.run(_opened(subject.host), 2 * READY_SECONDS)  # it fails by itself, and says how far it has come
    yield subject
    subject.run(subject.host.close())
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()


async def _opened(host: EngineHost) -> None:
    host.start()
    wanted = host.status.name
    for _ in range(READY_SECONDS * 10):
        if host.status.state == "ready":
            return
        assert host.status.state != "failed" and host.status.name == wanted, host.status
        await asyncio.sleep(0.1)
    raise AssertionError(f"not ready: {host.status}")


@pytest.fixture(scope="session")
def png() -> Callable[[str], bytes]:
    def make(color: str) -> bytes:
        out = io.BytesIO()
        PIL.Image.new("RGB", (28, 28), color).save(out, "PNG")
        return out.getvalue()

    return make
