"""Events become frames to the byte; and when the client goes, everything goes with it."""

import asyncio
from contextlib import AsyncExitStack

import orjson
import pytest

from medserver import config
from medserver.api_wire import ApiWire
from medserver.connection import Connection, UnderWay
from medserver.errors import ContextOverflow, EngineLost, Internal, Unavailable
from medserver.events import Done, Queued, Thought, Timings, Token, Usage
from medserver.sse import DONE, KEEP_ALIVE, Answering, EventStream, Later, WholeAnswer, refusal
from tests.front import frames, until
from tests.scripted import Exchange, run, turns

CANARY = "CANARY-7731"
ENDING = Done("stop", Usage(7, 3), Timings(12.5, 40.0))
ENDING_JSON = {
    "finish_reason": "stop",
    "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
    "timings": {"ttft_ms": 12.5, "tokens_per_second": 40.0},
}


class Scene:
    """One answer under way: its script of events, what it holds, and the client's side of it."""

    def __init__(self, kind, *script):
        self.script = script
        self.closed = self.started = False
        self.held = AsyncExitStack()
        self.given_back = 0
        self.held.callback(self._give_back)
        self.closing = asyncio.Event()
        self.exchange = Exchange()
        self.answer = kind(self._events(), Connection(self.held, UnderWay(self.closing)), ApiWire())

    def _give_back(self):
        self.given_back += 1

    async def _events(self):
        self.started = True
        try:
            for step in self.script:
                if isinstance(step, BaseException):
                    raise step
                if isinstance(step, asyncio.Event):
                    await step.wait()
                else:
                    yield step
        finally:
            self.closed = True

    def begin(self) -> asyncio.Task:
        return self.exchange.of(self.answer)

    async def whole(self) -> "Scene":
        await self.begin()
        self.check_released()
        return self

    def check_released(self) -> None:
        assert self.given_back == 1
        assert self.closed or not self.started


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (Token("a"), b'data: {"token":"a"}\n\n'),
        (Thought("b"), b'data: {"thinking":"b"}\n\n'),
        (Queued(2), b'data: {"queue":2}\n\n'),
        (Queued(0), b'data: {"queue":0}\n\n'),
        (Token('"\n\r\\'), b'data: {"token":"\\"\\n\\r\\\\"}\n\n'),
        (Token("\n\ndata: [DONE]\n\n"), b'data: {"token":"\\n\\ndata: [DONE]\\n\\n"}\n\n'),
        (Token("5 µ肝"), 'data: {"token":"5 µ肝"}\n\n'.encode()),
        (
            ENDING,
            b'data: {"finish_reason":"stop","usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10},'
            b'"timings":{"ttft_ms":12.5,"tokens_per_second":40.0}}\n\n',
        ),
    ],
)
def test_each_event_is_one_line_of_json_and_a_blank_one(event, expected):
    assert ApiWire().frame(event) == expected
    assert expected.count(b"\n") == 2


def test_a_failure_is_a_sentence_and_a_stable_code():
    assert frames(ApiWire().error_frame(EngineLost())) == [{"error": EngineLost().sentence, "code": "engine_lost"}]


def test_lines_between_frames_are_comments():
    assert KEEP_ALIVE.startswith(b":") and KEEP_ALIVE.endswith(b"\n\n")
    assert DONE == b"data: [DONE]\n\n"


def test_a_stream_is_its_frames_then_done():
    async def scene():
        found = await Scene(EventStream, Queued(1), Thought("b"), Token("a"), ENDING).whole()
        exchange = found.exchange
        assert exchange.status == 200 and exchange.complete
        assert exchange.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert exchange.headers["cache-control"] == "no-store"
        assert frames(exchange.body) == [{"queue": 1}, {"thinking": "b"}, {"token": "a"}, ENDING_JSON, "[DONE]"]

    run(scene())


def test_each_frame_leaves_at_once():
    async def scene():
        more = asyncio.Event()
        found = Scene(EventStream, Token("a"), more, ENDING)
        task = found.begin()
        await turns(10)
        assert frames(found.exchange.body) == [{"token": "a"}]
        more.set()
        await task

    run(scene())


def test_what_fails_before_the_first_frame_is_an_ordinary_refusal():
    async def scene():
        found = await Scene(EventStream, Unavailable("Wait.", code="loading", retry_after=5)).whole()
        exchange = found.exchange
        assert (exchange.status, exchange.headers["retry-after"]) == (503, "5")
        assert orjson.loads(exchange.body) == {"detail": "Wait.", "code": "loading"}
        assert exchange.complete

    run(scene())


def test_what_fails_after_the_first_frame_is_a_frame_and_then_done():
    async def scene():
        found = await Scene(EventStream, Token("a"), ContextOverflow("Too long.")).whole()
        assert found.exchange.status == 200 and found.exchange.complete
        expected = [{"token": "a"}, {"error": "Too long.", "code": "context_overflow"}, "[DONE]"]
        assert frames(found.exchange.body) == expected

    run(scene())


@pytest.mark.parametrize("before", [[], [Token("a")]])
def test_a_mistake_of_our_own_says_nothing_of_itself(before, caplog):
    async def scene():
        found = await Scene(EventStream, *before, RuntimeError(CANARY)).whole()
        assert found.exchange.status == (200 if before else 500)
        assert CANARY.encode() not in found.exchange.body
        assert Internal().sentence.encode() in found.exchange.body

    run(scene())
    assert CANARY not in caplog.text


def test_a_silent_stream_is_kept_alive_and_what_fails_then_is_a_frame(monkeypatch):
    monkeypatch.setattr(config, "KEEP_ALIVE_SECONDS", 0.01)

    async def scene():
        more = asyncio.Event()
        found = Scene(EventStream, more, EngineLost())
        task = found.begin()
        await until(lambda: found.exchange.body.count(KEEP_ALIVE) >= 2)
        more.set()
        await task
        assert found.exchange.status == 200
        assert frames(found.exchange.body)[-2:] == [*frames(ApiWire().error_frame(EngineLost())), "[DONE]"]
        sent = len(found.exchange.messages)
        await asyncio.sleep(0.05)
        assert len(found.exchange.messages) == sent, "it is kept alive after its end"

    run(scene())


def test_a_stream_that_speaks_needs_no_keep_alive(monkeypatch):
    monkeypatch.setattr(config, "KEEP_ALIVE_SECONDS", 5.0)

    async def scene():
        found = await Scene(EventStream, *[Token("a")] * 50, ENDING).whole()
        assert KEEP_ALIVE not in found.exchange.body

    run(scene())


PHASES = ["before it began", "before the first frame", "in the queue", "in mid-stream"]


async def in_phase(kind, phase: str) -> tuple[Scene, asyncio.Task]:
    never = asyncio.Event()
    script = {"before the first frame": [never], "in the queue": [Queued(3), never]}.get(phase, [Token("a"), never])
    found = Scene(kind, *script)
    task = found.begin()
    if phase != PHASES[0]:
        await turns(10)
        assert not found.closed and not found.given_back
    return found, task


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("kind", [EventStream, WholeAnswer])
def test_a_client_that_leaves_stops_the_work_and_gives_everything_back(kind, phase):
    async def scene():
        found, task = await in_phase(kind, phase)
        sent = len(found.exchange.messages)
        found.exchange.left.set()
        await turns(10)
        assert task.done() and task.exception() is None
        found.check_released()
        assert len(found.exchange.messages) <= max(sent, 2), "more was said to nobody"

    run(scene())


@pytest.mark.parametrize("phase", PHASES[1:])
@pytest.mark.parametrize("kind", [EventStream, WholeAnswer])
def test_a_server_that_goes_down_ends_every_answer_with_a_word(kind, phase):
    async def scene():
        found, task = await in_phase(kind, phase)
        found.closing.set()
        await turns(10)
        assert task.done() and task.exception() is None
        found.check_released()
        exchange = found.exchange
        assert exchange.complete
        if kind is EventStream and phase != "before the first frame":
            [error, done] = frames(exchange.body)[-2:]
            assert (error["code"], done) == ("shutting_down", "[DONE]")
        else:
            assert exchange.status == 503 and "retry-after" in exchange.headers
            assert orjson.loads(exchange.body)["code"] == "shutting_down"

    run(scene())


@pytest.mark.parametrize("kind", [EventStream, WholeAnswer])
def test_a_server_that_is_already_going_down_begins_no_answer(kind):
    async def scene():
        found = Scene(kind, Token("a"), asyncio.Event())
        found.closing.set()
        await found.whole()
        assert found.exchange.complete

    run(scene())


@pytest.mark.parametrize("kind", [EventStream, WholeAnswer])
def test_a_request_that_is_cancelled_from_outside_gives_everything_back(kind):
    async def scene():
        found, task = await in_phase(kind, "in mid-stream")
        task.cancel()
        await turns(10)
        assert task.cancelled()
        found.check_released()

    run(scene())


def test_a_line_that_breaks_while_it_is_written_to_is_no_fault():
    async def scene():
        found = Scene(EventStream, Token("a"), Token("b"), ENDING)

        async def send(message):
            if b'"b"' in message.get("body", b""):
                raise OSError("gone")

        await found.answer(found.exchange.scope, found.exchange.receive, send)
        found.check_released()

    run(scene())


def test_a_client_that_reads_nothing_and_leaves_gives_everything_back():
    async def scene():
        found = Scene(EventStream, Token("a"), ENDING)

        async def send(message):
            await asyncio.Event().wait()

        task = asyncio.create_task(found.answer(found.exchange.scope, found.exchange.receive, send))
        await turns(10)
        found.exchange.left.set()
        await turns(10)
        assert task.done()
        found.check_released()

    run(scene())


def test_no_task_outlives_its_answer():
    async def scene():
        before = asyncio.all_tasks()
        await Scene(EventStream, Token("a"), ENDING).whole()
        await Scene(WholeAnswer, Token("a"), ENDING).whole()
        found, task = await in_phase(EventStream, "in mid-stream")
        found.exchange.left.set()
        await task
        await turns(3)
        assert asyncio.all_tasks() == before

    run(scene())


def test_a_whole_answer_is_one_object():
    async def scene():
        found = await Scene(WholeAnswer, Queued(1), Thought("x"), Thought("y"), Token("a"), Token("b"), ENDING).whole()
        assert found.exchange.status == 200
        assert found.exchange.headers["cache-control"] == "no-store"
        assert orjson.loads(found.exchange.body) == {"response": "ab", "thinking": "xy", **ENDING_JSON}

    run(scene())


def test_a_whole_answer_that_fails_half_way_is_a_refusal_and_no_half_answer():
    async def scene():
        found = await Scene(WholeAnswer, Token("a"), EngineLost()).whole()
        assert found.exchange.status == 503
        assert orjson.loads(found.exchange.body) == {"detail": EngineLost().sentence, "code": "engine_lost"}

    run(scene())


@pytest.mark.parametrize("last", [[], [ENDING]])
def test_a_mistake_of_our_own_in_a_whole_answer_is_a_refusal_that_says_nothing_of_it(last, caplog):
    async def scene():
        found = await Scene(WholeAnswer, Token("a"), *last, RuntimeError(CANARY)).whole()
        assert (found.exchange.status, orjson.loads(found.exchange.body)["code"]) == (500, "internal")
        assert CANARY.encode() not in found.exchange.body

    run(scene())
    assert CANARY not in caplog.text


def test_a_refusal_says_when_to_come_again_only_where_it_knows():
    scope = Exchange().scope
    assert "retry-after" not in refusal(ContextOverflow("x"), scope).headers
    assert refusal(Unavailable("x", retry_after=9), scope).headers["retry-after"] == "9"


def test_an_answer_is_given_when_the_layers_inside_have_returned():
    async def scene():
        found = Scene(EventStream, Token("a"), ENDING)
        inside = []

        async def app(scope, receive, send):
            inside.append("begun")
            await Later(found.answer)(scope, receive, send)
            assert not found.exchange.messages
            inside.append("returned")

        await Answering(app)(found.exchange.scope, found.exchange.receive, found.exchange.send)
        found.check_released()
        assert inside == ["begun", "returned"]
        assert frames(found.exchange.body) == [{"token": "a"}, ENDING_JSON, "[DONE]"]
        assert "later" not in found.exchange.scope["state"]

    run(scene())


@pytest.mark.parametrize("headers", [list, tuple])
def test_headers_are_let_go_of_where_the_server_lets_us(headers):
    async def scene():
        found = Scene(EventStream, Token("a"), ENDING)
        scope = found.exchange.scope = found.exchange.scope | {"headers": headers([(b"host", b"x")])}
        await found.exchange.of(Answering(Later(found.answer)))
        found.check_released()
        assert found.exchange.status == 200 and found.exchange.complete
        assert bool(scope["headers"]) == (headers is tuple)

    run(scene())


def test_a_fault_leaves_the_route_that_was_found():
    async def scene():
        async def app(scope, receive, send):
            scope["route"] = "/v1/models/{name:path}"
            raise RuntimeError(CANARY)

        exchange = Exchange()
        await asyncio.gather(exchange.of(Answering(app)), return_exceptions=True)
        assert exchange.scope["route"] == "/v1/models/{name:path}"

    run(scene())


class Straight:
    """A line that takes what is put on it, unless it is `full`."""

    def __init__(self, full: bool = False):
        self.full, self.sent, self.leave = full, [], None

    def put(self, data: bytes) -> bool:
        if not self.full:
            self.sent.append(data)
        return not self.full

    def on_gone(self, leave) -> None:
        self.leave = leave


@pytest.mark.parametrize("full", [False, True])
def test_frames_take_the_straight_line_where_it_is_free_and_the_usual_way_where_not(full):
    async def scene():
        found = Scene(EventStream, Token("a"), Token("b"), ENDING)
        line = Straight(full)
        found.exchange.scope["extensions"] = {"medserver": line}
        await found.whole()
        straight = b"".join(line.sent)
        assert frames(found.exchange.body + straight) == [{"token": "a"}, {"token": "b"}, ENDING_JSON, "[DONE]"]
        assert (b'"b"' in straight) is not full, "all but the first"
        assert found.exchange.complete and line.leave is None

    run(scene())


def test_a_client_that_leaves_a_straight_line_stops_the_work():
    async def scene():
        found = Scene(EventStream, Token("a"), asyncio.Event())
        line = Straight()
        found.exchange.scope["extensions"] = {"medserver": line}
        task = found.begin()
        await turns(10)
        line.leave()
        await turns(10)
        assert task.done() and task.exception() is None
        found.check_released()

    run(scene())
