"""The worker's HTTP side over a real model: what a salt and a second image save is said on the wire."""

import asyncio
import base64
import threading

from aiohttp.test_utils import TestClient, TestServer

from medserver.worker.memory import Budget
from medserver.worker.orders import Orders
from medserver.worker.scheduler import Scheduler
from medserver.worker.server import WorkerServer
from medserver.worker.values import Finished, Piece
from tests.worker.by_hand import PLENTY
from tests.worker.conftest import png

ORDERS = Orders("secret", "nowhere", "demo", ("<unused94>", "<unused95>"))


def question(seed: int, **fields) -> dict:
    url = "data:image/png;base64," + base64.b64encode(png(seed)).decode()
    parts = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": "What is visible?"}]
    return {"messages": [{"role": "user", "content": parts}], "max_tokens": 3, "temperature": 0, **fields}


async def answered(model, *bodies: dict) -> tuple[list[dict], dict]:
    """The answers to `bodies`, one after the other, and the worker's counts after them."""
    server = WorkerServer(ORDERS)
    scheduler = Scheduler(model, server.deliver, slots=2, max_model_len=512, budget=Budget(PLENTY, PLENTY))
    server.open(model, scheduler)
    thread = threading.Thread(target=scheduler.run, daemon=True)
    thread.start()
    headers = {"Authorization": "Bearer secret"}
    try:
        async with TestClient(TestServer(server.app()), headers=headers) as client:
            answers = [await (await client.post("/v1/chat/completions", json=body)).json() for body in bodies]
            return answers, await (await client.get("/stats")).json()
    finally:
        scheduler.close()
        thread.join(10)


def test_the_same_question_again_costs_its_last_token_with_a_salt_and_no_look_without(model):
    calls, hits = model.vision.vision_calls, model.vision.image_hits
    bodies = [question(171), question(171), question(172, cache_salt="a"), question(172, cache_salt="a")]
    answers, stats = asyncio.run(answered(model, *bodies))
    usages = [answer["usage"] for answer in answers]
    saved = [usage["prompt_tokens_details"]["cached_tokens"] for usage in usages]
    assert saved == [0, 0, 0, usages[3]["prompt_tokens"] - 1]
    assert answers[2]["choices"] == answers[3]["choices"] and answers[0]["choices"] == answers[1]["choices"]
    assert (stats["running"], stats["waiting"]) == (0, 0)
    assert (stats["vision_calls"] - calls, stats["image_hits"] - hits) == (2, 1)


class AllAtOnce:
    """A scheduler whose steps are over before anybody has looked."""

    max_model_len = 512

    def __init__(self, deliver):
        self._deliver = deliver

    def submit(self, request) -> None:
        self._deliver([(request, Piece(text)) for text in "abc"] + [(request, Finished("stop", 7, 3))])

    def cancel(self, request) -> None:
        pass


async def chunks(model, body: dict) -> list[bytes]:
    server = WorkerServer(ORDERS)
    server.open(model, AllAtOnce(server.deliver))
    async with TestClient(TestServer(server.app()), headers={"Authorization": "Bearer secret"}) as client:
        response = await client.post("/v1/chat/completions", json=body)
        return [data async for data, _ in response.content.iter_chunks()]


def test_what_has_come_together_goes_out_in_one_write(model):
    pieces, ending = asyncio.run(chunks(model, question(71, stream=True)))
    assert [piece in pieces for piece in (b'"a"', b'"b"', b'"c"')] == [True] * 3
    assert pieces.count(b"data: ") == 3
    assert ending.endswith(b"data: [DONE]\n\n")
