"""The limits per client, over real sockets; other clients come from other loopback addresses."""

from contextlib import ExitStack

import httpx
import pytest

from medserver.config import ENGINE_SLOTS
from tests.serving import Frames, Running, long_question, question


@pytest.fixture(scope="module")
def strict(multimodal_checkpoint):
    with Running(
        "-m", "demo", "--model-path", str(multimodal_checkpoint), "--rate-limit", "4/minute", "--open"
    ) as running:
        yield running.until_ready()


def client_from(address: str, running: Running) -> httpx.Client:
    transport = httpx.HTTPTransport(local_address=address)
    return httpx.Client(base_url=running.url, transport=transport, timeout=30, trust_env=False)


def test_the_rate_is_kept_per_client_and_says_when_to_come_back(strict: Running):
    with client_from("127.0.0.2", strict) as busy, client_from("127.0.0.3", strict) as other:
        for _ in range(4):
            assert busy.post("/api/chat", json=question("x", max_tokens=1)).status_code == 200
        refused = busy.post("/api/chat", content=b"not even read")
        assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert busy.get("/api/health").status_code == 200, "status is never limited"
        assert other.post("/api/chat", json=question("x", max_tokens=1)).status_code == 200


def test_a_header_makes_nobody_another_client(strict: Running):
    """On an open server; elsewhere such a header makes the machine itself a stranger, since a proxy may have set it."""
    with client_from("127.0.0.6", strict) as client:
        answers = [
            client.post("/api/chat", json=question("x", max_tokens=1), headers={"X-Forwarded-For": f"192.0.2.{number}"})
            for number in range(5)
        ]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429]


def test_one_stream_per_client_and_others_are_not_affected(strict: Running):
    with client_from("127.0.0.4", strict) as first, client_from("127.0.0.5", strict) as other:
        with first.stream("POST", "/api/chat", json=question("x", **long_question())) as response:
            frames = Frames(response)
            frames.until_token()
            refused = first.post("/api/chat", json=question("x", max_tokens=1))
            assert (refused.status_code, refused.json()["code"]) == (429, "too_many_streams")
            assert int(refused.headers["retry-after"]) >= 1
            assert other.post("/api/chat", json=question("x", max_tokens=1)).status_code == 200
        strict.until(lambda health: health["queue"]["active"] == 0, 5)
        assert first.post("/api/chat", json=question("x", max_tokens=1)).status_code == 200


def test_more_than_the_slots_wait_in_order_and_are_told_how_many_are_ahead(server: Running):
    with ExitStack() as held:
        streams = []
        for _ in range(ENGINE_SLOTS):
            response = held.enter_context(
                server.client.stream("POST", "/api/chat", json=question("x", **long_question()))
            )
            streams.append(Frames(response))
            streams[-1].until_token()
        waiting = Frames(
            held.enter_context(server.client.stream("POST", "/api/chat", json=question("x", max_tokens=1)))
        )
        assert next(waiting) == {"queue": 0}
        behind = Frames(held.enter_context(server.client.stream("POST", "/api/chat", json=question("x", max_tokens=1))))
        assert next(behind) == {"queue": 1}
        streams[0].response.close()
        assert "token" in waiting.until_token()
        assert list(waiting)[-1] == "[DONE]"
        assert list(behind)[-1] == "[DONE]"
