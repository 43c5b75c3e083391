"""However a stream of events is cut, the same payloads come out of it."""

import pytest

from medserver.engine import payloads
from medserver.engine.payloads import Payloads
from medserver.errors import EngineLost

STREAM = b': hello\n\ndata: {"a": 1}\r\n\r\nevent: x\ndata:{"b": "gr\xc3\xbc"}\n\ndata: [DONE]\n\ndata: {"c": 1}\n\n'
WHOLE = [b'{"a": 1}', b'{"b": "gr\xc3\xbc"}']


@pytest.mark.parametrize("size", [1, 2, 7, len(STREAM)])
def test_the_cuts_do_not_matter_and_nothing_follows_the_end(size):
    found, given, fed = Payloads(), [], 0
    while not found.ended:
        given += found.take(STREAM[fed : fed + size])
        fed += size
    assert given == WHOLE


def test_a_stream_that_breaks_off_has_ended_and_its_half_line_is_no_payload():
    found = Payloads()
    assert found.take(b'data: {"a": 1}\ndata: {"b"') == WHOLE[:1]
    assert not found.ended
    assert found.take(b"") == []
    assert found.ended


def test_a_line_without_an_end_is_given_up(monkeypatch):
    monkeypatch.setattr(payloads, "LONGEST_LINE", 8)
    with pytest.raises(EngineLost):
        Payloads().take(b"data: " + b"x" * 9)
