"""The table of `python -m benchmarks safety` is said whatever happens, with all that was seen until then."""

from contextlib import nullcontext

import pytest

from benchmarks.safety import mixed, run
from benchmarks.safety.rows import exactly


def played(monkeypatch, *scenarios: run.Scenario) -> tuple[bool, str]:
    said = []
    monkeypatch.setattr(run, "House", lambda *_, **__: nullcontext())
    monkeypatch.setattr(run, "scenarios", lambda *_: list(scenarios))
    return run.run(1, [], said.append), said[-1]


def held(name: str) -> run.Scenario:
    return run.Scenario(name, lambda _: [exactly(name, 1, 1)])


def broken_off(problem: type[BaseException]) -> run.Scenario:
    def play(_):
        raise problem

    return run.Scenario("broken off", play, seen=lambda: [exactly("half of it", 1, 1)])


def test_what_was_held_is_said(monkeypatch):
    good, table = played(monkeypatch, held("first"), held("second"))
    assert good and "| first | 1 | 1 | held |" in table and "| second | 1 | 1 | held |" in table


@pytest.mark.parametrize(
    ("problem", "others"), [(AssertionError, True), (KeyboardInterrupt, False), (SystemExit, False)]
)
def test_one_that_is_broken_off_tells_what_it_has_seen(monkeypatch, problem, others):
    """A failure is one scenario's own; who interrupts means all of them."""
    good, table = played(monkeypatch, held("first"), broken_off(problem), held("second"))
    assert not good and "| first | 1 | 1 | held |" in table and "| half of it | 1 | 1 | held |" in table
    assert "| broken off | to be played |" in table and ("| second |" in table) is others


def grown(*sizes: float) -> list[str]:
    """What is missed by a load whose memory was found so, in MB, over its time."""
    load = mixed.MixedLoad(10)
    load._memory = [int(size * 1e6) for size in sizes]
    return [row.what.rpartition(": ")[2] for row in load.rows() if not row.held]


def test_memory_is_compared_after_the_warm_up_and_its_end_with_its_middle():
    warm_up = (50, 100)
    assert grown(*warm_up, 140, 140, 141, 140, 139, 140, 141, 140) == []
    assert grown(*warm_up, 100, 100, 100, 104, 121, 104, 100, 104) == [], "for a moment"
    assert len(grown(*warm_up, 100, 100, 118, 118, 119, 119, 121, 122)) == 1, "slowly"
    assert len(grown(*warm_up, 100, 103, 106, 109, 112, 115, 118, 121)) == 1, "but steadily"
    assert len(grown(*warm_up, 100, 105, 110, 115, 120, 125, 130, 135)) == 2
    assert len(grown(50, 100)) == 1, "too short to tell"
    assert grown() == [], "nothing was seen at all"
