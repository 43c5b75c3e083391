"""The splitter gives thoughts and answer apart, the same however the stream was cut."""

import itertools

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from medserver.events import Thought, Token
from medserver.thinking import ThinkingSplitter
from tests.scripted import MARKERS, examples

OPEN, CLOSE = MARKERS.open, MARKERS.close
NEAR = ["<", "<<", "<u", "<unused9", "<unused94", "<unused95", "unused94>", "<unused93>", "<unused940>"]
NEAR += ["thought\n", "thought", "though", "t", "\n", " ", "é", "x < 5"]

pieces = st.lists(st.sampled_from(NEAR) | st.text("<>unused945thg\n ", max_size=6), max_size=5).map("".join)
plain = pieces.filter(lambda text: OPEN not in text and CLOSE not in text)
# Any order of markers, near-markers and text, as an untrained or a misled model may write them.
anything = st.lists(st.sampled_from([OPEN, CLOSE, MARKERS.opening, *NEAR]), max_size=14).map("".join)
places = st.lists(st.integers(0, 400), max_size=30)


def split(parts, thinking=False) -> tuple[str, str]:
    """(thought, answer) of a text that comes in `parts`."""
    splitter = ThinkingSplitter(MARKERS, thinking=thinking)
    events = [event for part in parts for event in splitter.feed(part)] + list(splitter.flush())
    assert all(event.text for event in events), "an empty event is a frame for nothing"
    thought = "".join(event.text for event in events if isinstance(event, Thought))
    return thought, "".join(event.text for event in events if isinstance(event, Token))


def cut(text: str, at: list[int]) -> list[str]:
    edges = sorted({0, len(text), *(place % (len(text) + 1) for place in at)})
    return [text[start:end] for start, end in itertools.pairwise(edges)]


@examples(150)
@given(anything, places, st.booleans())
def test_the_result_is_the_same_however_the_stream_is_cut(text, at, thinking):
    whole = split([text], thinking)
    assert split(cut(text, at), thinking) == whole
    assert split(text, thinking) == whole, "one character at a time"


@examples(100)
@given(plain, st.lists(st.tuples(plain, plain), max_size=3), places)
def test_thoughts_and_answers_come_back_exactly_and_without_markers(first, rounds, at):
    text = first + "".join(MARKERS.opening + thought + CLOSE + answer for thought, answer in rounds)
    assume(text.count(OPEN) == text.count(CLOSE) == len(rounds))  # no marker came to be at a seam
    thought, answer = split(cut(text, at))
    assert thought == "".join(thought for thought, _ in rounds)
    assert answer == first + "".join(answer for _, answer in rounds)


@examples(80)
@given(plain, places)
def test_a_thought_that_is_never_closed_is_all_thought(thought, at):
    assert split(cut(MARKERS.opening + thought, at)) == (thought, "")


def test_nothing_but_a_possible_marker_is_held_back():
    splitter = ThinkingSplitter(MARKERS)
    assert list(splitter.feed("The heart <unu")) == [Token("The heart ")]
    assert list(splitter.feed("sual> is")) == [Token("<unusual> is")]


def test_what_was_held_back_is_given_at_the_end():
    assert split(["5 <", "unused9"]) == ("", "5 <unused9")
    assert split([OPEN, "thought\nleft <unused9"]) == ("left <unused9", "")


def test_the_state_says_on_which_side_the_text_stands():
    splitter = ThinkingSplitter(MARKERS)
    seen = []
    for part in ("a", OPEN, "b", CLOSE, "c"):
        list(splitter.feed(part))
        seen.append(splitter.thinking)
    assert seen == [False, True, True, False, False]


@pytest.mark.parametrize(
    ("parts", "thought"),
    [
        ([OPEN, "tho", "ught", "\nwhy"], "why"),
        ([OPEN, "thoughtful"], "thoughtful"),
        ([OPEN, "why"], "why"),
        ([OPEN, "thought\n", "thought\nagain"], "thought\nagain"),
        ([OPEN, "thou"], ""),
        ([OPEN, "thought\n"], ""),
        ([OPEN + "thou" + CLOSE], "thou"),
    ],
)
def test_the_word_after_the_opening_marker_is_dropped_once_and_only_when_it_is_whole(parts, thought):
    assert split(parts) == (thought, "")


def test_a_turn_that_was_opened_for_the_model_begins_as_a_thought():
    assert split(["thought\nis my first word", CLOSE, "yes"], thinking=True) == ("thought\nis my first word", "yes")


def test_a_second_thought_is_a_thought_again():
    assert split([f"{OPEN}thought\na{CLOSE}b{OPEN}thought\nc{CLOSE}d"]) == ("ac", "bd")


def test_flushing_twice_gives_nothing_twice():
    splitter = ThinkingSplitter(MARKERS)
    assert list(splitter.feed("x<")) == [Token("x")]
    assert list(splitter.flush()) == [Token("<")]
    assert list(splitter.flush()) == []


@pytest.mark.parametrize(
    ("text", "thinking"),
    [
        pytest.param(f"yes{CLOSE}no", False, id="closed again after the house closed it"),
        pytest.param(f"{MARKERS.opening}is it left?", True, id="opened again after the house opened it"),
        pytest.param(f"{MARKERS.opening}a{OPEN}b", False, id="opened twice"),
    ],
)
def test_a_stray_marker_never_reaches_a_client(text, thinking):
    thought, answer = split([text], thinking)
    assert OPEN not in thought + answer
    assert CLOSE not in thought + answer
