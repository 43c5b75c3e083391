"""What vLLM and SGLang say differently becomes one thing to the house, and never their words about a request."""

import json
from dataclasses import replace

import pytest

from medserver.chat import Sampling
from medserver.engine.base import End
from medserver.engine.dialect import OURS, PLAIN, SGLANG, VLLM, dialect_of
from medserver.engine.faults import problem_from
from medserver.errors import BadRequest, ContextOverflow, EngineLost, Internal, OutOfMemory, Unavailable
from medserver.events import Usage
from tests.engines.asking import heard
from tests.engines.upstreams import HI, MODEL, Wire, answered, ask, event

SECRET = "Mrs Miller, born 1951"


def nested(message: str, code: int = 400, **fields) -> bytes:
    return json.dumps({"error": {"message": message, "type": "BadRequestError", "code": code, **fields}}).encode()


def flat(message: str, code: int = 400) -> bytes:
    return json.dumps({"object": "error", "message": message, "type": "BadRequest", "code": code}).encode()


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


@pytest.mark.parametrize(("owner", "dialect"), [("vllm", VLLM), ("sglang", SGLANG), ("x", PLAIN), (None, PLAIN)])
def test_a_server_is_known_by_who_owns_its_models(owner, dialect):
    assert dialect_of(owner) is dialect
