"""How many threads compute, on machines whose cores others use."""

import pytest
import torch

from medserver.worker import threads
from medserver.worker.threads import STALE, Threads


@pytest.fixture
def machine(monkeypatch):
    """`machine(seconds, busy, own)`: so much time has passed, of which cores were busy and we were."""
    known = {"now": 100.0, "busy": 5000.0, "own": 3.0, "used": []}

    def passes(seconds: float, busy: float, own: float) -> None:
        known["now"] += seconds
        known["busy"] += busy
        known["own"] += own

    monkeypatch.setattr(threads, "perf_counter", lambda: known["now"])
    monkeypatch.setattr(threads, "process_time", lambda: known["own"])
    monkeypatch.setattr(torch, "set_num_threads", known["used"].append)
    passes.used = known["used"]
    passes.busy = lambda: known["busy"]
    return passes


def seen_by(machine, most: int, cores: int) -> Threads:
    found = Threads(most, cores, machine.busy)
    found.adjust()
    return found


@pytest.mark.parametrize(
    ("most", "cores", "others", "expected"),
    [(2, 2, 0.0, 2), (2, 2, 0.4, 2), (2, 2, 1.0, 1), (2, 2, 3.0, 1), (8, 16, 4.0, 8), (8, 16, 12.0, 4), (1, 1, 1.0, 1)],
)
def test_cores_that_others_use_are_left_to_them(machine, most, cores, others, expected):
    one = seen_by(machine, most, cores)
    machine(1.5, busy=1.5 * others + 1.2, own=1.2)
    one.adjust()
    assert one.number == expected and machine.used == ([expected] if expected != most else [])
    machine(1.5, busy=1.2, own=1.2)
    one.adjust()
    assert one.number == most


def test_it_looks_some_times_a_second_and_not_at_what_was_long_ago(machine):
    one = seen_by(machine, 2, 2)
    machine(0.2, busy=0.4, own=0.0)
    one.adjust()
    assert one.number == 2
    machine(STALE, busy=2 * STALE, own=0.0)
    one.adjust()
    assert one.number == 2 and not machine.used
    machine(1.1, busy=2.2, own=0.1)
    one.adjust()
    assert one.number == 1


def test_this_machine_is_looked_at(monkeypatch):
    monkeypatch.setattr(threads, "LOOK", 0.0)
    used = []
    monkeypatch.setattr(torch, "set_num_threads", used.append)
    one = Threads(4)
    for _ in range(3):
        one.adjust()
    assert 1 <= one.number <= 4 and one._busy_seconds() > 0
