"""What an engine streams becomes text: thoughts between markers, echoes of what was begun taken off."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medserver.engine.answer import ECHO_LONGEST, Echo, Voice
from medserver.engine.dialect import SGLANG
from tests.engines.asking import heard
from tests.engines.upstreams import Wire, answered, ask, event
from tests.scripted import MARKERS, examples


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
