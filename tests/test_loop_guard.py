"""Loops are found soon and whatever their period; nothing that a clinician may want to read in full is one."""

import random
import string
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medserver.loop_guard import CHECK_EVERY, MAX_SENSITIVITY, LoopGuard, Thresholds, loop_at_end
from tests.scripted import examples

DOCUMENTED = Thresholds.of(5)
PROSE = (
    "The heart is of normal size. The mediastinal contours are unremarkable. There is a patchy opacity in the right "
    "lower zone, most likely an infiltrate; no effusion and no pneumothorax. Compared with the prior film of the same "
    "patient it has become smaller. Clinical correlation and a follow-up film in six weeks are advised. "
)


def pieces(text: str, seed: int = 0) -> list[str]:
    """The text as tokens would cut it."""
    chance, found, at = random.Random(seed), [], 0
    while at < len(text):
        size = chance.randint(1, 8)
        found.append(text[at : at + size])
        at += size
    return found


def stopped_at(text: str, sensitivity: int = 5) -> int | None:
    """After how many characters the guard has found a loop."""
    guard, heard = LoopGuard(sensitivity), 0
    for piece in pieces(text):
        heard += len(piece)
        if guard.loops(piece):
            return heard
    return None


def z_function(text: str) -> list[int]:
    """For each place, how many characters from there equal the beginning: the search of the design's measurement."""
    z, left, right = [0] * len(text), 0, 0
    for at in range(1, len(text)):
        size = min(right - at, z[at - left]) if at < right else 0
        while at + size < len(text) and text[size] == text[at + size]:
            size += 1
        z[at] = size
        if at + size > right:
            left, right = at, at + size
    return z


def by_z_function(text: str, thresholds: Thresholds) -> bool:
    for size, same in list(enumerate(z_function(text[::-1])))[1:]:
        period = text[-size:]
        if same + size >= thresholds.needed(period):
            return sum(map(str.isalpha, period)) >= min(2, size)
    return False


def words(chance: random.Random, size: int) -> str:
    """A period of this length that holds words."""
    text = "".join(chance.choice(string.ascii_letters + " ,.;:0123456789\n") for _ in range(size))
    return "ab"[:size] + text[2:] if size < 4 else "a" + text[1:-1] + "b"


def test_five_hundred_random_loops_are_found_after_the_repeats_they_need():
    chance = random.Random(1)
    for seed in range(500):
        period = words(chance, seed % 400 + 1)
        found = stopped_at(PROSE + period * (2600 // len(period) + 1))
        assert found is not None, period
        assert found - len(PROSE) <= DOCUMENTED.needed(period) + CHECK_EVERY + 8, period


@examples(150)
@given(st.text(alphabet="ab |.\n", min_size=1, max_size=12), st.integers(1, 300), st.text(alphabet="ab |.\n"))
def test_what_is_found_is_what_a_z_function_finds(period, repeats, before):
    text = (before + period * repeats)[-2400:]
    assert loop_at_end(text, DOCUMENTED) == by_z_function(text, DOCUMENTED)


@examples(150)
@given(st.text(alphabet="ab", min_size=100, max_size=700), st.integers(1, 9))
def test_it_agrees_on_texts_of_chance_at_every_sensitivity(text, sensitivity):
    thresholds = Thresholds.of(sensitivity)
    assert loop_at_end(text + text[:50], thresholds) == by_z_function(text + text[:50], thresholds)


LAB = "| Test | Result | Unit | Reference |\n|---|---|---|---|\n" + "".join(
    f"| {name}{row} | {3.1 + row * 0.7:.1f} | mmol/L | 3.5–5.1 |\n"
    for row, name in enumerate(["Sodium", "Potassium", "Chloride", "Calcium", "Urea"] * 8)
)
TEXTS = {
    "prose": PROSE * 2,
    "lab table": LAB,
    "same result": "".join(f"| 2026-11-{day:02} 08:00 | Troponin T | <5 | ng/L | normal |\n" for day in range(1, 41)),
    "schedule": "".join(f"{hour:02}:00 paracetamol 1 g by mouth, check temperature\n" for hour in range(24)) * 2,
    "taper": "".join(f"Day {day}: prednisolone {60 - day} mg once daily in the morning\n" for day in range(1, 50)),
    "similar lines": "".join(f"- Segment {n}: {n * 3} mm, no wall motion abnormality\n" for n in range(1, 60)),
    "rules": "---\n\n" * 100 + "=" * 300 + "\n" + "_" * 300,
    "empty cells": "|   |   |   |   |\n" * 60,
    "zeros": "0, 0, 0, 0, " * 100,
    "code": "".join(f"    if value_{n} > limit:\n        return value_{n} - limit\n" for n in range(40)),
    "three times": "No effusion is seen on either side. " * 3,
    "five equal rows": "| left | normal | no | no | normal appearance of the lobe |\n" * 5,
}


@pytest.mark.parametrize("kind", TEXTS)
def test_what_a_clinician_reads_is_no_loop(kind):
    assert stopped_at(TEXTS[kind]) is None


@pytest.mark.parametrize(
    "circle",
    [
        "No effusion. ",
        "ha",
        "aaaa",
        "| left | normal | no |\n",
        "The opacity is in the right lower zone. It is well defined.\n\n",
        "肺野清晰，未见实变。",
        "- Repeat the film.\n- Repeat the film.\n",
    ],
)
def test_a_sentence_said_over_and_over_is_one(circle):
    assert stopped_at(PROSE + circle * 300) is not None


def test_a_loop_that_has_ended_is_none():
    assert not loop_at_end("No effusion. " * 20 + PROSE, DOCUMENTED)


def test_how_the_text_was_cut_does_not_matter():
    text = PROSE + "No effusion. " * 40
    assert LoopGuard().loops(text)
    guard = LoopGuard()
    assert any(guard.loops(letter) for letter in text)


def test_zero_is_off():
    assert stopped_at("No effusion. " * 1000, sensitivity=0) is None


def test_more_sensitive_is_sooner():
    text = "No effusion on either side, no pneumothorax, no infiltrate. " * 20
    found = [stopped_at(text, sensitivity) for sensitivity in range(1, MAX_SENSITIVITY + 1)]
    assert None not in found and found == sorted(found, reverse=True) and found[0] > found[-1]


@pytest.mark.parametrize("sensitivity", range(1, MAX_SENSITIVITY + 1))
def test_what_is_said_twice_is_no_loop_at_any_sensitivity(sensitivity):
    assert stopped_at(PROSE * 2, sensitivity) is None


def test_five_is_as_measured():
    assert (DOCUMENTED.length, DOCUMENTED.repeats, DOCUMENTED.table_repeats, DOCUMENTED.window) == (160, 4, 6, 2400)


@pytest.mark.parametrize("text", [PROSE * 2, LAB, "-" * 4000, ("a" * 150 + "b") * 20, "ab" * 50 + "c"])
def test_it_costs_little_on_the_way(text):
    """Some microseconds per token here; the limit leaves room for a busy machine."""
    tokens = pieces(text * (40000 // len(text) + 1))
    guard = LoopGuard()
    started = perf_counter()
    for token in tokens:
        guard.loops(token)
    assert (perf_counter() - started) / len(tokens) < 100e-6
