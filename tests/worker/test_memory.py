"""What keys and values may take is a share of what is free, and never less than nothing."""

import psutil
import pytest
import torch

from medserver.worker.memory import Budget, kv_budget

GIB = 1 << 30


def test_running_sequences_take_most_of_it_and_kept_ones_the_rest():
    assert Budget.of(4 * GIB) == Budget(running=3 * GIB, prefixes=GIB)


def test_on_a_cpu_a_margin_of_the_free_memory_is_left(monkeypatch):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"available": 10 * GIB}))
    budget = kv_budget("cpu")
    assert 4 * GIB < budget.running + budget.prefixes < 8 * GIB


@pytest.mark.parametrize(
    ("free", "reserved", "utilization", "most"), [(30, 10, 0.9, 26), (5, 30, 0.9, 5), (30, 10, 0.2, 0)]
)
def test_on_a_gpu_the_share_that_may_be_used_at_all_is_the_limit(monkeypatch, free, reserved, utilization, most):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (free * GIB, 40 * GIB))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _: reserved * GIB)
    budget = kv_budget("cuda", utilization)
    assert budget.running + budget.prefixes == pytest.approx(0.75 * most * GIB, abs=4)
