"""The row of vLLM: how it is started for MedGemma and what it says of itself. Tested with 0.32 on the CPU."""

import json
import secrets

from medserver.config import Settings
from medserver.engine.base import EngineRow, Launch, Serving
from medserver.engine.dialect import VLLM
from medserver.engine.foreign import images_in, launch, row, slots
from medserver.hardware import Hardware


def vllm_row(settings: Settings, serving: Serving, hardware: Hardware) -> EngineRow:
    def start() -> Launch:
        secret = secrets.token_urlsafe(32)  # a new one at each start
        return launch(
            arguments(settings, serving, hardware),
            settings=settings,
            serving=serving,
            secret=secret,
            environment=_environment(hardware) | {"VLLM_API_KEY": secret},
        )

    return row("vllm", start, VLLM, settings, serving, hardware)


def arguments(settings: Settings, serving: Serving, hardware: Hardware) -> list[str]:
    """The command of one start. Neither the key nor a word of any request is in it."""
    python = hardware.interpreter_with("vllm").path
    argv = [python, "-m", "vllm.entrypoints.cli.main", "serve", serving.source]
    argv += ["--served-model-name", serving.variant.model_id, "--host", "127.0.0.1", "--port", "{port}"]
    argv += ["--max-model-len", str(settings.max_model_len), "--max-num-seqs", str(slots(hardware))]
    argv += ["--dtype", "bfloat16", "--no-enable-log-requests", "--disable-uvicorn-access-log"]
    argv.append("--enable-scale-out")  # among other doors behind the key, the one that ends an answer by its id
    if serving.supports_images:
        limit = {"image": images_in(serving, settings.max_model_len)}
        argv += ["--limit-mm-per-prompt", json.dumps(limit)]
    if not hardware.gpus:
        return [*argv, "--enforce-eager"]
    argv += ["--gpu-memory-utilization", str(settings.gpu_memory_utilization), "--async-scheduling"]
    for flag, count in (
        ("--tensor-parallel-size", settings.tensor_parallel),
        ("--data-parallel-size", settings.data_parallel),
    ):
        argv += [flag, str(count)] if count > 1 else []
    return argv


def _environment(hardware: Hardware) -> dict[str, str]:
    quiet = {"VLLM_NO_USAGE_STATS": "1", "VLLM_DO_NOT_TRACK": "1"}
    if hardware.gpus:
        return quiet
    # On a CPU its KV cache is a share of the RAM, in GiB, that it takes at once.
    space = max(1, int(hardware.ram_available * 0.1 / 2**30))
    return quiet | {"VLLM_CPU_KVCACHE_SPACE": str(min(space, 8)), "VLLM_CPU_OMP_THREADS_BIND": "auto"}
