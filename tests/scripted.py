"""Stand-ins that play a script, for exact timing and exact faults; they compute nothing and open nothing.

ScriptedEngine   the contract of `medserver.engine.base.Engine`
ScriptedHost     what the front asks of its engine host
Exchange         one request to an ASGI app: what was sent, and when its client leaves
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable
from typing import Any

from hypothesis import HealthCheck, settings

from medserver.engine.base import Ask, Delta, End, EngineFacts
from medserver.engine.host import EngineStatus
from medserver.events import Usage
from medserver.models import ThinkingMarkers

MARKERS = ThinkingMarkers()
FACTS = EngineFacts(supports_images=True, max_model_len=8192, thinking_ids=(100, 101))

# Delta and End are given; a str is a Delta; a number is slept; an Event is waited for; an exception is raised.
Step = Delta | End | str | float | asyncio.Event | BaseException


def run(coroutine: Coroutine) -> Any:
    """Run one test's coroutine. The limit is no measurement: it turns a hang into a failure."""
    return asyncio.run(asyncio.wait_for(coroutine, 30))


def examples(count: int) -> settings:
    """Hypothesis at a size that a busy machine bears, the same examples in every run."""
    quiet = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
    return settings(max_examples=count, deadline=None, database=None, derandomize=True, suppress_health_check=quiet)


async def turns(count: int = 5) -> None:
    """Let everything that is ready run, a few times over."""
    for _ in range(count):
        await asyncio.sleep(0)


def ended(reason: str = "stop", prompt: int = 7, completion: int = 3) -> End:
    return End(reason, Usage(prompt, completion))


class ScriptedEngine:
    """Plays one script per call of `stream`, in order; `asks` keeps what it was asked, `open` what still runs."""

    def __init__(self, *scripts: Iterable[Step], facts: EngineFacts = FACTS):
        self.facts = facts
        self._scripts = list(scripts)
        self.asks: list[Ask] = []
        self.open = 0

    async def stream(self, ask: Ask) -> AsyncIterator[Delta | End]:
        script = self._scripts[len(self.asks)]
        self.asks.append(ask)
        self.open += 1
        try:
            for step in script:
                if isinstance(step, BaseException):
                    raise step
                if isinstance(step, asyncio.Event):
                    await step.wait()
                elif isinstance(step, (int, float)):
                    await asyncio.sleep(step)
                else:
                    yield Delta(step) if isinstance(step, str) else step
        finally:
            self.open -= 1


MODELS, SLOTS = ("demo",), 8


class ScriptedHost:
    """A host that has `engine`, or refuses with `problem`."""

    def __init__(self, engine: ScriptedEngine | None = None, problem: Exception | None = None):
        self._engine = engine
        self.problem = problem
        self.status = EngineStatus("scripted", "ready")
        self.models = MODELS
        self.slots = SLOTS

    def start(self) -> None:
        pass

    async def close(self) -> None:
        pass

    def engine(self) -> ScriptedEngine:
        if self.problem:
            raise self.problem
        return self._engine


class Exchange:
    """One request. `body` None is a client that never sends it; set `left` and the client is gone."""

    def __init__(
        self,
        body: bytes | None = b"",
        *,
        path: str = "/",
        method: str = "POST",
        headers: dict[str, str] | None = None,
        client: str = "192.0.2.7",
    ):
        self.messages: list[dict[str, Any]] = []
        self.left = asyncio.Event()
        self._unsent = [] if body is None else [body]
        self.scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [
                (name.lower().encode(), value.encode())
                for name, value in ({"host": "192.0.2.1:8000"} | (headers or {})).items()
            ],
            "client": (client, 40000),
            "server": ("192.0.2.1", 8000),
            "state": {"request_id": "f00d"},
        }

    async def receive(self) -> dict[str, Any]:
        if self._unsent:
            return {"type": "http.request", "body": self._unsent.pop(0), "more_body": False}
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        self.messages.append(message)

    def of(self, app) -> asyncio.Task:
        """Start `app` on this request."""
        return asyncio.create_task(app(self.scope, self.receive, self.send))

    @property
    def status(self) -> int | None:
        starts = [message["status"] for message in self.messages if message["type"] == "http.response.start"]
        assert len(starts) <= 1, "a response was started twice"
        return starts[0] if starts else None

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.messages[0]["headers"]}

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages)

    @property
    def complete(self) -> bool:
        return bool(self.messages) and not self.messages[-1].get("more_body", False)
