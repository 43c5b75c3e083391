"""Bodies become the wire's models in memory, or a sentence that names the field and never its value."""

import contextlib
import tempfile

import orjson
import pytest
from starlette.requests import Request

from medserver.config import DEFAULT_MAX_TOKENS
from medserver.errors import InvalidRequest
from medserver.forms import read_analyze_form, read_json
from medserver.schemas import AnalyzeForm, ChatRequest, ImagePart, TextPart
from medserver.sse import refusal
from tests.scripted import Exchange, run

CANARY = "CANARY-7731"
HI = [{"role": "user", "content": "hi"}]


def read(body: bytes) -> ChatRequest:
    exchange = Exchange(body)
    return run(read_json(Request(exchange.scope, exchange.receive), ChatRequest))


def test_the_bytes_of_a_body_are_not_kept_for_as_long_as_its_answer_takes():
    exchange = Exchange(orjson.dumps({"messages": HI}))
    request = Request(exchange.scope, exchange.receive)
    run(read_json(request, ChatRequest))
    assert not any(isinstance(kept, bytes) for kept in vars(request).values())


def refused(body) -> str:
    with pytest.raises(InvalidRequest) as wrong:
        read(body if isinstance(body, bytes) else orjson.dumps(body))
    assert (wrong.value.status, wrong.value.code) == (422, "invalid_request")
    assert refusal(wrong.value, Exchange().scope).body, "the refusal itself must be fit for the wire"
    return wrong.value.sentence


def test_a_message_alone_takes_the_defaults():
    request = read(orjson.dumps({"messages": HI}))
    assert (request.max_tokens, request.thinking, request.stream) == (DEFAULT_MAX_TOKENS, "auto", True)
    optional = ("system_prompt", "temperature", "top_p", "top_k", "seed", "stop", "repetition_penalty", "model")
    assert [getattr(request, name) for name in optional] == [None] * 8
    assert request.messages[0].image_data == []


def test_the_example_of_the_contract_is_read():
    request = read(
        orjson.dumps(
            {
                "messages": [{"role": "user", "content": "Compare.", "image_data": ["data:image/png;base64,aa", "bb"]}],
                "system_prompt": None,
                "max_tokens": 2048,
                "temperature": None,
                "top_p": None,
                "thinking": "auto",
                "stream": True,
            }
        )
    )
    assert request.messages[0].image_data == ["data:image/png;base64,aa", "bb"]


def test_everything_optional_arrives():
    sent = {
        "system_prompt": "",
        "max_tokens": 1,
        "temperature": 1,
        "top_p": 0.5,
        "thinking": "on",
        "stream": False,
        "top_k": 5,
    }
    sent |= {"seed": -1, "stop": ["a"], "repetition_penalty": 1.5, "model": "demo"}
    request = read(orjson.dumps({"messages": HI, **sent}))
    assert {name: getattr(request, name) for name in sent} == sent


def test_parts_are_texts_and_marks_for_images():
    content = [{"type": "text", "text": "a"}, {"type": "image"}]
    request = read(orjson.dumps({"messages": [{"role": "user", "content": content, "image_data": ["x"]}]}))
    assert request.messages[0].content == [TextPart(type="text", text="a"), ImagePart(type="image")]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"messages": [{"role": "user", "content": "\xff"}]}',
        b'{"messages": [{"role": "user", "content": "\\ud800"}]}',
        b'{"messages": [], "\\udfff": 1}',
        b'{"temperature": NaN}',
        b'{"temperature": Infinity}',
        b'{"temperature": 1e999}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"{'messages': 1}",
    ],
)
def test_a_body_that_is_no_json_is_refused(body):
    assert refused(body) == "The body is not valid JSON."


@pytest.mark.parametrize("body", [b"null", b"[]", b'"x"', b"5", b"true"])
def test_a_body_that_is_no_object_is_refused(body):
    assert refused(body).startswith("body: ")


def with_field(name, value):
    return {"messages": HI, name: value}


def with_message(**fields):
    return {"messages": [{"role": "user", "content": "x"} | fields]}


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": None}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"messages": {"0": HI[0]}}, "messages"),
        ({"messages": ["hi"]}, "messages.0"),
        ({"messages": [HI[0], None]}, "messages.1"),
        ({"messages": [{"content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "user"}]}, "messages.0.content"),
        (with_message(role="tool"), "messages.0.role"),
        (with_message(role=None), "messages.0.role"),
        (with_message(content=None), "messages.0.content"),
        (with_message(content=5), "messages.0.content"),
        (with_message(content=["x"]), "messages.0.content"),
        (with_message(content=[{"type": "image_url"}]), "messages.0.content"),
        (with_message(content=[{"type": "text"}]), "messages.0.content"),
        (with_message(content=[{"text": "x"}]), "messages.0.content"),
        (with_message(content=[{"type": "image", "path": "/etc/passwd"}]), "messages.0.content"),
        (with_message(image_data="x"), "messages.0.image_data"),
        (with_message(image_data=None), "messages.0.image_data"),
        (with_message(image_data=[5]), "messages.0.image_data.0"),
        (with_message(image_data=[{"url": "http://x"}]), "messages.0.image_data.0"),
        (with_message(images=[]), "messages.0.images"),
        (with_field("max_tokens", 0), "max_tokens"),
        (with_field("max_tokens", -1), "max_tokens"),
        (with_field("max_tokens", "5"), "max_tokens"),
        (with_field("max_tokens", 1.5), "max_tokens"),
        (with_field("max_tokens", True), "max_tokens"),
        (with_field("max_tokens", None), "max_tokens"),
        (with_field("temperature", "0.5"), "temperature"),
        (with_field("temperature", True), "temperature"),
        (with_field("temperature", [0.5]), "temperature"),
        (with_field("top_p", "1"), "top_p"),
        (with_field("top_k", -1), "top_k"),
        (with_field("top_k", 1.5), "top_k"),
        (with_field("seed", 2**63), "seed"),
        (with_field("seed", "1"), "seed"),
        (with_field("stop", 5), "stop"),
        (with_field("stop", [5]), "stop"),
        (with_field("repetition_penalty", "1"), "repetition_penalty"),
        (with_field("thinking", "yes"), "thinking"),
        (with_field("thinking", True), "thinking"),
        (with_field("stream", "true"), "stream"),
        (with_field("stream", 1), "stream"),
        (with_field("system_prompt", 5), "system_prompt"),
        (with_field("model", 4), "model"),
        (with_field("max_token", 5), "max_token"),
        (with_field("image_data", []), "image_data"),
    ],
)
def test_a_wrong_field_is_refused_by_its_name(body, place):
    assert refused(body).startswith((place + ":", place + "."))


@pytest.mark.parametrize(
    "body",
    [
        CANARY.encode(),
        orjson.dumps(CANARY),
        {"messages": CANARY},
        with_message(role=CANARY),
        with_message(content={CANARY: CANARY}),
        with_message(content=[{"type": CANARY}]),
        with_message(content=[{"type": "text", "text": [CANARY]}]),
        with_message(image_data=[[CANARY]]),
        with_field("temperature", CANARY),
        with_field("thinking", CANARY),
        with_field("stop", [[CANARY]]),
        with_field("seed", {CANARY: 1}),
    ],
)
def test_no_sentence_repeats_what_was_sent(body):
    assert CANARY not in refused(body)


def test_the_name_of_an_unknown_field_is_not_repeated_at_any_length():
    assert len(refused(with_field("x" * 100_000, 1))) < 1000


@pytest.mark.parametrize("content", [[{"type": "image_url"}], [{"type": "text"}]])
def test_a_wrong_part_is_named_and_not_the_list_it_is_in(content):
    assert "valid string" not in refused(with_message(content=content))


BOUNDARY = "frontier"


def part(name: str, value: bytes | str, filename: str | None = None, **headers: str) -> bytes:
    disposition = f'form-data; name="{name}"' + (f'; filename="{filename}"' if filename is not None else "")
    lines = [f"--{BOUNDARY}", f"Content-Disposition: {disposition}", *(f"{k}: {v}" for k, v in headers.items()), "", ""]
    return "\r\n".join(lines).encode() + (value.encode() if isinstance(value, str) else value) + b"\r\n"


IMAGE = part("image", b"pixels", "a.png")


def posted(body: bytes, content_type: str) -> tuple[AnalyzeForm, list[bytes]]:
    exchange = Exchange(body, headers={"content-type": content_type} if content_type else {})
    return run(read_analyze_form(Request(exchange.scope, exchange.receive)))


def form(*parts: bytes, suffix: str = "") -> tuple[AnalyzeForm, list[bytes]]:
    body = b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()
    return posted(body, f"multipart/form-data; boundary={BOUNDARY}{suffix}")


def form_refused(*parts: bytes, suffix: str = "") -> str:
    with pytest.raises(InvalidRequest) as wrong:
        form(*parts, suffix=suffix)
    assert refusal(wrong.value, Exchange().scope).body
    return wrong.value.sentence


def test_a_form_with_an_image_alone_takes_the_defaults():
    read_form, images = form(IMAGE)
    assert images == [b"pixels"]
    assert (read_form.stream, read_form.thinking, read_form.max_tokens) == (True, "auto", DEFAULT_MAX_TOKENS)
    assert "findings" in read_form.prompt


def test_every_field_of_the_form_is_read_from_its_text():
    values = {
        "prompt": "what?",
        "max_tokens": "7",
        "temperature": "0.5",
        "top_p": "1",
        "thinking": "off",
        "stream": "false",
    }
    read_form, images = form(*(part(name, value) for name, value in values.items()), IMAGE, part("image", b"2", "b"))
    assert images == [b"pixels", b"2"]
    assert (read_form.prompt, read_form.max_tokens, read_form.temperature) == ("what?", 7, 0.5)
    assert (read_form.top_p, read_form.thinking, read_form.stream) == (1.0, "off", False)


def test_a_prompt_keeps_its_letters():
    read_form, _ = form(part("prompt", "größer als 5 µm – 肝"), IMAGE)
    assert read_form.prompt == "größer als 5 µm – 肝"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_tokens", CANARY),
        ("max_tokens", "0"),
        ("max_tokens", "1.5"),
        ("temperature", CANARY),
        ("temperature", "nan"),
        ("top_p", "inf"),
        ("thinking", CANARY),
        ("stream", CANARY),
        ("seed", CANARY),
    ],
)
def test_a_wrong_field_of_the_form_is_refused_by_its_name_and_not_repeated(name, value):
    sentence = form_refused(part(name, value), IMAGE)
    assert sentence.startswith(f"{name}:")
    assert CANARY not in sentence


def test_only_the_field_image_carries_files():
    assert "image" in form_refused(IMAGE, part("prompt", "x", "prompt.txt"))
    assert "image" in form_refused(IMAGE, part("report", b"x", f"{CANARY}.pdf"))
    assert CANARY not in form_refused(IMAGE, part("report", b"x", f"{CANARY}.pdf"))


def test_text_where_an_image_should_be_is_no_image():
    assert form_refused(part("image", "/etc/passwd"), IMAGE) == "image: it must be a file."


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{}", "application/json"),
        (b"prompt=x", "application/x-www-form-urlencoded"),
        (b"", ""),
        (b"", "multipart/form-data"),
        (b"garbage", f"multipart/form-data; boundary={BOUNDARY}"),
        (b"--frontier\r\nX: y\r\n\r\nz\r\n--frontier--\r\n", f"multipart/form-data; boundary={BOUNDARY}"),
        (b"--frontier\r\n\r\nz\r\n--frontier--\r\n", f"multipart/form-data; boundary={BOUNDARY}"),
    ],
)
def test_a_body_that_is_no_form_is_refused(body, content_type):
    with pytest.raises(InvalidRequest):
        posted(body, content_type)


def test_bytes_that_are_no_text_are_no_crash():
    for value in (b"\xff\xfe", b"\xed\xa0\x80"):
        read_form, _ = form(part("prompt", value), IMAGE)
        assert isinstance(read_form.prompt.encode(), bytes)


@pytest.mark.parametrize(
    "charset",
    ["idna", "hex", "zip", "x" * 99, "utf-16", "utf-7", "unicode_escape", "punycode", "undefined"],
)
def test_a_charset_of_the_clients_choice_lets_in_no_text_that_is_none(charset):
    for value in (b"+2AA-", b"\\ud800", b"\xff", b"xn--\xff.." + b"a" * 80):
        for name in ("prompt", "p+2AA-"):
            with contextlib.suppress(InvalidRequest):
                read_form, _ = form(part(name, value), IMAGE, suffix=f"; charset={charset}")
                assert read_form.prompt.encode()


def test_an_upload_stays_in_memory_whatever_its_size(monkeypatch):
    def rolled_over(self):
        raise AssertionError("a patient's picture went to disk")

    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", rolled_over)
    monkeypatch.setattr(tempfile, "TemporaryFile", rolled_over)
    large = bytes(3_000_000)
    _, images = form(part("image", large, "a.png"), part("image", large, "b.png"))
    assert images == [large, large]


def test_an_upload_that_comes_in_pieces_is_the_same():
    async def scene():
        body = part("image", bytes(range(256)) * 40, "a.png") + part("prompt", "why?") + f"--{BOUNDARY}--\r\n".encode()
        exchange = Exchange(None, headers={"content-type": f"multipart/form-data; boundary={BOUNDARY}"})
        messages = [
            {"type": "http.request", "body": body[n : n + 7], "more_body": True} for n in range(0, len(body), 7)
        ]
        messages.append({"type": "http.request", "body": b"", "more_body": False})

        async def receive():
            return messages.pop(0)

        return await read_analyze_form(Request(exchange.scope, receive))

    read_form, images = run(scene())
    assert (read_form.prompt, images) == ("why?", [bytes(range(256)) * 40])
