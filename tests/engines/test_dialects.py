"""What vLLM and SGLang say differently becomes one thing to the house, and never their words about a request."""

import asyncio
import json
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medserver.chat import Sampling
from medserver.engine.answer import ECHO_LONGEST, Echo, Voice
from medserver.engine.base import Delta, End, EngineFacts
from medserver.engine.client import FULL, MUTE, SILENT, EngineClient
from medserver.engine.dialect import OURS, PLAIN, SGLANG, VLLM, Dialect, dialect_of
from medserver.engine.faults import problem_from
from medserver.engine.patience import Patience
from medserver.errors import BadRequest, ContextOverflow, EngineLost, Internal, OutOfMemory, Problem, Unavailable
from medserver.events import Usage
from tests.engines.upstreams import HI, MODEL, Sglang, Wire, answered, ask, event
from tests.scripted import MARKERS, examples, run

SECRET = "Mrs Miller, born 1951"


def nested(message: str, code: int = 400, **fields) -> bytes:
    return json.dumps({"error": {"message": message, "type": "BadRequestError", "code": code, **fields}}).encode()


def flat(message: str, code: int = 400) -> bytes:
    return json.dumps({"object": "error", "message": message, "type": "BadRequest", "code": code}).encode()


@asynccontextmanager
async def client_of(wire: Wire, dialect: Dialect = VLLM, patience: Patience | None = None, on_failing=None):
    async with wire.open(), aiohttp.ClientSession(wire.url) as session:
        extra = {"patience": patience} if patience else {}
        extra |= {"on_failing": on_failing} if on_failing else {}
        yield EngineClient(session, MODEL, EngineFacts(True, 4096), dialect=dialect, **extra)


async def said(client: EngineClient, asked=None) -> tuple[str, End]:
    async with aclosing(client.stream(asked or ask())) as stream:
        *texts, end = [item async for item in stream]
    assert isinstance(end, End) and all(isinstance(one, Delta) and one.text for one in texts)
    return "".join(one.text for one in texts), end


def heard(wire: Wire, asked=None, **options) -> tuple[str, End]:
    async def scene():
        async with client_of(wire, **options) as client:
            return await said(client, asked)

    return run(scene())


def test_an_answer_with_the_extras_of_its_usage_ignored():
    assert heard(Wire()) == ("".join(HI), End("stop", Usage(7, 2)))
    assert heard(Wire(answered("a", finish="length")))[1].reason == "length"
    assert heard(Wire(answered("a", finish="stop_str")))[1].reason == "stop"


OVERFLOWS = [
    nested("This model's maximum context length is 4096 tokens. However, you requested 9000 tokens."),
    nested("The decoder prompt (length 9000) is longer than the maximum model length of 4096."),
    nested("max_tokens must be at least 1, got -4904."),
    nested("max_tokens=5000 cannot be greater than max_model_len=4096. Please request fewer output tokens."),
    nested("'max_tokens' or 'max_completion_tokens' is too large: 9. This model's maximum context length is 4 tokens."),
    flat("The input (9000 tokens) is longer than the model's context length (4096 tokens)."),
    flat("Requested token count exceeds the model's maximum context length of 4096 tokens."),
    nested("too long", code="context_length_exceeded"),
]


@pytest.mark.parametrize("body", OVERFLOWS)
def test_a_conversation_that_is_too_long_is_told_in_our_words(body):
    problem = problem_from(body.replace(b"tokens", f"tokens {SECRET}".encode()), 400, VLLM, 4096)
    assert isinstance(problem, ContextOverflow) and problem.code == "context_overflow"
    assert "4096" in problem.sentence and "Miller" not in problem.sentence


@pytest.mark.parametrize("shape", [nested, flat])
@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (400, BadRequest, "invalid_request"),
        (422, BadRequest, "invalid_request"),
        (401, Unavailable, "engine_down"),
        (403, Unavailable, "engine_down"),
        (404, Unavailable, "engine_down"),
        (429, Unavailable, "queue_full"),
        (500, EngineLost, "engine_lost"),
        (503, EngineLost, "engine_lost"),
        (307, EngineLost, "engine_lost"),
    ],
)
def test_every_other_error_keeps_its_meaning_and_loses_its_words(shape, status, kind, code):
    for dialect in (VLLM, SGLANG, PLAIN):
        problem = problem_from(shape(f"{SECRET} is odd", status), status, dialect)
        assert (type(problem), problem.code) == (kind, code)
        assert "Miller" not in problem.sentence


def test_a_refused_key_is_called_that():
    assert problem_from(b'{"error": "Unauthorized"}', 401, VLLM).sentence == "The upstream server refused our key."


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b'"x"', b'{"error": null}', b'{"detail": "x"}'])
def test_an_error_in_no_known_shape_is_judged_by_its_status(body):
    assert isinstance(problem_from(body, 502, PLAIN), EngineLost)
    assert isinstance(problem_from(body, 400, PLAIN), BadRequest)


def test_memory_that_ran_out_is_told_apart_but_not_in_what_a_refusal_quotes():
    assert isinstance(problem_from(nested("CUDA out of memory", 500), 500, VLLM), OutOfMemory)
    assert isinstance(problem_from(nested("'he ran out of memory' is not valid"), 400, VLLM), BadRequest)


def test_only_our_own_worker_is_believed_its_codes_and_words():
    body = nested("The conversation has 9 tokens.", code="context_overflow")
    assert problem_from(body, 400, OURS).sentence == "The conversation has 9 tokens."
    assert "9 tokens" not in problem_from(body, 400, VLLM).sentence
    assert isinstance(problem_from(nested("x", code="loading"), 503, OURS), Unavailable)
    assert isinstance(problem_from(nested("x", code="whatever"), 500, OURS), Internal)


@pytest.mark.parametrize("shape", [nested, flat])
def test_an_error_in_the_stream_has_its_status_inside(shape):
    for body, kind in ((shape("odd", 400), BadRequest), (shape("odd", 500), EngineLost)):
        with pytest.raises(kind):
            heard(Wire([event({"content": "a"}), b"data: " + body + b"\n\n"]))


@pytest.mark.parametrize(
    "frames",
    [
        [event({"content": "a"})],  # ends without an end
        [event({"content": "a"}), None],  # cut
        [event({"content": "a"}, finish="abort")],
        [b"data: {garbage\n\n"],
        [b"data: 7\n\n"],
        [b'data: {"choices": [{"delta": {"content": ["a"]}}]}\n\n'],
        [b'data: {"choices": [7]}\n\n'],
        [b"no event at all"],
    ],
)
def test_a_stream_that_breaks_off_or_makes_no_sense_is_an_engine_lost(frames):
    with pytest.raises(EngineLost):
        heard(Wire(frames))


def test_a_redirection_is_not_followed():
    wire = Wire((307, ""))
    with pytest.raises(EngineLost):
        heard(wire)
    assert len(wire.bodies) == 1


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_a_thought_in_a_field_of_its_own_goes_back_between_the_markers(field):
    frames = [event({field: "is it"}), event({field: " left?", "content": None}), *answered("Left.")]
    text, _ = heard(Wire(frames))
    assert text == f"{MARKERS.opening}is it left?{MARKERS.close}Left."


def test_a_thought_that_does_not_end_stays_open():
    frames = [event({"reasoning": "is it"}), event({}, finish="length")]
    assert heard(Wire(frames))[0] == f"{MARKERS.opening}is it"


def test_a_voice_that_never_thinks_has_no_markers():
    voice = Voice(MARKERS)
    assert [voice.thought(""), voice.said("a"), voice.said("")] == ["", "a", ""]


@pytest.mark.parametrize("echo", ["thought\n", "<unused94>thought\n", "ought\n"])
def test_an_echo_of_the_turn_that_is_continued_is_taken_off(echo):
    for texts in ([echo + "Is it"], [*echo, "Is it"], [echo, "Is", " it"]):
        text, _ = heard(Wire(answered(*texts)), ask(begun=MARKERS.opening))
        assert text == "Is it"


def test_an_engine_without_that_quirk_is_left_its_words():
    wire = Wire(answered("thought\nIs it"))
    assert heard(wire, ask(begun=MARKERS.opening), dialect=SGLANG)[0] == "thought\nIs it"
    assert heard(Wire(answered("thought\n")), ask())[0] == "thought\n", "nothing was begun"


@pytest.mark.parametrize(
    ("turn", "answer", "given"),
    [
        ("Give 10", "00 mg", "00 mg"),  # 1000, not 100
        ("Give 1000", "000 mg", "000 mg"),
        ("The heart is", " is normal", " normal"),
        ("The heart is\n", "heart is normal", " normal"),  # a template trims
        ("The heart is", " normal", " normal"),
        ("The heart", "The heart is big", " is big"),
        ("no no no no", " no no", ""),
        ("", "Left", "Left"),
        ("ab", "ab", "ab"),
    ],
)
def test_only_what_is_surely_an_echo_goes(turn, answer, given):
    for pieces in ([answer], list(answer)):
        echo = Echo(turn)
        assert "".join(map(echo.feed, pieces)) + echo.flush() == given


@examples(200)
@given(st.text(max_size=300), st.text(max_size=60), st.integers(0, 20), st.integers(1, 7))
def test_an_answer_loses_an_echo_and_nothing_else(turn, answer, echoed, size):
    echo = Echo(turn)
    whole = turn[len(turn) - min(echoed, len(turn)) :] + answer
    cut = [whole[at : at + size] for at in range(0, len(whole), size)]
    left = "".join(map(echo.feed, cut)) + echo.flush()
    assert whole.endswith(left)
    gone = whole[: len(whole) - len(left)]
    assert turn.endswith(gone) or turn.rstrip().endswith(gone)
    assert len(gone) <= ECHO_LONGEST


def test_text_is_held_back_only_while_it_may_be_an_echo():
    echo = Echo("The heart is normal.")
    assert [echo.feed(piece) for piece in ("nor", "thern", "nor")] == ["", "northern", "nor"]


def test_an_answer_that_might_outgrow_the_context_gets_what_is_left_of_it():
    wire = Wire((400, json.loads(OVERFLOWS[3])))
    assert heard(wire, ask(), dialect=VLLM)[0] == "".join(HI)
    assert [body.get("max_tokens") for body in wire.bodies] == [20, None]


def test_a_conversation_that_does_not_fit_is_refused_after_that():
    wire = Wire(always=(400, json.loads(OVERFLOWS[0])))
    with pytest.raises(ContextOverflow):
        heard(wire)
    assert len(wire.bodies) == 2


def test_an_answer_that_has_begun_is_not_asked_for_again():
    wire = Wire([event({"content": "a"}), b"data: " + OVERFLOWS[0] + b"\n\n"])
    with pytest.raises(ContextOverflow):
        heard(wire)
    assert len(wire.bodies) == 1


def test_what_is_asked_for_on_the_wire():
    wire = Wire()
    asked = ask(begun="The", logit_bias={100: -100.0}, model="another")
    heard(wire, asked)
    [body] = wire.bodies
    assert (body["model"], body["logit_bias"], body["stream"]) == ("another", {"100": -100.0}, True)
    assert body["continue_final_message"] and not body["add_generation_prompt"]
    assert "rid" not in body and "ignore_eos" not in body
    assert len(body["request_id"]) == 32
    heard(wire, ask(model=None))
    assert wire.bodies[1]["model"] == MODEL


def test_fields_of_sampling_are_passed_on():
    wire = Wire()
    asked = ask()
    sampling = Sampling(20, 0.7, 0.9, top_k=4, seed=3, stop=("x",), repetition_penalty=1.1)
    heard(wire, type(asked)(asked.messages, sampling, 9))
    assert {"temperature": 0.7, "top_p": 0.9, "top_k": 4, "seed": 3, "stop": ["x"], "max_tokens": 9}.items() <= (
        wire.bodies[0].items()
    )


@pytest.mark.parametrize("dialect", [OURS, VLLM, SGLANG, PLAIN])
def test_what_is_kept_of_a_prompt_is_kept_apart_by_its_salt(dialect):
    wire = Wire()
    heard(wire, replace(ask(), cache_salt="s"), dialect=dialect)
    assert wire.bodies[0].get("cache_salt") == ("s" if dialect is not PLAIN else None), (
        "a stranger may refuse the field"
    )


async def until(condition) -> None:
    while not condition():  # noqa: ASYNC110  (a server has only its counts to ask)
        await asyncio.sleep(0.005)


BY_ID = [(Wire, VLLM, "request_id"), (Sglang, SGLANG, "rid"), (Wire, PLAIN, None)]


@pytest.mark.parametrize(("kind", "dialect", "field"), BY_ID)
def test_closing_the_stream_stops_the_work_by_id_too_where_there_is_a_way(kind, dialect, field):
    async def scene():
        wire = kind([event({"content": "a"}), asyncio.Event()])
        async with client_of(wire, dialect) as client:
            async with aclosing(client.stream(ask())) as stream:
                await anext(stream)
                assert wire.running == 1
            await until(lambda: wire.running == 0)
            if field:
                await until(lambda: wire.aborted)
            assert wire.aborted == ([wire.bodies[0][field]] if field else [])
            await said(client)
            assert len(wire.aborted) == bool(field), "an answer that has ended needs no abort"

    run(scene())


@pytest.mark.parametrize(("kind", "dialect", "field"), BY_ID)
def test_who_leaves_with_the_end_in_hand_aborts_nothing(kind, dialect, field):
    async def scene():
        wire = kind(answered(*HI), answered(*HI))
        async with client_of(wire, dialect) as client:
            async with aclosing(client.stream(ask())) as stream:
                async for item in stream:
                    if isinstance(item, End):
                        break
            await said(client)
            await asyncio.sleep(0.1)
            assert len(wire.bodies) == 2 and not wire.aborted

    run(scene())


def test_cancelling_who_waits_aborts_too():
    async def scene():
        wire = Sglang([asyncio.Event()])
        async with client_of(wire, SGLANG) as client:
            task = asyncio.create_task(said(client))
            await until(lambda: wire.running)
            task.cancel()
            await until(lambda: wire.aborted and not wire.running)

    run(scene())


@pytest.mark.parametrize(
    "frames",
    [
        [30],
        [event({"role": "assistant"}), 30],
        [event({"content": "a"}), 30],
        [event({"content": "a"}), b": ping\n", 30],
    ],
)
def test_silence_is_an_engine_lost(frames):
    with pytest.raises(EngineLost):
        heard(Wire(frames), patience=Patience(0.3, 0.2))


@pytest.mark.parametrize(
    ("given", "dialect", "why"),
    [
        ([30], VLLM, MUTE),  # not even a head
        ([event({"role": "assistant"}), 30], VLLM, MUTE),
        ([event({"content": "a"}), 30], VLLM, SILENT),
        ((500, {"error": {"message": "CUDA out of memory"}}), VLLM, FULL),
        ([event({"content": "a"}), event(error={"message": "CUDA out of memory", "code": 500})], SGLANG, FULL),
        ((507, {"error": {"message": "x", "code": "out_of_memory"}}), OURS, None),  # its other answers go on
        ((400, {"error": {"message": "x", "code": 400}}), VLLM, None),
        ([event({"content": "a"}), None], VLLM, None),  # its end is seen by who keeps it
    ],
)
def test_what_an_engine_is_not_left_running_for(given, dialect, why):
    async def scene() -> list[str]:
        failing = []
        async with client_of(Wire(given), dialect, Patience(0.3, 0.2), failing.append) as client:
            with pytest.raises(Problem):
                await said(client)
        return failing

    assert run(scene()) == ([why] if why else [])


def test_an_answer_that_has_begun_is_waited_for_less_long():
    with pytest.raises(EngineLost):
        heard(Wire([event({"content": "a"}), asyncio.Event()]), patience=Patience(60, 0.2))


def test_an_answer_may_begin_late_and_a_comment_is_a_sign_of_life():
    slow = [event({"role": "assistant"}), 0.3, event({"content": "a"}), *[0.25, b": ping\n"] * 4, *answered("b")]
    assert heard(Wire(slow), patience=Patience(2.0, 0.8))[0] == "ab"


@pytest.mark.parametrize(("owner", "dialect"), [("vllm", VLLM), ("sglang", SGLANG), ("x", PLAIN), (None, PLAIN)])
def test_a_server_is_known_by_who_owns_its_models(owner, dialect):
    assert dialect_of(owner) is dialect
