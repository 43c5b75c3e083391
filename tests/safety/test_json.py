"""JSON at its worst, at every door: a refusal with a code or an answer, never a failure, never a wait."""

import json
import time
from pathlib import Path

import orjson
import pytest

from tests.safety.asked import Front

DOORS = ("/api/chat", "/v1/chat/completions")
SUITE = json.loads(Path(__file__).with_name("json_test_suite.json").read_text(encoding="utf-8"))
SECONDS = 1.0  # of this process alone; five times what is demanded of the server, for slow machines

# What the suite has as bytes that are no UTF-8, or no JSON at all, and what is too long to be kept in a file.
BYTES = {
    "lone continuation byte": b'["\x81"]',
    "overlong slash": b'["\xc0\xaf"]',
    "overlong of six bytes": b'["\xfc\x80\x80\x80\x80\x80"]',
    "surrogate in UTF-8": b'["\xed\xa0\x80"]',
    "beyond Unicode": b'["\xf4\xbf\xbf\xbf"]',
    "cut character": b'["\xe0\xff"]',
    "Latin-1": b'["\xe9"]',
    "byte order mark": b"\xef\xbb\xbf{}",
    "half a byte order mark": b"\xef\xbb{}",
    "UTF-16 LE": '["é"]'.encode("utf-16-le"),
    "UTF-16 BE with mark": b"\xfe\xff" + '["é"]'.encode("utf-16-be"),
    "UTF-32": '["é"]'.encode("utf-32"),
    "invalid in a number": b"[0e1\xe5]",
    "invalid in a name": b'{"\xb9":"0",}',
    "NUL": b"\x00",
    "NUL in a string": b'["a\x00b"]',
    "100,000 opening arrays": b"[" * 100_000,
    "100,000 arrays": b"[" * 100_000 + b"]" * 100_000,
    "50,000 objects": b'[{"":' * 50_000,
    "50,000 nested objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "a number of 100,000 figures": b"[" + b"9" * 100_000 + b"]",
    "an exponent of 100,000 figures": b"[1e" + b"9" * 100_000 + b"]",
    "a string of escapes": b'["' + b"\\u0041" * 100_000 + b'"]',
    "100,000 names": b"{" + b",".join(b'"%d":0' % number for number in range(100_000)) + b"}",
    "the same name 100,000 times": b"{" + b",".join([b'"messages":0'] * 100_000) + b"}",
    "nothing": b"",
    "spaces": b" " * 100_000,
}

# Places in a question where a value of any kind can stand.
PLACES = {
    "the body": b"%s",
    "messages": b'{"messages": %s}',
    "a message": b'{"messages": [%s]}',
    "content": b'{"messages": [{"role": "user", "content": %s}]}',
    "a part": b'{"messages": [{"role": "user", "content": [%s]}]}',
    "a text": b'{"messages": [{"role": "user", "content": [{"type": "text", "text": %s}]}]}',
    "images": b'{"messages": [{"role": "user", "content": "x", "image_data": [%s]}]}',
    "max_tokens": b'{"messages": [{"role": "user", "content": "x"}], "max_tokens": %s}',
    "temperature": b'{"messages": [{"role": "user", "content": "x"}], "temperature": %s}',
    "stop": b'{"messages": [{"role": "user", "content": "x"}], "stop": %s}',
    "seed": b'{"messages": [{"role": "user", "content": "x"}], "seed": %s}',
}


def refused(front: Front, door: str, bodies) -> dict[str, int]:
    """The status of each, having seen that none failed, that each has a code, and that none took long."""
    found = {}
    for name, body in bodies:
        started = time.process_time()
        answer = front.ask(door, body)
        assert time.process_time() - started < SECONDS, name
        assert answer.status < 500, (name, answer.status)
        if answer.status != 200:
            said = orjson.loads(answer.body)
            assert said.get("code") or said["error"]["code"], name
        found[name] = answer.status
    return found


def test_the_suite_is_there():
    assert len(SUITE) > 280 and {name[0] for name, _ in SUITE} == {"y", "n", "i"}


@pytest.mark.parametrize("door", DOORS)
def test_no_case_of_the_suite_is_a_question(front: Front, door):
    statuses = refused(front, door, ((name, text.encode("utf-8", "surrogatepass")) for name, text in SUITE))
    assert set(statuses.values()) <= {400, 422}


@pytest.mark.parametrize("door", DOORS)
def test_bytes_that_are_no_text_and_what_is_too_deep_or_too_long(front: Front, door):
    assert set(refused(front, door, BYTES.items()).values()) <= {400, 422}


@pytest.mark.parametrize("place", PLACES)
def test_every_case_in_every_place_of_a_question(front: Front, place):
    cases = [(name, text.encode("utf-8", "surrogatepass")) for name, text in SUITE]
    cases += [*BYTES.items(), *((one, one.encode()) for one in ("NaN", "-Infinity", "1e999", '"\\ud800"', "null"))]
    template = PLACES[place]
    statuses = refused(front, "/api/chat", ((name, template.replace(b"%s", text)) for name, text in cases))
    assert {400, 422} & set(statuses.values())


@pytest.mark.parametrize("door", DOORS)
def test_every_case_as_the_words_of_a_message(front: Front, door):
    words = [(name, orjson.dumps({"messages": [{"role": "user", "content": text}]})) for name, text in SUITE]
    assert set(refused(front, door, words).values()) == {200}


def test_ten_thousand_messages_and_a_thousand_images(front: Front):
    message = {"role": "user", "content": "x"}
    many = {
        "10,000 messages": {"messages": [message] * 10_000},
        "1,000 images": {"messages": [{**message, "image_data": ["aGk="] * 1000}]},
        "1,000 images, one a message": {"messages": [{**message, "image_data": ["aGk="]}] * 99},
        "10,000 parts": {"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}] * 10_000}]},
        "10,000 stops": {"messages": [message], "stop": ["x"] * 10_000},
        "10,000 unknown names": {"messages": [message], **{f"n{number}": 0 for number in range(10_000)}},
        "a million characters": {"messages": [{"role": "user", "content": "x" * 1_000_000}]},
        "a long name": {"messages": [message], "x" * 100_000: 1},
    }
    statuses = refused(front, "/api/chat", ((name, orjson.dumps(body)) for name, body in many.items()))
    assert statuses.pop("10,000 parts") == 200
    assert set(statuses.values()) <= {400, 422}
    images = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}] * 1000
    body = orjson.dumps({"messages": [{"role": "user", "content": images}]})
    assert set(refused(front, DOORS[1], [("1,000 image parts", body)]).values()) == {400}


def test_a_form_at_its_worst(front: Front):
    def form(*parts: bytes, edge: bytes = b"edge") -> bytes:
        return b"".join(b"--" + edge + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + edge + b"--\r\n"

    def part(name: bytes, value: bytes, more: bytes = b"") -> bytes:
        return b'Content-Disposition: form-data; name="%s"%s\r\n\r\n%s' % (name, more, value)

    image = part(b"image", b"x", b'; filename="a.png"')
    bodies = {
        "none": b"",
        "no end": form(image)[:-8],
        "100,000 fields": form(*(part(b"a", b"b") for _ in range(100_000))),
        "2,000 images": form(*[image] * 2000),
        "a name of 100 kB": form(part(b"x" * 100_000, b"y")),
        "no name": form(b"Content-Disposition: form-data\r\n\r\nx"),
        "no head": form(b"\r\nx"),
        "NUL": form(part(b"prompt\x00", b"\x00\xff")),
        "bytes that are no text": form(image, part(b"prompt", b"\xff\xfe\xfd")),
        "a path as its name": form(part(b"image", b"x", b'; filename="../../etc/passwd"')),
        "the same field twice": form(image, part(b"prompt", b"a"), part(b"prompt", b"b")),
        "numbers that are none": form(image, part(b"temperature", b"nan"), part(b"max_tokens", b"1e9")),
    }
    for name, body in bodies.items():
        started = time.process_time()
        answer = front.ask("/api/analyze", body, **{"content-type": "multipart/form-data; boundary=edge"})
        assert 400 <= answer.status < 500, (name, answer.status, answer.body)
        assert time.process_time() - started < 3 * SECONDS, name
    for kind in (
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/mixed; boundary=a",
        "x" * 9000,
        "",
    ):
        assert 400 <= front.ask("/api/analyze", form(image), **{"content-type": kind}).status < 500, kind
