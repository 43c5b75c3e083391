"""How many bytes keys and values may take: a share of what is free once the weights are loaded."""

from dataclasses import dataclass

import psutil
import torch

# The rest is for what a step computes, for images in the tower, and for a layer that is there twice while it grows.
_SHARE = {"cuda": 0.75, "mps": 0.5, "cpu": 0.6}


@dataclass(frozen=True, slots=True)
class Budget:
    """Bytes for sequences that are under way, and for kept beginnings."""

    running: int
    prefixes: int

    @classmethod
    def of(cls, total: int) -> "Budget":
        return cls(total - total // 4, total // 4)


def kv_budget(device: str, gpu_memory_utilization: float = 1.0) -> Budget:
    """Measured now. `gpu_memory_utilization`: the share of each GPU that this process may take at all."""
    if device == "cuda":
        free = min(_free_on(number, gpu_memory_utilization) for number in range(torch.cuda.device_count()))
    else:
        free = psutil.virtual_memory().available
    return Budget.of(max(0, int(free * _SHARE[device])))


def _free_on(number: int, utilization: float) -> int:
    free, total = torch.cuda.mem_get_info(number)
    return min(free, int(total * utilization) - torch.cuda.memory_reserved(number))
