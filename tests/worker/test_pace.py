"""A piece of a prompt takes about as long as running rows can wait."""

import pytest

from medserver.worker.pace import ALONE, LARGEST, PATIENCE, SMALLEST, Pace


@pytest.mark.parametrize(("overhead", "per_token"), [(0.0, 1e-4), (0.005, 5e-5), (0.01, 1e-5)])
def test_pieces_settle_at_the_patience_of_running_rows(overhead, per_token):
    pace = Pace()
    for _ in range(60):
        pace.decoded(0.01)
        tokens = pace.tokens(alone=False)
        pace.prefilled(tokens, overhead + per_token * tokens)
    fitting = (PATIENCE * 0.01 - overhead) / per_token
    assert pace.tokens(alone=False) == pytest.approx(min(max(fitting, SMALLEST), LARGEST), rel=0.05)


def test_the_short_end_of_a_prompt_does_not_make_the_next_piece_smaller():
    pace = Pace()
    pace.decoded(0.01)
    before = pace.tokens(alone=False)
    pace.prefilled(3, 0.01)
    assert pace.tokens(alone=False) == before


def test_alone_a_prompt_runs_in_large_pieces():
    assert Pace().tokens(alone=True) == ALONE
