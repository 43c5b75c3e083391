"""Features times a weight matrix, by the library that is fastest at it on this CPU; it knows no model.

PyTorch's CPU builds hand float32 products to MKL, which keeps its best kernels for Intel's CPUs. oneDNN, in the same
builds, does not: on an AMD EPYC it took 0.5 of MKL's time for 16 rows and 0.4 for 256 (2560 x 10240, measured).

oneDNN's kernels read weights in blocks of their own. Packed so beforehand, and not at each product, they took 0.7 of
the time for 1 to 16 rows in float32, 0.5 to 0.7 in bfloat16, and 0.95 for 256 (the same matrix and CPU).
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from medserver import cpu

Product = Callable[[Tensor], Tensor]

# The blocks are laid out for so many rows; for others, fewer or more, no other layout was faster.
_ROWS = 16
# A matrix that others need as it is can only be copied; up to this size that is no matter.
_COPIED_BYTES = 64 * 1024 * 1024


def product(weight: Tensor, bias: Tensor | None = None) -> Product:
    """x → x Wᵀ + b, from a packed copy of `weight` where that is faster. `weight`: (out, in); `x`: (..., in)."""
    if not packs(weight):
        return lambda x: linear(x, weight, bias)
    return _by_onednn(torch.ops.mkldnn._reorder_linear_weight(weight.detach(), _ROWS), bias)


def _by_onednn(weight: Tensor, bias: Tensor | None) -> Product:
    """By oneDNN, from `weight` as it is."""
    onednn = torch.ops.mkldnn._linear_pointwise.default
    return lambda x: onednn(x, weight, bias, "none", [], "")


def side_by_side(modules: Sequence[nn.Linear]) -> Product:
    """One product for plain `modules` without a bias that read the same features; their weights go over into it.

    Each of them computes as before, by its part of the whole.
    """
    weights = [module.weight.detach() for module in modules]
    weight = torch.cat(weights) if len(weights) > 1 else weights[0]
    multiply = product(weight)
    sizes = [module.out_features for module in modules]
    for number, (module, part) in enumerate(zip(modules, weight.split(sizes), strict=True)):
        if packs(weight):
            module.weight.data = weight.new_empty(0)
            module.forward = lambda x, number=number: multiply(x).split(sizes, dim=-1)[number]
        else:
            module.weight.data = part
    return multiply


def quicken(network: nn.Module, shared: Tensor) -> None:
    """Let the plain linear layers of `network` that are left compute by `product` where that is another way.

    `shared`: a weight that somebody else reads, too. Elsewhere than on a CPU their `forward` stays as it is: over
    several GPUs it holds what moves features from one to the next.
    """
    for module in network.modules():
        if not is_plain(module) or not module.weight.numel() or not packs(module.weight):
            continue
        if module.weight is not shared or module.weight.nbytes <= _COPIED_BYTES:
            module.forward = product(module.weight, module.bias)
        else:
            module.forward = _by_onednn(module.weight, module.bias)
        if module.weight is not shared:
            module.weight.data = module.weight.new_empty(0)


def is_plain(module: nn.Module) -> bool:
    """Whether it is a linear layer of numbers; quantised ones are of another class, or their weight is."""
    return type(module) is nn.Linear and type(module.weight) is nn.Parameter


def packs(weight: Tensor) -> bool:
    """Whether oneDNN multiplies by it faster from a packed copy; tried on x86 alone."""
    if weight.device.type != "cpu" or cpu.is_intel() is None or not torch.backends.mkldnn.is_available():
        return False
    if weight.dtype == torch.bfloat16:
        return cpu.multiplies_bfloat16()
    return weight.dtype == torch.float32 and prefer_onednn()


def prefer_onednn() -> bool:
    """Whether in float32 oneDNN is the faster: where this is known to be an x86 CPU of another maker than Intel."""
    return cpu.is_intel() is False and torch.backends.mkl.is_available() and torch.backends.mkldnn.is_available()
