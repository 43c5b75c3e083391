"""What arrives is read as an answer, however the network cut it, and what is none is said."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.client import Failed, read
from tests.scripted import examples

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"


def frame(**body) -> bytes:
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def said(text: str) -> bytes:
    return frame(choices=[{"index": 0, "delta": {"content": text}}])


FRAMES = [
    frame(choices=[{"index": 0, "delta": {"role": "assistant", "content": ""}}]),
    said("Grüße, "),
    b": still here\n\n",
    frame(choices=[{"index": 0, "delta": {"reasoning": "hm"}}]),
    said("done"),
    frame(choices=[], usage={"completion_tokens": 3}),
    b"data: [DONE]\n\n",
]


def chunked(frames: list[bytes]) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in [*frames, b""])


WHOLE = HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(FRAMES)


@examples(60)
@given(st.lists(st.integers(1, len(WHOLE) - 1), max_size=12))
def test_an_answer_is_the_same_however_it_is_cut(places):
    edges = sorted({0, len(WHOLE), *places})
    parts = [WHOLE[start:end] for start, end in pairwise(edges)]
    answer = read(0.0, [(float(number), part) for number, part in enumerate(parts)], 3)
    assert answer.texts == ["Grüße, ", "hm", "done"] and answer.tokens == 3
    assert answer.pieces == sorted(answer.pieces)


def test_a_piece_has_the_time_of_the_bytes_that_completed_it():
    head, rest = WHOLE[:90], WHOLE[90:]
    answer = read(10.0, [(10.5, head), (12.0, rest)], 3)
    assert answer.ttft == 2.0 and answer.gaps == [0.0, 0.0] and answer.ended == 2.0


def test_an_answer_without_chunks_is_read_as_well():
    answer = read(0.0, [(1.0, HEAD + b"\r\n" + b"".join(FRAMES))], 3)
    assert "".join(answer.texts) == "Grüße, hmdone"


@pytest.mark.parametrize(
    "arrived",
    [
        b"",
        b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nfull",
        HEAD + b"\r\n" + said("half") + frame(error={"message": "it broke"}),
        HEAD + b"\r\n" + said("short") + frame(choices=[], usage={"completion_tokens": 1}),
        HEAD + b"\r\ndata: [DONE]\n\n",
    ],
)
def test_what_is_no_whole_answer_is_said(arrived):
    with pytest.raises(Failed):
        read(0.0, [(1.0, arrived)] if arrived else [], 3)
