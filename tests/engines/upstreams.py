"""Small real servers on loopback that speak as vLLM or SGLang do, with faults on demand; they compute nothing."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from medserver.chat import Sampling
from medserver.engine.base import Ask

MODEL = "google/medgemma-1.5-4b-it"
HI = ("The ", "heart")


def ask(text: str = "why?", *, model: str | None = MODEL, begun: str | None = None, **changes: Any) -> Ask:
    messages = [{"role": "user", "content": text}]
    if begun is not None:
        messages.append({"role": "assistant", "content": begun})
    return Ask(messages, Sampling(20, 0.0, 1.0), 20, continue_final=begun is not None, model=model, **changes)


def event(delta: dict[str, Any] | None = None, **fields: Any) -> bytes:
    """One frame: with a `delta` a choice, without one whatever `fields` say."""
    if delta is not None:
        fields = {"choices": [{"index": 0, "delta": delta, "finish_reason": fields.pop("finish", None)}], **fields}
    return b"data: " + json.dumps(fields).encode() + b"\n\n"


def answered(*texts: str, finish: str = "stop") -> list[bytes]:
    """A whole answer, as both engines stream it."""
    frames = [event({"role": "assistant", "content": ""}), *(event({"content": text}) for text in texts)]
    usage = {"prompt_tokens": 7, "completion_tokens": len(texts), "prompt_tokens_details": None}
    return [*frames, event({}, finish=finish), event(choices=[], usage=usage), b"data: [DONE]\n\n"]


class Wire:
    """One server. `answers` holds what the next requests get, then `always`: frames, or a (status, body).

    In a list of frames bytes are sent, a number is slept, an Event is waited for, and None cuts the connection.
    """

    owner = "vllm"
    health_path = "/health"
    abort_path = "/inference/v1/abort_requests"

    def __init__(self, *answers: Any, always: Any = None, models: tuple[str, ...] = (MODEL,), key: str | None = None):
        self.answers = list(answers)
        self.always = always or answered(*HI)
        self.models = models
        self.key = key
        self.max_model_len: int | None = 4096
        self.healthy = True
        self.tokens: dict[str, list[int]] = {"<unused94>": [100], "<unused95>": [101]}
        self.bodies: list[dict[str, Any]] = []
        self.aborted: list[str] = []
        self.probes = 0
        self.running = 0
        self.url = ""

    @asynccontextmanager
    async def open(self, port: int = 0) -> AsyncIterator["Wire"]:
        app = web.Application()
        app.router.add_get("/v1/models", self._models)
        app.router.add_get(self.health_path, self._health)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_post("/tokenize", self._tokenize)
        app.router.add_post(self.abort_path, self._abort)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        self.port = runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self.port}"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _models(self, request: web.Request) -> web.Response:
        self.probes += 1
        if self.key and request.headers.get("Authorization") != f"Bearer {self.key}":
            return web.json_response({"error": "Unauthorized"}, status=401)
        if not self.healthy:
            return web.Response(status=503)
        extra = {"max_model_len": self.max_model_len} if self.max_model_len else {}
        return web.json_response({"data": [{"id": one, "owned_by": self.owner, **extra} for one in self.models]})

    async def _health(self, _: web.Request) -> web.Response:
        self.probes += 1
        return web.Response(status=200 if self.healthy else 503)

    async def _tokenize(self, request: web.Request) -> web.Response:
        asked = await request.json()
        assert asked["add_special_tokens"] is False
        return web.json_response({"tokens": self.tokens[asked["prompt"]]})

    async def _abort(self, request: web.Request) -> web.Response:
        self.aborted += self._named(await request.json())
        return web.Response()

    def _named(self, body: dict[str, Any]) -> list[str]:
        return [one.removeprefix("chatcmpl-") for one in body["request_ids"]]

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(await request.json())
        given = self.answers.pop(0) if self.answers else self.always
        if isinstance(given, tuple):
            status, body = given
            text = body if isinstance(body, str) else json.dumps(body)
            return web.Response(status=status, text=text, headers={"Location": "/elsewhere"} if status == 307 else None)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        self.running += 1
        try:
            for step in given:
                await self._play(step, request, response)
        finally:
            self.running -= 1
        return response

    @staticmethod
    async def _play(step: Any, request: web.Request, response: web.StreamResponse) -> None:
        if not response.prepared:
            await response.prepare(request)
        if step is None:
            request.transport.abort()
            raise ConnectionResetError
        if isinstance(step, asyncio.Event):
            await step.wait()
        elif isinstance(step, (int, float)):
            await asyncio.sleep(step)
        else:
            await response.write(step)


class Sglang(Wire):
    owner = "sglang"
    health_path = "/ready"
    abort_path = "/abort_request"

    def _named(self, body: dict[str, Any]) -> list[str]:
        return [body["rid"]]


class Router(Wire):
    """Speaks plain OpenAI in front of others."""

    owner = "somebody"
    health_path = "/nothing"
