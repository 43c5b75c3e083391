"""The worker's OpenAI wire: what is understood is checked, what is not is ignored."""

import base64

import orjson
import pytest

from medserver.worker.values import Broken, Finished, WorkerRefusal
from medserver.worker.wire import DONE, Replies, broken_body, error_body, parse

PNG = b"\x89PNG pixels"
URL = "data:image/png;base64," + base64.b64encode(PNG).decode()


def body(**fields) -> bytes:
    return orjson.dumps({"messages": [{"role": "user", "content": "hi"}], **fields})


def content(*parts) -> bytes:
    return body(messages=[{"role": "user", "content": list(parts)}])


def refusal(data: bytes) -> WorkerRefusal:
    with pytest.raises(WorkerRefusal) as refused:
        parse(data)
    assert refused.value.status == 400
    return refused.value


def test_what_is_not_said_takes_the_wires_defaults():
    ask = parse(body())
    generation = ask.generation
    assert (ask.stream, ask.include_usage, ask.conversation.continue_final) == (False, False, False)
    assert (generation.max_tokens, generation.temperature, generation.top_p) == (None, 1.0, 1.0)
    assert (generation.top_k, generation.repetition_penalty, generation.seed) == (0, 1.0, None)
    assert (generation.stop, generation.logit_bias) == ((), {})
    assert (generation.ignore_eos, generation.min_tokens) == (False, 0)
    assert ask.cache_salt is None


def test_everything_the_front_sends_arrives():
    sent = {
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 5,
        "temperature": 0,
        "top_p": 0.5,
        "top_k": 3,
    }
    sent |= {
        "repetition_penalty": 1.2,
        "seed": -4,
        "stop": ["a", "b"],
        "logit_bias": {"100": -100.0},
        "ignore_eos": True,
        "min_tokens": 2,
        "cache_salt": "chat-7",
    }
    ask = parse(body(**sent, continue_final_message=True, add_generation_prompt=False, model="m"))
    generation = ask.generation
    assert ask.stream and ask.include_usage and ask.conversation.continue_final and generation.ignore_eos
    assert (generation.max_tokens, generation.temperature, generation.top_p, generation.top_k) == (5, 0.0, 0.5, 3)
    assert (generation.repetition_penalty, generation.seed, generation.stop) == (1.2, -4, ("a", "b"))
    assert (generation.logit_bias, generation.min_tokens) == ({100: -100.0}, 2)
    assert ask.cache_salt == "chat-7"


def test_unknown_fields_are_ignored():
    assert parse(body(user="x", n=1, made_up={"a": 1})) == parse(body())


def test_a_top_k_of_minus_one_means_all_and_one_stop_string_may_stand_alone():
    generation = parse(body(top_k=-1, stop="END")).generation
    assert (generation.top_k, generation.stop) == (0, ("END",))


def test_empty_stop_strings_are_dropped():
    assert parse(body(stop=["", "a"])).generation.stop == ("a",)
    assert parse(body(stop="")).generation.stop == ()


def test_parts_keep_their_order_and_images_come_apart_as_bytes():
    image = {"type": "image_url", "image_url": {"url": URL}}
    conversation = parse(
        content({"type": "text", "text": "a"}, image, {"type": "text", "text": "b"}, image)
    ).conversation
    kinds = [part["type"] for part in conversation.messages[0]["content"]]
    assert kinds == ["text", "image", "text", "image"]
    assert conversation.pngs == (PNG, PNG)
    assert URL not in str(conversation.messages)


def test_text_becomes_one_part_and_system_text_stays_text():
    messages = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]
    assert parse(body(messages=messages)).conversation.messages == [
        {"role": "system", "content": "s"},
        {"role": "user", "content": [{"type": "text", "text": "u"}]},
    ]


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b'"x"', b"\xff", b'{"messages": NaN}', b"[" * 5000])
def test_a_body_that_is_no_object_is_refused(data):
    assert refusal(data).code == "invalid_request"


@pytest.mark.parametrize("messages", [None, [], {}, "hi", 3])
def test_messages_must_be_a_list_that_is_not_empty(messages):
    assert "messages" in refusal(body(messages=messages)).sentence


@pytest.mark.parametrize(
    "message",
    [
        "hi",
        None,
        {},
        {"role": "tool", "content": "x"},
        {"role": ["user"], "content": "x"},
        {"role": "user"},
        {"role": "user", "content": None},
        {"role": "user", "content": 5},
        {"role": "user", "content": ["x"]},
        {"role": "user", "content": [{"type": "text"}]},
        {"role": "user", "content": [{"type": "text", "text": 5}]},
        {"role": "user", "content": [{"type": "input_audio"}]},
    ],
)
def test_a_message_of_the_wrong_shape_is_refused(message):
    assert refusal(body(messages=[message])).code == "invalid_request"


@pytest.mark.parametrize(
    "url",
    [None, 5, "", "http://host/a.png", "file:///etc/passwd", "/etc/passwd", URL.replace("png", "jpeg", 1), URL[:-1]],
)
def test_an_image_is_a_png_data_url_and_nothing_else(url):
    assert refusal(content({"type": "image_url", "image_url": {"url": url}})).code == "bad_image"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("max_tokens", 0),
        ("max_tokens", 1.5),
        ("max_tokens", "5"),
        ("max_tokens", True),
        ("temperature", -0.1),
        ("temperature", 101),
        ("temperature", "0"),
        ("temperature", [0]),
        ("top_p", 1.1),
        ("top_p", -1),
        ("min_tokens", -1),
        ("min_tokens", "2"),
        ("top_k", -2),
        ("top_k", 2.5),
        ("repetition_penalty", 0),
        ("seed", 2**63),
        ("seed", 1.5),
        ("logit_bias", [1]),
        ("logit_bias", {"a": 1}),
        ("logit_bias", {"1": "x"}),
        ("logit_bias", {"1": None}),
        ("logit_bias", "x"),
    ],
)
def test_a_number_of_the_wrong_kind_or_range_is_refused_by_name(field, value):
    refused = refusal(body(**{field: value}))
    assert refused.code == "invalid_request"
    assert field in refused.sentence


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(body(stop=5), id="stop is a number"),
        pytest.param(body(cache_salt=7), id="cache_salt is a number"),
        pytest.param(body(cache_salt=""), id="cache_salt is empty"),
        pytest.param(body(stream_options="x"), id="stream_options is a string"),
        pytest.param(content({"type": "image_url", "image_url": URL}), id="image_url is a string"),
    ],
)
def test_a_field_of_the_wrong_shape_is_refused_and_does_not_break_the_worker(data):
    refusal(data)


def test_no_refusal_repeats_what_was_sent():
    canary = "CANARY-7731"
    bodies = [
        canary.encode(),
        body(messages=canary),
        body(messages=[{"role": canary, "content": "x"}]),
        content({"type": canary, "text": canary}),
        content({"type": "image_url", "image_url": {"url": canary}}),
        body(temperature=canary),
        body(logit_bias={canary: 1}),
    ]
    assert not any(canary in refusal(one).sentence for one in bodies)


def read(data: bytes) -> dict:
    assert data.startswith(b"data: ") and data.endswith(b"\n\n")
    return orjson.loads(data[6:])


def test_chunks_and_the_whole_are_shaped_as_the_wire_has_them():
    replies = Replies("id-1", "demo")
    finished = Finished("length", 5, 2, cached_tokens=3)
    chunk = read(replies.chunk({"content": "a"}))
    assert (chunk["id"], chunk["model"], chunk["object"]) == ("id-1", "demo", "chat.completion.chunk")
    assert chunk["choices"] == [{"index": 0, "delta": {"content": "a"}, "finish_reason": None}]
    assert read(replies.chunk({}, "stop"))["choices"][0]["finish_reason"] == "stop"
    usage = read(replies.usage_chunk(finished))
    assert usage["choices"] == []
    tokens = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
    assert usage["usage"] == {**tokens, "prompt_tokens_details": {"cached_tokens": 3}}
    whole = replies.whole("text", finished)
    assert (whole["object"], whole["usage"]) == ("chat.completion", usage["usage"])
    assert whole["choices"][0]["message"] == {"role": "assistant", "content": "text"}
    assert whole["choices"][0]["finish_reason"] == "length"
    assert DONE == b"data: [DONE]\n\n"


def test_text_that_looks_like_a_frame_stays_inside_its_own():
    assert read(Replies("i", "m").chunk({"content": "\n\ndata: [DONE]\n\n"}))["choices"][0]["delta"]["content"]


@pytest.mark.parametrize(
    ("code", "kind"),
    [("out_of_memory", "server_error"), ("internal", "server_error"), ("bad_image", "invalid_request_error")],
)
def test_errors_take_the_shape_that_openai_clients_read(code, kind):
    assert error_body("s", code) == {"error": {"message": "s", "type": kind, "param": None, "code": code}}
    assert broken_body(Broken(code, "s")) == error_body("s", code)
