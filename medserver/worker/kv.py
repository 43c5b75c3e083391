"""What keys and values cost: which layers keep how many columns of them, in bytes; it holds no tensor.

Five layers of six look back over a sliding window only, so they need no more columns than the window has.
"""

from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True, slots=True)
class KVShape:
    """One checkpoint's KV cache. `sliding`: per layer, whether it is local; `window` in tokens."""

    sliding: tuple[bool, ...]
    heads: int
    head_dim: int
    window: int
    dtype: torch.dtype

    @classmethod
    def of(cls, config: Any, dtype: torch.dtype) -> "KVShape":
        """`config`: a `Gemma3TextConfig`."""
        sliding = tuple(kind == "sliding_attention" for kind in config.layer_types)
        return cls(sliding, config.num_key_value_heads, config.head_dim, config.sliding_window, dtype)

    def columns(self, layer: int, tokens: int) -> int:
        """How many columns `layer` keeps of a sequence of `tokens`."""
        return min(tokens, self.window) if self.sliding[layer] else tokens

    def bytes(self, tokens: int, slots: int = 1) -> int:
        """Keys and values of `slots` sequences, each with room for `tokens`."""
        columns = sum(self.columns(layer, tokens) for layer in range(len(self.sliding)))
        return 2 * slots * columns * self.heads * self.head_dim * self.dtype.itemsize


def kv_bytes(config: Any, tokens: int, dtype: torch.dtype) -> int:
    """The KV cache of one session of `tokens`, in bytes. `config`: a `Gemma3TextConfig`."""
    return KVShape.of(config, dtype).bytes(tokens)
