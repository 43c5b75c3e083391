"""Tokens become text as they come, and the pieces joined are the text of the whole."""

import itertools
from functools import lru_cache

from hypothesis import assume, given
from hypothesis import strategies as st

from medserver.worker.text import Detokenizer, StopStrings
from tests.scripted import examples

CORPUS = ["the heart is normal in size and shape. ", "no focal opacity, 5 x 10^9/L\n", "<p>left</p> lung "] * 4
# Latin with marks, Greek, Arabic, Chinese, an emoji of one code point, one of seven, a flag, a lone joiner.
CHARACTERS = ["\u00e9", "\u03bc", "\u0645", "\u809d", "\U0001fac0", "\U0001f1e9\U0001f1ea", "\u200d", "a", " ", "\n"]
CHARACTERS += ["\U0001f469\U0001f3fd\u200d\u2695\ufe0f", "the heart ", "no focal opacity", "5 x 10"]


@lru_cache
def tokenizer():  # no fixture: where a test fails, pytest would print all of its vocabulary
    from demo_model.tokenizer import build_tokenizer

    return build_tokenizer(CORPUS, 420).backend_tokenizer


def given_out(ids) -> list[str]:
    detokenizer = Detokenizer(tokenizer())
    return [*(detokenizer.add(token) for token in ids), detokenizer.flush()]


def whole(ids) -> str:
    return tokenizer().decode(ids, skip_special_tokens=True)


def encode(text) -> list[int]:
    return tokenizer().encode(text, add_special_tokens=False).ids


def byte(value: int) -> int:
    return tokenizer().token_to_id(f"<0x{value:02X}>")


# Without the tokenizer's own sign for a space, and the one for what is no character.
others = st.characters(exclude_categories=["Cs"], exclude_characters="\ufffd\u2581")
texts = st.lists(st.sampled_from(CHARACTERS) | others).map("".join)


@examples(80)
@given(texts)
def test_the_pieces_joined_are_the_text_of_the_whole(text):
    ids = encode(text)
    assert "".join(given_out(ids)) == whole(ids) == text


@examples(50)
@given(texts)
def test_half_a_character_is_never_given_out(text):
    assert not any("\ufffd" in piece for piece in given_out(encode(text)))


@examples(50)
@given(texts, st.integers(0, 100))
def test_an_answer_that_ends_inside_a_character_keeps_the_whole_ones_before_it(text, length):
    ids = encode(text)[:length]
    out = "".join(given_out(ids))
    assert text.startswith(out.rstrip("\ufffd"))
    assert len(out.rstrip("\ufffd").encode()) + 4 > sum(map(width, ids))
    assert ("\ufffd" in out) == ("\ufffd" in whole(ids))


def width(token: int) -> int:
    """The bytes of text that a token stands for."""
    piece = tokenizer().id_to_token(token)
    return 1 if piece.startswith("<0x") else len(piece.replace("\u2581", " ").encode())


@examples(40)
@given(st.lists(st.sampled_from(["<pad>", "<eos>", "<start_of_turn>", "<unused94>", "<unused95>", "a", "\u00e9"])))
def test_special_tokens_vanish_and_thinking_markers_stay(tokens):
    ids = encode("".join(tokens))
    text = "".join(given_out(ids))
    assert text == whole(ids)
    assert text == "".join(token for token in tokens if token in ("<unused94>", "<unused95>", "a", "\u00e9"))


def test_plain_text_is_given_out_token_by_token():
    pieces = given_out(encode("the heart is normal"))
    assert all(pieces[:-1]) and pieces[-1] == ""


def test_bytes_that_make_no_character_are_not_held_for_ever():
    lone = byte(0x80)
    pieces = given_out([lone] * 9)
    assert "".join(pieces[:5]) == "\ufffd" * 4
    assert "".join(pieces) == "\ufffd" * 9


def test_broken_bytes_before_a_word_come_out_before_it():
    ids = [byte(0xE2), *encode("the heart")]
    assert "".join(given_out(ids)) == "\ufffdthe heart"


def stopped(parts, stops) -> tuple[str, bool]:
    cutter = StopStrings(stops)
    text = "".join(cutter.add(part) for part in parts) + cutter.flush()
    return text, cutter.found


small = st.text("ab\n", max_size=12)
several = st.lists(st.text("ab\n", min_size=1, max_size=4), max_size=3)


@examples(120)
@given(small, several, st.lists(st.integers(0, 12), max_size=6))
def test_text_ends_before_the_first_stop_string_wherever_it_is_cut(text, stops, at):
    # Where one stop string lies inside another, which of the two comes first is a matter of its own: see below.
    assume(not any(one != other and one in other for one in stops for other in stops))
    edges = sorted({0, len(text), *(min(place, len(text)) for place in at)})
    parts = [text[start:end] for start, end in itertools.pairwise(edges)]
    ends = [text.find(stop) for stop in stops if stop in text]
    expected = (text[: min(ends)], True) if ends else (text, False)
    assert stopped(parts, stops) == expected
    assert stopped(text, stops) == expected


def test_a_stop_string_inside_another_gives_the_same_however_it_is_cut():
    assert stopped(["abcd"], ["abcd", "bc"]) == stopped("abcd", ["abcd", "bc"])


def test_only_what_may_become_a_stop_string_is_held_back():
    cutter = StopStrings(["END"])
    assert [cutter.add("an E"), cutter.add("N"), cutter.add("t"), cutter.flush()] == ["an ", "", "ENt", ""]


def test_nothing_comes_after_a_stop_string():
    cutter = StopStrings(["."])
    assert [cutter.add("a.b"), cutter.found, cutter.add("c"), cutter.flush()] == ["a", True, "", ""]


def test_without_stop_strings_text_passes_at_once():
    cutter = StopStrings([])
    assert [cutter.add("abc"), cutter.found, cutter.flush()] == ["abc", False, ""]
