"""Features times a weight matrix, by the library that is fastest at it on this CPU; it knows no model.

PyTorch's CPU builds hand float32 products to MKL, which keeps its best kernels for Intel's CPUs. oneDNN, in the same
builds, does not: on an AMD EPYC it took 0.5 of MKL's time for 16 rows and 0.4 for 256 (2560 x 10240, measured).
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from medserver import cpu

Product = Callable[[Tensor], Tensor]

# A matrix of fewer elements stays in the cache; for a few rows MKL is then as fast, and called in less time.
SMALL, FEW_ROWS = 2**21, 8


def product(weight: Tensor, bias: Tensor | None = None) -> Product:
    """x → x Wᵀ + b. `weight`: (out, in); `x`: (..., in)."""
    if not _by_onednn(weight):
        return lambda x: linear(x, weight, bias)
    onednn = torch.ops.mkldnn._linear_pointwise
    few = FEW_ROWS if weight.numel() < SMALL else 1

    def multiply(x: Tensor) -> Tensor:
        if x.shape[:-1].numel() < few:
            return linear(x, weight, bias)
        return onednn(x, weight, bias, "none", [], "")

    return multiply


def quicken(network: nn.Module) -> None:
    """Let the plain linear layers of `network` compute by `product` where that is another way.

    Elsewhere their `forward` stays as it is: over several GPUs it holds what moves features from one to the next.
    """
    for module in network.modules():
        if is_plain(module) and _by_onednn(module.weight):
            module.forward = product(module.weight, module.bias)


def is_plain(module: nn.Module) -> bool:
    """Whether it is a linear layer of numbers; quantised ones are of another class, or their weight is."""
    return type(module) is nn.Linear and type(module.weight) is nn.Parameter


def _by_onednn(weight: Tensor) -> bool:
    return weight.device.type == "cpu" and weight.dtype == torch.float32 and prefer_onednn()


def prefer_onednn() -> bool:
    """Whether this is known to be an x86 CPU of another maker than Intel; ARM builds have no MKL."""
    return cpu.is_intel() is False and torch.backends.mkl.is_available() and torch.backends.mkldnn.is_available()
