"""A piece of a prompt takes about as long as running rows can wait."""

import pytest

from medserver.worker.pace import ALONE, FIRST, FORGOTTEN, LARGEST, LONGEST_PAUSE, PATIENCE, SMALLEST, Pace


@pytest.mark.parametrize(("overhead", "per_token"), [(0.0, 1e-4), (0.005, 5e-5), (0.01, 1e-5)])
def test_pieces_settle_at_the_patience_of_running_rows(overhead, per_token):
    pace = Pace()
    for _ in range(60):
        pace.decoded(4, 0.01)
        tokens = pace.tokens(alone=False)
        pace.prefilled(tokens, overhead + per_token * tokens)
    fitting = (PATIENCE * 0.01 - overhead) / per_token
    assert pace.tokens(alone=False) == pytest.approx(min(max(fitting, SMALLEST), LARGEST), abs=4)  # whole tokens


def test_the_short_end_of_a_prompt_does_not_make_the_next_piece_smaller():
    pace = Pace()
    pace.decoded(4, 0.01)
    before = pace.tokens(alone=False)
    pace.prefilled(3, 0.01)
    assert pace.tokens(alone=False) == before


def test_each_prompt_that_waits_may_take_its_part_of_a_step_up_to_the_longest_pause():
    pace = Pace()
    assert pace.tokens(alone=False, waiting=9) == FIRST, "how long a step takes is not known yet"
    for _ in range(60):
        pace.decoded(4, 0.01)
        pace.prefilled(100, 0.01)
    piece = pace.tokens(alone=False)
    of_one = 100 * PATIENCE
    assert pace.tokens(alone=False, waiting=0) == piece == pytest.approx(of_one, abs=1)
    assert pace.tokens(alone=False, waiting=7) == pytest.approx(7 * of_one, rel=0.02)
    longest = LONGEST_PAUSE / (PATIENCE * 0.01)
    assert pace.tokens(alone=False, waiting=1000) == pytest.approx(of_one * longest, rel=0.02)


def test_where_a_step_is_longer_than_the_longest_pause_a_piece_still_runs():
    pace = Pace()
    pace.decoded(4, 3.0)
    assert pace.tokens(alone=False, waiting=8) == FIRST


def test_what_a_piece_takes_beside_a_step_is_what_the_step_takes_longer():
    pace = Pace()
    assert not pace.knows(1), "no step has been timed"
    pace.decoded(4, 0.01)
    assert pace.knows(4) and pace.knows(6) and pace.knows(2)
    assert not pace.knows(7) and not pace.knows(1), "it may take another time"
    assert pace.beside(0.025) == pytest.approx(0.015)
    assert 0 < pace.beside(0.009) < 0.002, "a step may be quicker than the last ones, a piece is not free"


def test_now_and_then_a_step_is_timed_without_a_piece():
    pace = Pace()
    pace.decoded(4, 0.01)
    for _ in range(FORGOTTEN):
        assert not pace.forgets
        pace.beside(0.02)
    assert pace.forgets
    pace.decoded(4, 0.01)
    assert not pace.forgets


def test_alone_a_prompt_runs_in_large_pieces():
    assert Pace().tokens(alone=True) == ALONE
