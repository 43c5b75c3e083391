"""Every engine that is to pass the contract, as a running process behind `medserver.engine.base.Engine`."""

import asyncio
import io
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import PIL.Image
import pytest

from medserver.config import Settings
from medserver.engine.base import Engine
from medserver.engine.host import EngineHost
from medserver.hardware import Hardware
from medserver.server import build_host
from medserver.weights import serving_for

READY_SECONDS = 120


@dataclass
class Subject:
    """An engine under test, on an event loop of its own so that it outlives a single test."""

    loop: asyncio.AbstractEventLoop
    host: EngineHost

    @property
    def engine(self) -> Engine:
        return self.host.engine()

    def run(self, work: Awaitable):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(120)

    async def running(self) -> int:
        """How many requests the engine itself counts as running."""
        async with self.engine._session.get("/stats") as response:
            return (await response.json())["running"]


def _transformers(checkpoint_fixture: str) -> Callable:
    def make(request) -> EngineHost:
        checkpoint = request.getfixturevalue(checkpoint_fixture)
        model = "4" if checkpoint_fixture.startswith("multimodal") else "27t"
        settings = Settings(model=model, model_path=checkpoint, max_model_len=1024)
        return build_host(settings, serving_for(settings), Hardware())

    return make


# SGLang and vLLM join this table with the engines issue.
ENGINES = {
    "transformers": _transformers("multimodal_checkpoint"),
    "transformers-text": _transformers("text_checkpoint"),
}


@pytest.fixture(scope="module", params=ENGINES)
def subject(request):
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    subject = Subject(loop, ENGINES[request.param](request))
    subject.run(_opened(subject.host))
    yield subject
    subject.run(subject.host.close())
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()


async def _opened(host: EngineHost) -> None:
    host.start()
    for _ in range(READY_SECONDS * 10):
        if host.status.state == "ready":
            return
        assert host.status.state != "failed", host.status
        await asyncio.sleep(0.1)
    raise AssertionError(f"not ready: {host.status}")


@pytest.fixture(scope="session")
def png() -> Callable[[str], bytes]:
    def make(color: str) -> bytes:
        out = io.BytesIO()
        PIL.Image.new("RGB", (28, 28), color).save(out, "PNG")
        return out.getvalue()

    return make
