"""What every answer carries, and what a fault of ours and the log never say."""

import asyncio
import logging

import orjson
import pytest

from medserver.access.envelope import CSP, Envelope
from tests.front import app_with, chat
from tests.scripted import Exchange, ended, run

CANARY = "CANARY-7731"


def in_envelope(exchange: Exchange) -> bool:
    headers = exchange.headers
    return len(headers.get("x-request-id", "")) == 32 and headers.get("content-security-policy") == CSP


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/api/health", 200), ("GET", "/nothing", 404), ("GET", "/api/chat", 405), ("POST", "/api/chat", 422)],
)
def test_every_answer_carries_a_request_id_and_the_security_headers(method, path, status):
    async def scene():
        app, *_ = app_with()
        exchange = Exchange(b"{", path=path, method=method)
        await exchange.of(app)
        assert exchange.status == status
        assert in_envelope(exchange)
        assert exchange.headers["x-content-type-options"] == "nosniff"

    run(scene())


def test_a_stream_and_a_refusal_for_its_size_carry_them_too():
    async def scene():
        app, *_ = app_with(["a", ended()])
        stream = chat(CANARY)
        await stream.of(app)
        large = Exchange(b"", path="/api/chat", headers={"content-length": str(10**12)})
        await large.of(app)
        assert (stream.status, large.status) == (200, 413)
        assert in_envelope(stream) and in_envelope(large)
        assert stream.headers["x-request-id"] != large.headers["x-request-id"]

    run(scene())


async def fault() -> Exchange:
    app, *_ = app_with(problem=RuntimeError(CANARY))
    exchange = chat(CANARY)
    [raised] = await asyncio.gather(exchange.of(app), return_exceptions=True)
    assert isinstance(raised, RuntimeError | None)
    return exchange


def test_a_fault_of_the_server_says_its_request_id_and_nothing_else(caplog):
    exchange = run(fault())
    said = orjson.loads(exchange.body)
    assert (exchange.status, said["code"]) == (500, "internal")
    assert CANARY not in str(said) + caplog.text
    assert len(said["detail"].split()[-1].strip(".")) == 32


def test_a_fault_of_the_server_carries_them_too():
    assert in_envelope(run(fault()))


def test_a_request_id_from_outside_is_not_taken():
    async def scene():
        app, *_ = app_with()
        exchange = Exchange(path="/api/health", method="GET", headers={"x-request-id": CANARY})
        await exchange.of(app)
        assert in_envelope(exchange)

    run(scene())


def test_the_log_line_holds_the_route_and_never_what_was_sent(caplog):
    async def scene():
        app, *_ = app_with(["a", ended()])
        for exchange in (chat(CANARY), Exchange(path=f"/{CANARY}", method="GET", headers={"x-name": CANARY})):
            await exchange.of(app)

    with caplog.at_level(logging.DEBUG):
        run(scene())
    lines = [record.getMessage() for record in caplog.records if record.name == "medserver.access"]
    assert any("/api/chat 200" in line for line in lines)
    assert CANARY not in caplog.text


def test_the_envelope_leaves_what_is_no_request_alone():
    async def scene():
        seen = []

        async def app(scope, receive, send):
            seen.append((scope, receive, send))

        await Envelope(app)({"type": "lifespan"}, 1, 2)
        assert seen == [({"type": "lifespan"}, 1, 2)]

    run(scene())
