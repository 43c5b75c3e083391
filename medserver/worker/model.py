"""The checkpoint in memory: loading, prefill of one request, one decode step for a batch of rows."""

import os
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import psutil
import torch
import transformers
from transformers import AutoConfig, AutoProcessor, AutoTokenizer, BitsAndBytesConfig, DynamicCache

from medserver.worker.batch import RowCache
from medserver.worker.checkpoint import Progress
from medserver.worker.values import LoadFailure, Prompt

# Full names: since transformers 5 a bare `vision_tower` no longer matches the module path.
NOT_QUANTISED = ["model.vision_tower", "model.multi_modal_projector", "lm_head"]


@dataclass(frozen=True, slots=True)
class Plan:
    """Where and in which arithmetic the model runs."""

    device: str
    dtype: torch.dtype


def plan() -> Plan:
    """MedGemma overflows in float16, so it is bfloat16 where the hardware computes it, and float32 elsewhere."""
    if torch.cuda.is_available():
        modern = min(map(torch.cuda.get_device_capability, range(torch.cuda.device_count()))) >= (8, 0)
        return Plan("cuda", torch.bfloat16 if modern else torch.float32)
    if torch.backends.mps.is_available():
        return Plan("mps", torch.bfloat16)
    return Plan("cpu", torch.float32)


def cap_threads() -> int:
    """Let torch use the physical cores this process may run on; more made decoding 19 times slower (measured)."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    threads = max(1, min(allowed, psutil.cpu_count(logical=False) or allowed))
    torch.set_num_threads(threads)
    return threads


class Model:
    """A loaded Gemma-3 checkpoint. Every method runs on the one thread that owns the device."""

    def __init__(self, network: Any, processor: Any, where: Plan, load_seconds: float = 0.0, quantisation=None):
        self.network = network
        self.processor = processor
        self.tokenizer = getattr(processor, "tokenizer", processor)
        self.plan = where
        self.load_seconds = load_seconds
        self.quantisation = quantisation
        self.supports_images = network.config.model_type == "gemma3"
        self.decoder = network.model.language_model if self.supports_images else network.model
        self.text_config = network.config.get_text_config()
        self.end_ids = self._end_ids()

    @property
    def vocab_size(self) -> int:
        return self.text_config.vocab_size

    @property
    def context(self) -> int:
        return self.text_config.max_position_embeddings

    @torch.inference_mode()
    def prefill(self, prompt: Prompt) -> tuple[torch.Tensor, list[tuple[torch.Tensor, torch.Tensor]]]:
        """Run one prompt alone.

        Returns its next-token logits, float32 (1, vocabulary), and keys and values per layer, each
        (1, kv_heads, length, head_dim). The library builds the masks: image tokens see each other both ways.
        """
        device = self.network.device
        extra = {}
        if prompt.token_type_ids is not None:
            extra["token_type_ids"] = prompt.token_type_ids.to(device)
        if prompt.pixels is not None:
            extra["pixel_values"] = prompt.pixels.to(device, self.plan.dtype)
        # Without a config every layer keeps its full length, local ones too; the decode mask cuts the window.
        cache = DynamicCache()
        logits = self.network(
            input_ids=prompt.ids.to(device), past_key_values=cache, use_cache=True, logits_to_keep=1, **extra
        ).logits
        return logits[:, -1].float(), [(layer.keys, layer.values) for layer in cache.layers]

    @torch.inference_mode()
    def decode(self, tokens: list[int], cache: RowCache) -> torch.Tensor:
        """Feed one token to each row of `cache` and return the next-token logits, float32 (rows, vocabulary)."""
        device = self.network.device
        cache.open_column()
        masks = {
            "full_attention": cache.mask(None, device),
            "sliding_attention": cache.mask(self.text_config.sliding_window, device),
        }
        hidden = self.decoder(
            input_ids=torch.tensor(tokens, device=device).unsqueeze(1),
            position_ids=torch.tensor(cache.lengths, device=device).unsqueeze(1),
            attention_mask=masks,
            past_key_values=cache,
            use_cache=True,
        ).last_hidden_state
        cache.close_column()
        return self.network.lm_head(hidden[:, -1]).float()

    def token_id(self, token: str) -> int | None:
        """The id of exactly this token, or None when the vocabulary does not have it."""
        number = self.tokenizer.convert_tokens_to_ids(token)
        return None if number is None or number == self.tokenizer.unk_token_id else number

    def self_test(self) -> None:
        """Two tokens must give finite logits: float16 overflow and broken weights show here, not on a ward.

        Raises:
            LoadFailure: they do not.
        """
        ids = torch.tensor([[self.tokenizer.bos_token_id, self.token_id("<start_of_turn>") or 0]])
        types = torch.zeros_like(ids) if self.supports_images else None
        logits, _ = self.prefill(Prompt(ids, types))
        if not torch.isfinite(logits).all():
            raise LoadFailure("The self-test failed: the model computes numbers that are not finite.")

    def _end_ids(self) -> frozenset[int]:
        configured = self.network.generation_config.eos_token_id
        ids = set(configured if isinstance(configured, list) else [configured])
        ids |= {self.tokenizer.eos_token_id, self.token_id("<end_of_turn>")}
        return frozenset(ids - {None})


def load(directory: Path, *, quantize: bool, progress: Progress) -> Model:
    """Load a Gemma-3 checkpoint, multimodal or text-only, from a local directory.

    Raises:
        LoadFailure: it is none, or its weights cannot be used.
    """
    started = perf_counter()
    cap_threads()
    where = plan()
    progress("processor", 0, 1)
    config = AutoConfig.from_pretrained(directory, local_files_only=True)
    # The three kinds differ in class and in processor, and `model_type` is what tells them apart.
    if config.model_type == "gemma3":
        loader, processor = transformers.Gemma3ForConditionalGeneration, _processor(directory)
    elif config.model_type == "gemma3_text":
        loader, processor = transformers.Gemma3ForCausalLM, AutoTokenizer.from_pretrained(directory)
    else:
        raise LoadFailure(f"This is a {config.model_type} checkpoint; MedServer serves Gemma 3 (gemma3, gemma3_text).")
    _follow_weights(progress)
    options: dict[str, Any] = {"dtype": where.dtype, "attn_implementation": "sdpa", "local_files_only": True}
    if where.device != "cpu":
        options["device_map"] = where.device if _fits_one(directory, quantize) else "auto"
    if quantize:
        options["quantization_config"] = _four_bits(where)
    network = loader.from_pretrained(directory, **options).eval()
    model = Model(network, processor, where, quantisation="nf4" if quantize else None)
    progress("self-test", 0, 1)
    model.self_test()
    model.load_seconds = perf_counter() - started
    return model


def _processor(directory: Path) -> Any:
    # Pillow, not torchvision: a CUDA-linked torchvision beside a CPU torch breaks the import of both.
    return AutoProcessor.from_pretrained(directory, backend="pil", local_files_only=True)


def _fits_one(directory: Path, quantize: bool) -> bool:
    """Whether the first GPU alone holds the weights and leaves a quarter of its free memory for the KV cache."""
    if torch.cuda.device_count() < 2:
        return True
    weights = sum(file.stat().st_size for file in directory.glob("*.safetensors"))
    free, _ = torch.cuda.mem_get_info(0)
    return weights * (0.35 if quantize else 1.0) < 0.75 * free


def _four_bits(where: Plan) -> BitsAndBytesConfig:
    try:
        import bitsandbytes  # noqa: F401  (transformers' own message names a package index)
    except ImportError:
        raise LoadFailure("-q needs the package bitsandbytes: .venv/bin/pip install bitsandbytes") from None
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=where.dtype,
        llm_int8_skip_modules=NOT_QUANTISED,
    )


def _follow_weights(progress: Progress) -> None:
    """Report the library's own progress bar over the tensors instead of drawing it."""
    progress("weights", 0, 1)

    def hook(_factory, args, kwargs):
        items = args[0] if args else kwargs.get("iterable")
        if items is None or not hasattr(items, "__len__"):
            return _factory(*args, **{**kwargs, "disable": True})
        return _reported(items, progress)

    transformers.utils.logging.set_tqdm_hook(hook)


def _reported(items: Any, progress: Progress):
    total = len(items)
    for done, item in enumerate(items):
        progress("weights", done, total)
        yield item
    progress("weights", total, total)
