"""The bars of a GPU in one call, under ten minutes: `python -m benchmarks.gpu [4] [27]`, one table.

Full-size models with random weights made on the device: nothing is downloaded, and nothing they say is read. It needs
compute capability 8.0 or newer. Where torchao and bitsandbytes are installed, int4 and NF4 are measured as well.
"""

import argparse
import gc
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from time import perf_counter
from types import SimpleNamespace

import torch
import transformers
from torch import nn

from benchmarks.figures import Spread, short
from medserver.worker.model import Model, Part, Plan
from medserver.worker.values import Prompt

PROMPT, TOKENS, ROUNDS = 64, 64, 3
CUDA = Plan("cuda", torch.bfloat16)
# hidden, layers, heads, kv heads, head dimension, ffn
SIZES = {"4": (2560, 34, 8, 4, 256, 10240), "27": (5376, 62, 32, 16, 128, 21504)}


def network(size: str, device: str = "cuda", dtype: torch.dtype = torch.bfloat16, only: int | None = None) -> nn.Module:
    """`only`: so many of its layers."""
    hidden, layers, heads, kv_heads, head_dim, ffn = SIZES[size]
    layers = only or layers
    config = transformers.Gemma3TextConfig(
        vocab_size=262208,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        head_dim=head_dim,
        intermediate_size=ffn,
        query_pre_attn_scalar=hidden // heads if size == "27" else head_dim,
        sliding_window=1024,
        max_position_embeddings=8192,
        layer_types=["sliding_attention" if (n + 1) % 6 else "full_attention" for n in range(layers)],
        attn_implementation="sdpa",
    )
    default = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            made = transformers.Gemma3ForCausalLM(config).eval()
    finally:
        torch.set_default_dtype(default)
    return made


def model(made: nn.Module, where: Plan = CUDA) -> Model:
    words = SimpleNamespace(convert_tokens_to_ids=lambda _: None, unk_token_id=None, eos_token_id=None)
    made.generation_config.eos_token_id = -1
    return Model(made, words, where)


def timed(work) -> float:
    torch.cuda.synchronize()
    started = perf_counter()
    work()
    torch.cuda.synchronize()
    return perf_counter() - started


def prompt() -> Prompt:
    return Prompt(torch.randint(5, 200_000, (1, PROMPT)))


@torch.inference_mode()
def ours(served: Model, rows: int) -> float:
    """Tokens per second of `rows` sequences together, in steps that were recorded before."""
    budget = torch.cuda.mem_get_info()[0] // 2
    cache = served.new_cache(budget, rows, 1024)
    slots = [cache.take(PROMPT + 4 * TOKENS) for _ in range(rows)]
    assert all(slots), "the KV cache does not fit"
    parts = [Part(slot, prompt(), PROMPT, {}) for slot in slots]
    tokens = [int(logits.argmax()) for part in parts for logits in served.extend(cache, [part])]

    def steps(count: int) -> None:
        nonlocal tokens
        for _ in range(count):
            tokens = served.decode(tokens, slots, cache).argmax(-1).tolist()
            for slot in slots:
                slot.length += 1

    steps(4)
    return rows * TOKENS / timed(lambda: steps(TOKENS))


@torch.inference_mode()
def library(made: nn.Module) -> float:
    ids = prompt().ids.cuda()

    def run(count: int) -> None:
        made.generate(ids, max_new_tokens=count, min_new_tokens=count, do_sample=False, pad_token_id=0)

    made.generation_config.eos_token_id = None
    run(4)
    return TOKENS / (timed(lambda: run(TOKENS + 1)) - timed(lambda: run(1)))


def bandwidth() -> float:
    """Bytes per second of a copy on the device, reading and writing."""
    source = torch.empty(1 << 30, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    target.copy_(source)
    return 2 * source.nbytes * 10 / timed(lambda: [target.copy_(source) for _ in range(10)])


def weight_bytes(made: nn.Module) -> int:
    """What a step reads: the head, which shares its weights with the embeddings, and all layers."""
    return sum(one.nbytes for one in {id(one): one for one in made.parameters()}.values())


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table. `bound`: at least so much is demanded, None where nothing is."""

    what: str
    bound: float | None
    measured: Spread

    def __str__(self) -> str:
        return f"| {self.what} | {f'≥ {self.bound:g}' if self.bound else ''} | {self.measured} |"


def whole(size: str) -> Iterator[Row]:
    """The model in bfloat16. Interleaved, so that a card that warms up is fair to all."""
    made = network(size)
    floor = bandwidth() / weight_bytes(made)
    served = model(made)
    captured, plain, eager = [], [], []
    many: dict[int, list[float]] = {16: [], 64: []}
    for _ in range(ROUNDS):
        captured.append(ours(served, 1))
        graphs, served.graphs = served.graphs, None
        plain.append(ours(served, 1))
        served.graphs = graphs
        eager.append(library(made))
        for rows, found in many.items():
            found.append(ours(served, rows) / captured[-1])
    yield Row(f"{size}B bf16, one stream, tokens/s", None, Spread.of(captured))
    yield Row(f"{size}B bf16, one stream not captured, tokens/s", None, Spread.of(plain))
    over = [mine / theirs for mine, theirs in zip(captured, eager, strict=True)]
    yield Row(f"{size}B bf16, one stream over generate()", 4, Spread.of(over))
    share = Spread.of([one / floor for one in captured])
    yield Row(f"{size}B bf16, share of the bandwidth floor", {"4": 0.60, "27": 0.65}[size], share)
    for rows, bound in ((16, 9), (64, 18)):
        yield Row(f"{size}B bf16, {rows} slots over one stream", bound, Spread.of(many[rows]))


def quantised(mode: str) -> float:
    """Tokens per second of the 27B in `mode`, one stream."""
    made = network("27")
    if mode == "int4":
        from torchao.quantization import Int4WeightOnlyConfig, quantize_

        wanted = Int4WeightOnlyConfig(group_size=128)
        quantize_(made, wanted, filter_fn=lambda one, _: isinstance(one, nn.Linear) and one is not made.lm_head)
    else:
        _to_nf4(made)
    return ours(model(made), 1)


def _to_nf4(made: nn.Module) -> None:
    from bitsandbytes.nn import Linear4bit, Params4bit

    for module in list(made.modules()):
        for name, child in list(module.named_children()):
            if type(child) is nn.Linear and child is not made.lm_head:
                weight = Params4bit(child.weight.data.cpu(), requires_grad=False, quant_type="nf4")
                new = Linear4bit(child.in_features, child.out_features, bias=False, compute_dtype=torch.bfloat16)
                new.weight = weight
                setattr(module, name, new.cuda())


def _freed() -> None:
    gc.collect()
    torch.cuda.empty_cache()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sizes", nargs="*", default=list(SIZES))
    sizes = parser.parse_args().sizes
    if not torch.cuda.is_available() or torch.cuda.get_device_capability() < (8, 0):
        parser.exit(1, "This needs an NVIDIA GPU of compute capability 8.0 or newer.\n")
    started = perf_counter()
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, transformers {transformers.__version__}\n")
    print("| figure | demanded | measured |\n| --- | --- | --- |")
    for size in sizes:
        for row in whole(size):
            print(row, flush=True)
        _freed()
    if "27" in sizes:
        missing = [package for package in ("torchao", "bitsandbytes") if not find_spec(package)]
        if missing:
            print(f"| 27B int4 over NF4 | ≥ 2 | not measured: no {', '.join(missing)} |")
        else:
            four = quantised("int4")
            _freed()
            print(f"| 27B int4 over NF4 | ≥ 2 | {short(four / quantised('nf4'))} |")
    print(f"\n{perf_counter() - started:.0f} s in all.")


if __name__ == "__main__":
    main()
