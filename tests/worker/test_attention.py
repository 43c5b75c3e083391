"""Rows of one step attend together where they are about as long as each other, and see the same either way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medserver.worker import attention
from medserver.worker.attention import _runs
from tests.worker.by_hand import LONG, TOLERANCE, Rows

WINDOW = 32  # of the tiny checkpoints


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=20), st.integers(0, 600))
def test_runs_hold_every_row_once_and_are_padded_no_more_than_may_be(seen, padding):
    runs = _runs(seen, padding)
    assert [row for run in runs for row in range(run.first, run.after)] == list(range(len(seen)))
    for run in runs:
        rows = seen[run.first : run.after]
        assert run.width == max(rows) and run.even == (len(set(rows)) == 1)
        assert sum(run.width - columns for columns in rows) <= padding * (len(rows) - 1)


def test_one_long_row_among_short_ones_attends_apart():
    assert [(run.first, run.after, run.width) for run in _runs([200, 210, 1700, 190, 205], 256)] == [
        (0, 2, 210),
        (2, 3, 1700),
        (3, 5, 205),
    ]


@pytest.mark.parametrize("padding", [0, 100, 10**6])
def test_a_step_is_the_same_in_any_runs_also_beside_a_slot_that_is_free(model, prompt, monkeypatch, padding):
    monkeypatch.setattr(attention, "PADDING", padding)
    rows = Rows(model)
    joined = [rows.join(prompt(model, text, *seeds)) for text, *seeds in (("a",), (LONG, 411), ("b", 412), ("Hello",))]
    rows.step(2)
    rows.leave(joined[2])
    rows.step(WINDOW)
    assert rows.worst <= TOLERANCE
