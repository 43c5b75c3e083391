"""The worker's HTTP side: OpenAI chat completions and the probes, on loopback, behind the secret.

It answers from its first moment; until the model is there, `/ready` says how far it is and a chat gets 503.
It imports neither torch nor transformers: `engine` arrives when they have been loaded on their own thread.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from medserver.worker import wire
from medserver.worker.orders import Orders
from medserver.worker.values import Broken, Finished, Output, Piece, WorkerRefusal

if TYPE_CHECKING:
    from medserver.worker.model import Model
    from medserver.worker.request import Request
    from medserver.worker.scheduler import Scheduler

log = logging.getLogger("medserver.worker")

# Ten images of 896 x 896 in base64 are far below this; the front has checked everything already.
MAX_BODY = 512 * 1024 * 1024


# In the order they come; the page has words for each.
STAGES = ("starting", "libraries", "processor", "weights", "self-test")


@dataclass
class Loading:
    """How far the start has come: one of `STAGES` and its own progress."""

    stage: str = STAGES[0]
    done: int = 0
    total: int = 1

    def report(self, stage: str, done: int, total: int) -> None:
        assert stage in STAGES
        self.stage, self.done, self.total = stage, done, total


class WorkerServer:
    """Routes, and the bridge between their event loop and the scheduler's thread."""

    def __init__(self, orders: Orders):
        self._orders = orders
        self._expected = f"Bearer {orders.secret}".encode()
        self.loading = Loading()
        self._model: Model | None = None
        self._scheduler: Scheduler | None = None
        self._queues: dict[Request, asyncio.Queue[Output]] = {}
        # The processor is not thread-safe, and one thread keeps resizing away from the event loop.
        self._preparing = ThreadPoolExecutor(1, thread_name_prefix="prepare")
        self._loop = asyncio.get_running_loop()

    def app(self) -> web.Application:
        app = web.Application(client_max_size=MAX_BODY, middlewares=[self._guard])
        app.router.add_get("/ready", self._ready)
        app.router.add_get("/stats", self._stats)
        app.router.add_get("/v1/models", self._models)
        app.router.add_post("/v1/chat/completions", self._chat)
        return app

    def open(self, model: Model, scheduler: Scheduler) -> None:
        """The model is there: from now on chats are served. Called on the event loop."""
        self._model, self._scheduler = model, scheduler

    def deliver(self, outputs: list[tuple[Request, Output]]) -> None:
        """Called by the scheduler's thread once per step."""
        self._loop.call_soon_threadsafe(self._distribute, outputs)

    def _distribute(self, outputs: list[tuple[Request, Output]]) -> None:
        for request, output in outputs:
            if queue := self._queues.get(request):
                queue.put_nowait(output)

    @web.middleware
    async def _guard(self, request: web.Request, handler) -> web.StreamResponse:
        given = request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, self._expected):
            return web.json_response(wire.error_body("The key is wrong.", "token_required"), status=401)
        try:
            return await handler(request)
        except WorkerRefusal as refusal:
            return web.json_response(wire.error_body(refusal.sentence, refusal.code), status=refusal.status)
        except ConnectionError:
            raise  # the client left in the middle of a chunk
        except Exception as error:  # a library's message may quote the request, so only its kind is said
            log.error("a request failed: %s", type(error).__name__)
            return self._broken(Broken("internal", "The model failed on this request."))

    async def _ready(self, _: web.Request) -> web.Response:
        now = self.loading
        body = {"ready": self._model is not None, "stage": now.stage, "done": now.done, "total": now.total}
        return web.json_response(body, status=200 if self._model else 503)

    async def _stats(self, _: web.Request) -> web.Response:
        if self._model is None:
            return web.json_response({"running": 0, "waiting": 0})
        scheduler, vision = self._scheduler, self._model.vision
        body = {"running": scheduler.running, "waiting": scheduler.waiting}
        body |= {"vision_calls": vision.vision_calls, "image_hits": vision.image_hits}
        return web.json_response(body)

    async def _models(self, _: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [self._described()] if self._model else []})

    def _described(self) -> dict[str, Any]:
        model, opening, closing = self._model, *self._orders.thinking_markers
        return {
            "id": self._orders.model_id,
            "object": "model",
            "owned_by": "medserver",
            "max_model_len": self._scheduler.max_model_len,
            "supports_images": model.supports_images,
            "device": model.plan.device,
            "dtype": str(model.plan.dtype).removeprefix("torch."),
            "quantization": model.quantisation,
            "load_seconds": round(model.load_seconds, 2),
            "thinking_ids": [model.token_id(opening), model.token_id(closing)],
        }

    async def _chat(self, http: web.Request) -> web.StreamResponse:
        if self._model is None:
            raise WorkerRefusal("The model is still loading.", "loading", 503)
        ask = wire.parse(await http.read())
        request = await self._prepared(ask)
        replies = wire.Replies(f"chatcmpl-{uuid.uuid4().hex}", self._orders.model_id)
        queue = self._queues[request] = asyncio.Queue()
        self._scheduler.submit(request)
        try:
            return await (self._stream(http, ask, replies, queue) if ask.stream else self._whole(replies, queue))
        finally:
            # Also where the client went away: aiohttp cancels this handler then, and the row leaves the batch.
            del self._queues[request]
            self._scheduler.cancel(request)

    async def _prepared(self, ask: wire.Ask) -> Request:
        from medserver.worker.prompt import prepare  # torch is loaded by now
        from medserver.worker.request import Request

        model, limit = self._model, self._scheduler.max_model_len
        prompt = await self._loop.run_in_executor(
            self._preparing,
            lambda: prepare(ask.conversation, model.processor, images=model.supports_images),
        )
        if prompt.length >= limit:
            sentence = f"The conversation has {prompt.length} tokens; the model's context holds {limit}."
            raise WorkerRefusal(sentence, "context_overflow")
        return Request(prompt, ask.generation, ask.cache_salt)

    async def _stream(self, http: web.Request, ask: wire.Ask, replies: wire.Replies, queue) -> web.StreamResponse:
        first = await queue.get()
        if isinstance(first, Broken):
            return self._broken(first)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(http)
        output = first
        while isinstance(output, Piece):
            together = b""  # what has come since the last write: where we keep up it is one piece, the first always
            while isinstance(output, Piece):
                together += replies.piece(output.text)
                output = None if queue.empty() else queue.get_nowait()
            await response.write(together)
            output = output or await queue.get()
        await response.write(self._ending(output, ask, replies) + wire.DONE)
        return response

    @staticmethod
    def _ending(output: Finished | Broken, ask: wire.Ask, replies: wire.Replies) -> bytes:
        if isinstance(output, Broken):
            return wire.frame(wire.broken_body(output))
        ending = replies.chunk({}, output.reason)
        return ending + replies.usage_chunk(output) if ask.include_usage else ending

    async def _whole(self, replies: wire.Replies, queue) -> web.Response:
        pieces: list[str] = []
        while isinstance(output := await queue.get(), Piece):
            pieces.append(output.text)
        if isinstance(output, Broken):
            return self._broken(output)
        return web.json_response(replies.whole("".join(pieces), output))

    @staticmethod
    def _broken(broken: Broken) -> web.Response:
        return web.json_response(wire.broken_body(broken), status=wire.STATUS.get(broken.code, 500))
