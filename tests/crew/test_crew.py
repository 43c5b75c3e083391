"""Several web workers are one server: each limit holds over all of them, and what one held comes back when it dies."""

import asyncio
import json
import signal
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from medserver.access.ledger import Ledger
from medserver.access.pairing import TRIES, Pairing
from medserver.audit.chain import Link, followed
from medserver.config import QUEUE_LENGTH, SHUTDOWN_SECONDS
from tests.crew.crowd import PATIENCE, RATE, STREAMS, Call, Crew, addresses, calls, end, play, stage, until
from tests.crew.program import SLOTS
from tests.serving import LAN_HOST, question

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="several web workers need POSIX")
PLACES = SLOTS + QUEUE_LENGTH


@pytest.fixture(scope="module", params=[1, 4])
def crew(request, tmp_path_factory):
    log = tmp_path_factory.mktemp("audit") / "audit.jsonl"
    with Crew(request.param, "--audit-log", str(log)) as running:
        running.audit = log
        yield running.until_all_serve()


def refusals(found: list[Call]) -> list[Call]:
    return [call for call in found if call.status != 200]


def test_of_four_hundred_at_once_as_many_are_accepted_as_there_are_places(crew: Crew):
    async def scene():
        async with stage(crew):
            before = crew.engine("count")["begun"]
            found = await calls(crew, addresses(400))
            refused = [await call.ended() for call in refusals(found)]
            accepted = [call for call in found if call.status == 200]
            assert Counter(call.code for call in refused) == {"queue_full": 400 - PLACES}
            assert len(accepted) == PLACES and {call.status for call in refused} == {503}
            assert all(int(call.headers["retry-after"]) > 0 for call in refused)
            await until(lambda: crew.stats() == {"active": SLOTS, "waiting": QUEUE_LENGTH})
            await until(lambda: crew.engine("count")["running"] == SLOTS)
            crew.engine("gate", True)
            for call in accepted:
                assert (await call.ended()).whole, call.body
            assert crew.engine("count")["begun"] == before + PLACES

    play(scene())


def test_one_client_has_as_many_streams_as_it_may_whoever_answers(crew: Crew):
    [address] = addresses(1, net=2)

    async def scene():
        async with stage(crew):
            found = []
            for number in range(4):
                with crew.only(crew.fronts[number % crew.workers]):
                    found += await calls(crew, [address])
            assert [call.status for call in found] == [200] * STREAMS + [429]
            found += await calls(crew, [address] * 36)
            refused = [await call.ended() for call in refusals(found)]
            assert len(refused) == 40 - STREAMS and {call.code for call in refused} == {"too_many_streams"}
            crew.engine("gate", True)
            for call in found:
                await call.ended()
            # What has ended counts no more, though another worker is asked the moment it has.
            for number in range(4):
                with crew.only(crew.fronts[number % crew.workers]):
                    again = await calls(crew, [address] * STREAMS, "quick")
                    assert [(await call.ended()).status for call in again] == [200] * STREAMS

    play(scene())


def test_one_client_asks_as_often_as_it_may_whoever_answers(crew: Crew):
    [address] = addresses(1, net=3)

    async def scene():
        async with stage(crew):
            found = [await call.ended() for call in await calls(crew, [address] * (RATE + 40), "quick")]
            limited = [call for call in refusals(found) if call.code == "rate_limited"]
            assert len(limited) == 40
            assert all(call.status == 429 and 1 <= int(call.headers["retry-after"]) <= 3600 for call in limited)
            for front in crew.fronts:
                with crew.only(front):
                    [call] = await calls(crew, [address], "quick")
                assert (await call.ended()).code == "rate_limited"

    play(scene())


def test_a_device_that_was_paired_with_one_is_known_to_all_and_tries_are_counted_together(crew: Crew):
    pairing, host = Pairing(Ledger(Path(crew.state_dir))), {"Host": f"{LAN_HOST}:{crew.port}"}
    code = pairing.new_code()
    wrong = f"{(int(code.pin) + 1) % 10**6:06}"
    statuses = []
    for number in range(TRIES + 1):
        with crew.only(crew.fronts[number % crew.workers]), crew.from_address("127.4.0.1") as client:
            statuses.append(client.post("/api/pairing", json={"pin": wrong}, headers=host).status_code)
    assert statuses == [403] * TRIES + [429]
    with crew.from_address("127.4.0.2") as client:
        cookie = client.post("/api/pairing", json={"pin": code.pin}, headers=host).headers["set-cookie"].split(";")[0]
    for front in crew.fronts:
        with crew.only(front), crew.from_address("127.4.0.3") as client:
            assert client.get("/api/models", headers=host).status_code == 401
            assert client.get("/api/models", headers={**host, "Cookie": cookie}).status_code == 200


def figures(crew: Crew) -> dict[str, float]:
    lines = [line for line in crew.client.get("/metrics").text.splitlines() if line[:1] != "#"]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def audited(crew: Crew) -> list[dict]:
    """The lines of the audit log, whose chain holds from the first to the last."""
    lines = crew.audit.read_bytes().splitlines(keepends=True)
    assert followed(lines, Link()).number == len(lines)
    return [json.loads(line) for line in lines]


def test_every_worker_tells_the_sum_and_the_audit_log_is_one_chain(crew: Crew):
    name = 'medserver_answers_total{finish_reason="stop"}'
    before, lines = figures(crew).get(name, 0), len(audited(crew))
    for front, address in zip(crew.fronts, addresses(crew.workers, net=5), strict=True):
        with crew.only(front), crew.from_address(address) as client:
            assert client.post("/api/chat", json=question("quick")).content.endswith(b"data: [DONE]\n\n")
    for front in crew.fronts:
        with crew.only(front):
            deadline = time.monotonic() + PATIENCE
            while (now := figures(crew).get(name)) != before + crew.workers:
                assert time.monotonic() < deadline, now
    added = audited(crew)[lines:]
    assert [line["route"] for line in added if line.get("finish_reason") == "stop"] == ["/api/chat"] * crew.workers


def test_there_is_one_engine_and_its_end_is_told_to_all(crew: Crew):
    async def scene():
        async with stage(crew):
            [engine] = crew.engines
            found = []
            for front, address in zip(crew.fronts, addresses(crew.workers, net=6), strict=True):
                with crew.only(front):
                    found += await calls(crew, [address])
            for call in found:
                await call.token()
            end(engine)
            for call in found:
                await call.ended()
                assert b'"code":"engine_lost"' in call.body and call.body.count(b"[DONE]") == 1
            await until(lambda: len(crew.engines) == 1 and crew.engines != [engine])
            await asyncio.to_thread(crew.until_all_serve)
            for front, address in zip(crew.fronts, addresses(crew.workers, net=7), strict=True):
                with crew.only(front):
                    [call] = await calls(crew, [address], "quick")
                assert (await call.ended()).whole
            assert crew.health()["engine"]["restarts"] == 1

    play(scene())


@pytest.mark.parametrize("crew", [4], indirect=True)
def test_what_a_worker_held_comes_back_when_it_is_killed(crew: Crew):
    async def scene():
        async with stage(crew):
            victim, *others = crew.fronts
            [engine] = crew.engines
            ours, rest, waiting = (addresses(count, net) for count, net in ((3, 8), (SLOTS - 3, 9), (5, 10)))
            with crew.only(victim):
                lost = await calls(crew, ours)
            with crew.only(others[0]):
                kept = await calls(crew, rest)
            for call in (*lost, *kept):
                await call.token()
            with crew.only(victim):
                lost += await calls(crew, addresses(1, 11))
            with crew.only(others[1]):
                queued = []
                for address in waiting:
                    queued += await calls(crew, [address])
            await until(lambda: crew.stats() == {"active": SLOTS, "waiting": 6})
            end(victim)
            for call in lost:
                await call.ended()
                assert b"[DONE]" not in call.body
            # Its three slots go to the three that have waited longest, and the two behind them move up.
            for call in queued[:3]:
                await call.token()
            await until(lambda: crew.stats() == {"active": SLOTS, "waiting": 2})
            await until(lambda: crew.engine("count")["running"] == SLOTS)
            await until(lambda: len(crew.fronts) == 4 and victim not in crew.fronts)
            crew.engine("gate", True)
            for call in (*kept, *queued):
                assert (await call.ended()).whole
            assert crew.engines == [engine]
            await asyncio.to_thread(crew.until_all_serve)

    play(scene())


def all_of(running: Crew) -> list[psutil.Process]:
    return [psutil.Process(running.process.pid), *running.children()]


def test_nothing_outlives_a_parent_that_is_killed():
    with Crew(2) as running:
        everybody = all_of(running.until_all_serve())
        assert len(everybody) >= 1 + 2 + 1 + 2, "a parent, two workers, an engine, a decoder each"
        running.process.kill()
        running.process.wait(PATIENCE)
        assert not psutil.wait_procs(everybody, timeout=20)[1]


def test_a_signal_ends_everybody_and_open_streams_hear_of_it(crew: Crew):
    """The last of all: it ends the server that the others share."""

    async def scene():
        found = []
        for front, address in zip(crew.fronts, addresses(crew.workers, net=12), strict=True):
            with crew.only(front):
                found += await calls(crew, [address])
        for call in found:
            await call.token()
        everybody, started = all_of(crew), time.monotonic()
        crew.process.send_signal(signal.SIGTERM)
        for call in found:
            await call.ended()
            assert b'"code":"shutting_down"' in call.body and call.body.count(b"[DONE]") == 1
        assert await asyncio.to_thread(crew.process.wait, PATIENCE) == 0
        assert time.monotonic() - started < SHUTDOWN_SECONDS + 10
        assert not psutil.wait_procs(everybody, timeout=20)[1]
        assert audited(crew)[-1]["code"] == "shutting_down", "also the last is written"

    play(scene())
