"""Whether a model fits: weights, KV cache and working memory against what is free. Arithmetic only.

Sizes are those of the releases (`medserver.models.Sizes`); the working memory is an estimate, said below.
"""

from dataclasses import dataclass

from medserver.models import Sizes

_GB = 1_000_000_000

# Estimates, not measured on a GPU: the CUDA context with its libraries, and the activations of one prefill.
WORKING_MEMORY = 1_200_000_000
# An 896 x 896 image makes 4096 patches of width 1152 through 27 layers of SigLIP, one image at a time.
VISION_MEMORY = 600_000_000


@dataclass(frozen=True, slots=True)
class Need:
    """Bytes that one copy of a model takes."""

    weights: int
    kv_cache: int
    working: int

    @property
    def total(self) -> int:
        return self.weights + self.kv_cache + self.working

    def __str__(self) -> str:
        return (
            f"{gigabytes(self.total)} (weights {gigabytes(self.weights)}, KV cache {gigabytes(self.kv_cache)}, "
            f"working memory {gigabytes(self.working)})"
        )


def need(sizes: Sizes, *, context: int, images: bool, bytes_per_weight: float) -> Need:
    """What it takes to answer one request of `context` tokens, the least that is of any use.

    `bytes_per_weight`: 2 for bfloat16, 4 for float32, 0.5 for NF4. The KV cache is counted at full length, as
    SGLang and vLLM keep it for Gemma 3, in two bytes, or four where the weights have four.
    """
    if bytes_per_weight < 1:
        weights, kv_width = sizes.weights_4bit, 1.0
    else:
        weights, kv_width = int(sizes.weights * bytes_per_weight / 2), bytes_per_weight / 2
    kv_cache = int(sizes.kv_per_token() * context * kv_width)
    # The demo is so small that the estimates for a real one would be all there is.
    scale = min(1.0, sizes.weights / _GB)
    return Need(weights, kv_cache, int(scale * (WORKING_MEMORY + (VISION_MEMORY if images else 0))))


def gigabytes(count: float) -> str:
    """Bytes as people buy memory, in 10^9."""
    return f"{count / _GB:.1f} GB"
