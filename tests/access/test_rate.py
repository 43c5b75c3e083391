"""So many requests in any stretch of the window, each client for itself; and nothing is kept of who asks no more."""

import threading

import orjson
import pytest

from medserver.access import rate, recent
from medserver.access.rate import RateLimit
from medserver.errors import TooMany
from tests.front import app_with, until
from tests.scripted import Exchange, run


class Clock:
    now = 5000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    found = Clock()
    for module in (rate, recent):
        monkeypatch.setattr(module, "time", found)
    return found


def hits(limit: RateLimit, client: str, count: int) -> int:
    """How many of `count` requests were refused."""
    refused = 0
    for _ in range(count):
        try:
            limit.hit(client)
        except TooMany:
            refused += 1
    return refused


def kept(limit: RateLimit) -> list[str]:
    return [key.split("/")[1] for key in limit.limiter.storage._clients]


def test_the_window_moves_and_a_refusal_says_when_there_is_room_again(clock):
    limit = RateLimit("3/minute")
    for seconds in (0, 20, 20):
        clock.now += seconds
        assert hits(limit, "a", 1) == 0
    with pytest.raises(TooMany) as refused:
        limit.hit("a")
    assert (refused.value.code, refused.value.retry_after) == ("rate_limited", 20)
    clock.now += 19.5
    assert hits(limit, "a", 1) == 1
    clock.now += 0.5
    assert hits(limit, "a", 2) == 1, "what was refused does not count"
    clock.now += 20
    assert hits(limit, "a", 2) == 1


def test_one_client_is_no_matter_of_another(clock):
    limit = RateLimit("2/hour")
    assert hits(limit, "a", 5) == 3
    assert hits(limit, "b", 2) == 0


def test_who_asks_no_more_is_forgotten_and_no_thread_is_needed_for_it(clock):
    limit, before = RateLimit("2/minute"), threading.enumerate()
    for number in range(500):
        hits(limit, f"client {number}", 1)
    clock.now += 30
    hits(limit, "client 7", 1)
    assert len(kept(limit)) == 500
    clock.now += 30
    hits(limit, "late", 1)
    assert kept(limit) == ["client 7", "late"]
    assert threading.enumerate() == before
    limit.limiter.storage.reset()
    assert kept(limit) == []


def test_who_asks_too_often_or_too_much_at_once_is_told_before_a_body_is_read():
    async def scene() -> None:
        app, house, _ = app_with(rate_limit="2/hour", max_user_streams=1)
        first = Exchange(None, path="/api/chat")
        sending = first.of(app)
        await until(lambda: house.admission._clients)
        for code in ("too_many_streams", "rate_limited"):
            asked = Exchange(None, path="/api/chat")  # its body never comes
            await asked.of(app)
            assert (asked.status, orjson.loads(asked.body)["code"]) == (429, code)
            assert int(asked.headers["retry-after"]) > 0
        first.left.set()
        await sending

    run(scene())
