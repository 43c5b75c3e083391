"""The checkpoint from the disk into memory: its kind, where it runs and in which arithmetic; it answers nothing."""

import logging
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import Any

import psutil
import torch
import transformers
from transformers import AutoConfig, AutoProcessor, AutoTokenizer, BitsAndBytesConfig

from medserver import cpu
from medserver.worker.checkpoint import Progress
from medserver.worker.model import Model, Plan
from medserver.worker.quantisation import BITSANDBYTES, TORCHAO, choose, share_of
from medserver.worker.self_test import self_test
from medserver.worker.threads import allowed_cores
from medserver.worker.values import LoadFailure

log = logging.getLogger("medserver.worker")

# Full names: since transformers 5 a bare `vision_tower` no longer matches the module path.
NOT_QUANTISED = ["model.vision_tower", "model.multi_modal_projector", "lm_head"]


# Bytes of weights from which on a CPU reads for longer than it computes. Less is as quick in float32, and there an
# answer does not hang on who else is being answered.
_LARGE = 10**9


def plan(weights: int) -> Plan:
    """Where and in what: as MedGemma overflows in float16, bfloat16 where the hardware computes it, else float32.

    `weights`: bytes of the checkpoint.
    """
    if torch.cuda.is_available():
        modern = min(map(torch.cuda.get_device_capability, range(torch.cuda.device_count()))) >= (8, 0)
        return Plan("cuda", torch.bfloat16 if modern else torch.float32)
    if torch.backends.mps.is_available():
        return Plan("mps", torch.bfloat16)
    large = weights >= _LARGE and cpu.multiplies_bfloat16()
    return Plan("cpu", torch.bfloat16 if large else torch.float32)


def cap_threads() -> int:
    """Let torch use the physical cores this process may run on; more made decoding 19 times slower (measured)."""
    allowed = len(allowed_cores())
    threads = max(1, min(allowed, psutil.cpu_count(logical=False) or allowed))
    torch.set_num_threads(threads)
    return threads


def load(directory: Path, *, quantize: bool, progress: Progress) -> Model:
    """Load a Gemma-3 checkpoint, multimodal or text-only, from a local directory.

    Raises:
        LoadFailure: it is none, or its weights cannot be used.
    """
    started = perf_counter()
    cap_threads()
    where = plan(_bytes_of(directory))
    progress("processor", 0, 1)
    config = AutoConfig.from_pretrained(directory, local_files_only=True)  # nosec B615 # nothing is downloaded
    # The three kinds differ in class and in processor, and `model_type` is what tells them apart.
    if config.model_type == "gemma3":
        loader, processor = transformers.Gemma3ForConditionalGeneration, _processor(directory)
    elif config.model_type == "gemma3_text":
        processor = AutoTokenizer.from_pretrained(directory, local_files_only=True)  # nosec B615 # nothing is downloaded
        loader = transformers.Gemma3ForCausalLM
    else:
        raise LoadFailure(f"This is a {config.model_type} checkpoint; MedServer serves Gemma 3 (gemma3, gemma3_text).")
    _follow_weights(progress)
    options: dict[str, Any] = {"dtype": where.dtype, "attn_implementation": "sdpa", "local_files_only": True}
    mode = _mode(directory, where) if quantize else None
    if where.device != "cpu":
        options["device_map"] = where.device if _fits_one(directory, share_of(mode)) else "auto"
    if mode:
        options["quantization_config"] = _four_bits(where) if mode == "nf4" else _torchao(mode)
    network = loader.from_pretrained(directory, **options).eval()
    refuse_offloaded(network)
    model = Model(network, processor, where, quantisation=mode)
    progress("self-test", 0, 1)
    self_test(model)
    model.load_seconds = perf_counter() - started
    return model


def refuse_offloaded(network: torch.nn.Module) -> None:
    """Over several GPUs that are too small together, the library leaves weights on the disk: nobody could wait for it.

    Raises:
        LoadFailure: some are not on a device.
    """
    if any(parameter.is_meta for parameter in network.parameters()):
        raise LoadFailure("The model does not fit into the GPUs' memory. -q (4-bit weights) would help.")


def _processor(directory: Path) -> Any:
    # Pillow, not torchvision: a CUDA-linked torchvision beside a CPU torch breaks the import of both.
    return AutoProcessor.from_pretrained(directory, backend="pil", local_files_only=True)  # nosec B615 # nothing is downloaded


def _fits_one(directory: Path, share: float) -> bool:
    """Whether the first GPU alone holds this share of the weights, and a quarter of its free memory is left for KV."""
    if torch.cuda.device_count() < 2:
        return True
    free, _ = torch.cuda.mem_get_info(0)
    return _bytes_of(directory) * share < 0.75 * free


def _bytes_of(directory: Path) -> int:
    return sum(file.stat().st_size for file in directory.glob("*.safetensors"))


def _mode(directory: Path, where: Plan) -> str | None:
    """What `-q` means on this machine."""
    cards = range(torch.cuda.device_count())
    chosen = choose(
        capability=min(map(torch.cuda.get_device_capability, cards), default=None),
        bfloat16=where.dtype == torch.bfloat16,
        weights=_bytes_of(directory),
        free=sum(torch.cuda.mem_get_info(card)[0] for card in cards) or psutil.virtual_memory().available,
        packages=[package for package in (BITSANDBYTES, TORCHAO) if find_spec(package)],
    )
    log.info("-q: the weights are kept in %s. %s", chosen.mode or "bfloat16", chosen.why)
    return chosen.mode


def _torchao(mode: str) -> Any:
    from torchao.quantization import Int4WeightOnlyConfig, Int8WeightOnlyConfig

    kind = Int4WeightOnlyConfig(group_size=128) if mode == "int4" else Int8WeightOnlyConfig()
    return transformers.TorchAoConfig(kind, modules_to_not_convert=NOT_QUANTISED)


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
