"""Parts of Gemma 3 that cost less to train on the CPU; knows no lessons.

As autograd takes them apart, the norms and the rotation of the positions took a quarter of a training step
(measured): many small passes over memory, and zeros filled in for every slice. The matrices took half of it, and in
bfloat16 a seventh of that half where the CPU multiplies in it (AVX-512 BF16 or AMX).
"""

from typing import Any

import torch
from transformers.models.gemma3 import modeling_gemma3


class _RMSNorm(torch.autograd.Function):
    """y = n (1 + w) with n = x / rms(x); dx = (g - n mean(g n)) / rms(x) where g = dy (1 + w)."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, eps: float) -> torch.Tensor:
        inverse = x.square().mean(-1, keepdim=True).add_(eps).rsqrt_()
        normed = x * inverse
        ctx.save_for_backward(normed, inverse, weight)
        return normed * (1 + weight)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None]:
        normed, inverse, weight = ctx.saved_tensors
        scaled = grad * (1 + weight)
        along = (scaled * normed).mean(-1, keepdim=True)
        to_weight = (grad * normed).sum(tuple(range(grad.ndim - 1)))
        return torch.addcmul(scaled, normed, along, value=-1).mul_(inverse), to_weight, None


class _Linear(torch.autograd.Function):
    """y = x Wᵀ + b with both factors of each product rounded to bfloat16, as autocast would; sums are float32."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        rows, matrix = x.reshape(-1, x.shape[-1]).bfloat16(), weight.bfloat16()
        ctx.save_for_backward(rows, matrix)
        ctx.shape, ctx.biased = x.shape, bias is not None
        y = torch.mm(rows, matrix.t()).float()
        return (y if bias is None else y.add_(bias)).view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        rows, matrix = ctx.saved_tensors
        grad = grad.reshape(-1, grad.shape[-1])
        rounded = grad.bfloat16()
        to_x = torch.mm(rounded, matrix).float().view(ctx.shape)
        return to_x, torch.mm(rounded.t(), rows).float(), grad.sum(0) if ctx.biased else None


def _rotate_half(x: torch.Tensor) -> torch.Tensor:
    first, second = x.chunk(2, dim=-1)
    return torch.cat((-second, first), dim=-1)


def install() -> None:
    """Use norms and rotation of the same values in every model of this process."""
    modeling_gemma3.rotate_half = _rotate_half
    modeling_gemma3.Gemma3RMSNorm.forward = lambda self, x: _RMSNorm.apply(x, self.weight, self.eps)


def round_products() -> None:
    """Multiply in bfloat16 in every model of this process, where the CPU does; there alone it is faster."""
    able = torch.cpu.get_capabilities()
    if able.get("avx512_bf16") or able.get("amx_bf16"):
        torch.nn.Linear.forward = lambda self, x: _Linear.apply(x, self.weight, self.bias)
