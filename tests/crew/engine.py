"""A program in an engine's place: speaks its wire, computes nothing, and holds answers back behind a gate.

A question with `hold` in it gets one token and then waits for the gate; any other is answered at once.
"""

import asyncio
import json
import sys

from aiohttp import web


class Gate:
    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.begun = self.running = 0

    async def models(self, _: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": "scripted"}]})

    async def ready(self, _: web.Request) -> web.Response:
        return web.Response()

    async def count(self, _: web.Request) -> web.Response:
        return web.json_response({"begun": self.begun, "running": self.running})

    async def turn(self, request: web.Request) -> web.Response:
        (self.open.set if await request.json() else self.open.clear)()
        return web.Response()

    async def chat(self, request: web.Request) -> web.StreamResponse:
        held = b"hold" in await request.read()
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        self.begun += 1
        self.running += 1
        try:
            await response.write(frame({"content": "a"}))
            if held:
                await self.open.wait()
            await response.write(frame({"content": "b"}) + frame({}, "stop") + b"data: [DONE]\n\n")
        finally:
            self.running -= 1
        return response


def frame(delta: dict, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    usage = {"prompt_tokens": 7, "completion_tokens": 2}
    return b"data: " + json.dumps({"choices": [choice], "usage": usage if finish else None}).encode() + b"\n\n"


async def main() -> None:
    gate, app = Gate(), web.Application()
    app.router.add_get("/ready", gate.ready)
    app.router.add_get("/v1/models", gate.models)
    app.router.add_post("/v1/chat/completions", gate.chat)
    app.router.add_get("/count", gate.count)
    app.router.add_post("/gate", gate.turn)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(json.dumps({"port": runner.addresses[0][1]}), flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
