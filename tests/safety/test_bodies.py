"""Bodies that are too long, compressed, in crumbs, half-sent, or for nobody: refused early, and hardly read."""

import asyncio
import contextlib
import json

import h11
import pytest

from benchmarks.safety.wire import Exchange, question, request
from medserver import hurry, protocol, run
from medserver.access import body
from medserver.access.envelope import HEADERS
from medserver.access.tls import tls_for
from medserver.config import Settings
from tests.front import app_with, until
from tests.safety.sockets import answer_to, listening, said, said_over_tls
from tests.scripted import ended
from tests.scripted import run as run_scene

MEGABYTE = 1_000_000
HEAD = b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def told(data: bytes, more: bytes = b"", times: int = 0, **settings) -> tuple[int, str, int]:
    """The status, the code, and the bytes that the front has read of it."""

    async def scene():
        app, *_ = app_with(["a", ended()], **settings)
        async with listening(app) as front:
            answer = await answer_to(front.port, data, more, times)
            status = front.status_of(answer)
            return status, json.loads(answer.partition(b"\r\n\r\n")[2])["code"], front.read

    return run_scene(scene())


def test_a_declared_gigabyte_is_refused_before_it_comes():
    status, code, read = told(HEAD + b"Content-Length: 4000000000\r\n\r\n", b" " * 65536, 60_000)
    assert (status, code) == (413, "payload_too_large") and read < MEGABYTE


def test_a_chunked_gigabyte_is_refused_as_soon_as_it_is_long():
    status, code, read = told(CHUNKED, chunk(b" " * 65536), 60_000)
    assert (status, code) == (413, "payload_too_large") and read < MEGABYTE


@pytest.mark.parametrize("open_to_all", [True, False])
def test_a_gigabyte_for_which_nobody_was_let_in_is_not_read_either(open_to_all, tmp_path):
    """Refused at the door, or by a route that reads nothing; uvicorn alone would read it to its end."""
    path = b"/nothing" if open_to_all else b"/api/chat"
    data = CHUNKED.replace(b"/api/chat", path).replace(b"Host", b"Via: x\r\nHost")
    status, code, read = told(data, chunk(b" " * 65536), 60_000, open=open_to_all, state_dir=tmp_path)
    assert (status, code) == ((404, "not_found") if open_to_all else (401, "token_required"))
    assert read < MEGABYTE


def test_many_thousand_chunks_of_one_byte_are_refused():
    status, code, read = told(CHUNKED, chunk(b" ") * 1000, 100)
    assert (status, code) == (400, "invalid_http") and read < MEGABYTE


@pytest.mark.parametrize(("size", "chunks"), [(1, 666), (3, 2000), (12, 2048), (300, 4830)])
def test_crumbs_are_refused_the_sooner_the_smaller_they_are(size, chunks):
    connection = protocol._Wary(h11.SERVER, protocol.LONGEST_HEAD)
    connection.receive_data(CHUNKED + chunk(b" " * size) * 5000)
    assert type(connection.next_event()) is h11.Request
    taken = 0
    with contextlib.suppress(h11.RemoteProtocolError):
        for _ in iter(connection.next_event, h11.NEED_DATA):
            taken += 1
    assert taken == chunks


@pytest.mark.parametrize("encoding", [b"gzip", b"br", b"deflate, gzip", b"identity, gzip"])
def test_a_compressed_body_is_refused_unread(encoding):
    data = HEAD + b"Content-Encoding: " + encoding + b"\r\nContent-Length: 20000000\r\n\r\n"
    status, code, read = told(data, b"\x1f\x8b" * 30_000, 300)
    assert (status, code) == (415, "body_encoded") and read < MEGABYTE


@pytest.mark.parametrize(
    "lengths",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: 5, 6\r\n",
        b"Content-Length: -5\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length: 5_0\r\n",
        b"Content-Length: 99999999999999999999999\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding : chunked\r\n",
    ],
)
def test_lengths_that_can_be_read_in_two_ways_are_refused(lengths):
    assert told(HEAD + lengths + b"\r\n0\r\n\r\n")[:2] == (400, "invalid_http")


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64) + b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: b\x00c\r\n\r\n",
        b"GET /\x7f HTTP/1.1\r\nHost: x\r\n\r\n",
        CHUNKED + b"zz\r\n",
        CHUNKED + b"-1\r\n",
        CHUNKED + b"ffffffffffffffffffffffff\r\n",
        CHUNKED + b"1\r\naa\r\n",
    ],
)
def test_what_is_no_http_is_refused_with_a_code(data):
    assert told(data)[:2] == (400, "invalid_http")


def test_what_is_no_http_is_answered_with_the_headers_of_every_answer():
    async def scene():
        app, *_ = app_with()
        async with listening(app) as front:
            head, _, _ = (await answer_to(front.port, b"GET\r\n\r\n")).partition(b"\r\n\r\n")
            found = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
            assert {name: found[name] for name in HEADERS} == HEADERS
            assert len(found["X-Request-ID"]) == 32 and found["Connection"] == "close"

    run_scene(scene())


def test_a_head_without_end_is_refused():
    status, code, read = told(HEAD, b"X-More: " + b"x" * 1000 + b"\r\n", 10_000)
    assert (status, code) == (400, "invalid_http") and read < MEGABYTE


def test_what_is_sent_honestly_is_taken_however_it_is_cut():
    asked = question("x", stream=False)
    large = question("x" * 40_000, stream=False)

    async def scene():
        app, *_ = app_with(*(["a", ended()] for _ in range(4)))
        async with listening(app) as front:
            crumbs = CHUNKED + b"".join(chunk(bytes([one])) for one in asked) + b"0\r\n\r\n"
            pieces = b"".join(chunk(large[at : at + 4000]) for at in range(0, len(large), 4000))
            for data in (crumbs, CHUNKED + pieces + b"0\r\n\r\n", request(asked, "Content-Encoding: identity")):
                assert front.status_of(await answer_to(front.port, data)) == 200
            exchange = await Exchange.begin(front.port, b"")
            for byte in request(asked):
                exchange.writer.write(bytes([byte]))
                await asyncio.sleep(0)
            assert await exchange.head() == 200
            exchange.leave()

    run_scene(scene())


def test_a_connection_lives_on_after_the_refusal_of_a_small_body():
    async def scene():
        app, *_ = app_with(["a", ended()])
        async with listening(app) as front:
            exchange = await Exchange.begin(front.port, request(b" " * 50_000, path="/nothing"))
            assert await exchange.head() == 404
            await exchange.reader.readexactly(int(exchange.headers["content-length"]))
            exchange.writer.write(request(question("x", stream=False)))
            assert await exchange.head() == 200
            exchange.leave()

    run_scene(scene())


@pytest.mark.parametrize("over_tls", [False, True])
@pytest.mark.parametrize(
    "sent", [b"POST /api/chat HT", HEAD, HEAD + b"Content-Length: 900\r\n\r\n", CHUNKED + b"5\r\nab"]
)
def test_half_a_request_is_not_waited_for(monkeypatch, tmp_path, sent, over_tls):
    monkeypatch.setattr(hurry, "IDLE_SECONDS", 0.2)
    monkeypatch.setattr(body, "IDLE_SECONDS", 0.2)
    files = tls_for(Settings(model="demo", tls="auto", state_dir=tmp_path)) if over_tls else None

    async def scene():
        app, house, _ = app_with(["a", ended()])
        async with listening(app, files) as front:
            answer = await (said_over_tls(front.port, sent, files) if files else said(front.port, sent))
            assert front.status_of(answer) in (0, 408)
            await until(lambda: not house.admission._clients)

    run_scene(scene())


def test_a_body_that_trickles_does_not_hold_a_place_for_hours(monkeypatch):
    monkeypatch.setattr(body, "IDLE_SECONDS", 0.5)

    async def scene():
        app, house, _ = app_with(["a", ended()])
        async with listening(app) as front:
            exchange = await Exchange.begin(front.port, HEAD + b"Content-Length: 100000\r\n\r\n")
            status = asyncio.create_task(exchange.head())
            while not status.done():
                exchange.writer.write(b" ")
                await asyncio.sleep(0.02)
            assert await status == 408
            exchange.leave()
            await until(lambda: not house.admission._clients)

    run_scene(scene())


WORD = "x" * 10_000
FLOOD = [WORD] * 300  # 3 MB: more than is buffered for one connection


def test_who_does_not_read_the_answer_is_hung_up_on_and_the_slot_is_free(monkeypatch):
    monkeypatch.setattr(protocol, "UNREAD_SECONDS", 0.3)

    async def scene():
        go_on = asyncio.Event()
        app, house, engine = app_with([*FLOOD, ended()], ["a", go_on, "b", ended()])
        async with listening(app) as front:
            asleep = await Exchange.begin(front.port, request(question("x", loop_guard=0)), window=4096)
            asleep.writer.transport.pause_reading()
            await until(lambda: engine.open == 1)
            beside = await Exchange.begin(front.port, request(question("x")), "127.0.0.2")
            await beside.head()
            await until(lambda: house.admission.active == 1)
            assert engine.open == 1, "the one beside it goes on"
            go_on.set()
            assert (await beside.rest()).text == "ab" and beside.done
            asleep.leave(reset=True)

    run_scene(scene())


def test_who_sleeps_while_the_server_ends_is_hung_up_on_when_the_time_is_over(monkeypatch):
    monkeypatch.setattr(run, "SHUTDOWN_SECONDS", 0.3)

    async def scene():
        app, house, engine = app_with([*FLOOD, asyncio.Event(), ended()])
        async with listening(app) as front:
            state = front.server.server_state
            asleep = await Exchange.begin(front.port, request(question("x", loop_guard=0)), window=4096)
            asleep.writer.transport.pause_reading()
            await until(lambda: [one.flow.write_paused for one in state.connections] == [True])
            house.closing.set()
            front.server.should_exit = True
            await front.serving
            assert not state.connections
            assert not state.tasks, "what wrote to it has come to its own end"
            assert engine.open == 0 and not house.admission._clients
            asleep.leave(reset=True)

    run_scene(scene())


def test_who_reads_slowly_is_waited_for(monkeypatch):
    monkeypatch.setattr(protocol, "UNREAD_SECONDS", 5.0)

    async def scene():
        app, *_ = app_with([*FLOOD, ended()])
        async with listening(app) as front:
            slow = await Exchange.begin(front.port, request(question("x", loop_guard=0)), window=4096)
            await slow.head()
            for _ in range(10):
                await slow.frame()
                await asyncio.sleep(0.05)
            assert len((await slow.rest()).text) == len(FLOOD) * len(WORD) and slow.done

    run_scene(scene())
