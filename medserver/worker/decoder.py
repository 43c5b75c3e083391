"""Gemma 3's decoder, written straight over the checkpoint's own weights; it knows neither slots nor masks.

The library's modules spend most of a small step in Python: this does the same arithmetic with the work that is
the same for all layers done once, and with one product where the library has two or three. It is called for one
token of many sequences and for many tokens of one: to a layer both are a list of tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu

from medserver.worker.products import Product, is_plain, side_by_side


class Step(Protocol):
    """What attention needs to know of these tokens: `positions` (tokens,), and `attend` per layer."""

    positions: Tensor

    def attend(self, layer: int, query: Tensor, key: Tensor, value: Tensor) -> Tensor: ...


class Norm:
    """x / sqrt(mean(x²) + eps) * (1 + weight) over the last dimension, in float32.

    Written as x * √n(1 + weight) / hypot(|x|, √(n·eps)): half the time of `rms_norm` on a CPU.
    """

    def __init__(self, weight: Tensor, eps: float):
        size = weight.shape[-1]
        self._weight = (1.0 + weight.detach().float()) * size**0.5
        self._floor = torch.tensor((size * eps) ** 0.5, device=weight.device)

    def __call__(self, x: Tensor) -> Tensor:
        length = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=torch.float32)
        return (x * self._weight).div_(torch.hypot(length, self._floor)).to(x.dtype)


class Rotation:
    """Tables of cosines and sines per kind of layer, (positions, 2, 1, head_dim); grown when a position needs it.

    The sines of the first half are negative: a rotation is then x * cos + roll(x) * sin.
    """

    def __init__(self, rotary: Any, kinds: set[str], dtype: torch.dtype):
        self._frequencies = {
            kind: (getattr(rotary, f"{kind}_inv_freq").float(), getattr(rotary, f"{kind}_attention_scaling"))
            for kind in kinds
        }
        self._dtype = dtype
        self._tables: dict[str, Tensor] = {}
        self._size = 0

    def at(self, positions: Tensor, last: int) -> dict[str, tuple[Tensor, Tensor]]:
        """Per kind cosines and sines of `positions` (tokens,), each (tokens, 1, head_dim); none is above `last`."""
        if last >= self._size:
            self.reach(max(1024, 2 * last), positions.device)
        found = {kind: table.index_select(0, positions) for kind, table in self._tables.items()}
        return {kind: (both[:, 0], both[:, 1]) for kind, both in found.items()}

    def reach(self, size: int, device: torch.device) -> None:
        """Hold the tables of all positions below `size`."""
        if size > self._size:
            self._size = size
            self._tables = {kind: self._table(*known).to(device) for kind, known in self._frequencies.items()}

    def _table(self, frequencies: Tensor, scaling: float) -> Tensor:
        angles = torch.outer(torch.arange(self._size, device=frequencies.device).float(), frequencies)
        cos, sin = angles.cos() * scaling, angles.sin() * scaling
        both = torch.stack([torch.cat([cos, cos], -1), torch.cat([-sin, sin], -1)], dim=1)
        return both.unsqueeze(2).to(self._dtype)


@dataclass(slots=True)
class Layer:
    kind: str
    device: torch.device
    before_attention: Norm
    after_attention: Norm
    before_ffn: Norm
    after_ffn: Norm
    of_heads: Norm
    qkv: Product
    out: Product
    gate_up: Product
    down: Product


class Decoder:
    """`text`: a `Gemma3TextModel`; `head`: the product that turns features into logits."""

    def __init__(self, text: Any, head: nn.Module):
        config = text.config
        self.scale = config.query_pre_attn_scalar**-0.5
        self._text, self._head = text, head
        self._head_dim = config.head_dim
        self._heads, self._rotated = config.num_attention_heads, config.num_attention_heads + config.num_key_value_heads
        self._layers = [_layer(one, kind, config) for one, kind in zip(text.layers, config.layer_types, strict=True)]
        self._rotation = Rotation(text.rotary_emb, set(config.layer_types), text.embed_tokens.weight.dtype)
        self._norm = Norm(text.norm.weight, config.rms_norm_eps)

    @property
    def devices(self) -> list[torch.device]:
        return [layer.device for layer in self._layers]

    def embed(self, ids: Tensor) -> Tensor:
        """`ids` int64 (tokens,) → (tokens, hidden)."""
        return self._text.embed_tokens(ids)

    def run(self, hidden: Tensor, step: Step, last: int, wanted: Sequence[int] | None = None) -> Tensor:
        """Features of embedded tokens, (tokens, hidden) → (tokens, hidden), or of the `wanted` ones of them alone,
        (len(wanted), hidden). No position of `step` is above `last`.

        What the last layer makes of the others nobody reads, once it has their keys and values.
        """
        rotations = self._rotation.at(step.positions, last)
        for number, layer in enumerate(self._layers):
            hidden = hidden.to(layer.device)
            mixed = layer.qkv(layer.before_attention(hidden)).unflatten(-1, (-1, self._head_dim))
            query, key = self._rotate(layer, mixed[:, : self._rotated], rotations).tensor_split((self._heads,), dim=1)
            seen = step.attend(number, query, key, mixed[:, self._rotated :])
            if wanted is not None and layer is self._layers[-1]:
                hidden, seen = hidden[wanted], seen[wanted]
                if not wanted:
                    break
            hidden = hidden + layer.after_attention(layer.out(seen))
            gate, up = layer.gate_up(layer.before_ffn(hidden)).chunk(2, dim=-1)
            hidden = hidden + layer.after_ffn(layer.down(gelu(gate, approximate="tanh").mul_(up)))
        return hidden

    def reach(self, size: int) -> None:
        """Make ready for all positions below `size`, so that what a step reads stays where it is."""
        self._rotation.reach(size, self._text.embed_tokens.weight.device)

    def logits(self, hidden: Tensor) -> Tensor:
        """(tokens, hidden) → float32 (tokens, vocabulary)."""
        return self._head(self._norm(hidden)).float()

    def _rotate(self, layer: Layer, heads: Tensor, rotations: dict[str, tuple[Tensor, Tensor]]) -> Tensor:
        cos, sin = (table.to(layer.device) for table in rotations[layer.kind])
        normed = layer.of_heads(heads)
        return torch.addcmul(normed * cos, normed.roll(self._head_dim // 2, -1), sin)


def _layer(module: Any, kind: str, config: Any) -> Layer:
    attention, ffn, eps = module.self_attn, module.mlp, config.rms_norm_eps
    per_head = [attention.q_norm.weight] * config.num_attention_heads
    per_head += [attention.k_norm.weight] * config.num_key_value_heads
    return Layer(
        kind,
        module.input_layernorm.weight.device,
        Norm(module.input_layernorm.weight, eps),
        Norm(module.post_attention_layernorm.weight, eps),
        Norm(module.pre_feedforward_layernorm.weight, eps),
        Norm(module.post_feedforward_layernorm.weight, eps),
        Norm(torch.stack(per_head), eps),
        _product(attention.q_proj, attention.k_proj, attention.v_proj),
        _product(attention.o_proj),
        _product(ffn.gate_proj, ffn.up_proj),
        _product(ffn.down_proj),
    )


def _product(*modules: nn.Module) -> Product:
    """The products of all `modules` side by side, as one where they are plain.

    A quantised module computes as it does, each for itself; some only have a weight of another kind.
    """
    if all(is_plain(module) and module.bias is None for module in modules):
        return side_by_side(modules)
    return modules[0] if len(modules) == 1 else lambda x: torch.cat([module(x) for module in modules], dim=-1)
