"""The row of SGLang: how it is started for MedGemma and what it says of itself. Tested with 0.5.23 on the CPU."""

import json
import secrets

from medserver.config import Settings
from medserver.engine.base import EngineRow, Launch, Serving
from medserver.engine.dialect import SGLANG
from medserver.engine.foreign import launch, row, slots
from medserver.hardware import Hardware


def sglang_row(settings: Settings, serving: Serving, hardware: Hardware) -> EngineRow:
    def start() -> Launch:
        secret = secrets.token_hex(32)  # a new one at each start; one that began with a dash would be taken for a flag
        return launch(
            arguments(settings, serving, hardware),
            settings=settings,
            serving=serving,
            secret=secret,
            environment={} if hardware.gpus else {"SGLANG_USE_CPU_ENGINE": "1"},
            file=json.dumps({"api-key": secret}) + "\n",  # JSON is YAML
        )

    # It heeds seeds in its deterministic mode alone, which would slow everybody down (0.5.23: source, and run).
    return row("sglang", start, SGLANG, settings, serving, hardware, seeds=False)


def arguments(settings: Settings, serving: Serving, hardware: Hardware) -> list[str]:
    """The command of one start; its key is in the private file, where no process list shows it."""
    python = hardware.interpreter_with("sglang").path
    argv = [python, "-m", "sglang.launch_server", "--config", "{file}", "--model-path", serving.source]
    argv += ["--served-model-name", serving.variant.model_id, "--host", "127.0.0.1", "--port", "{port}"]
    argv += ["--context-length", str(settings.max_model_len), "--max-running-requests", str(slots(hardware))]
    argv += ["--dtype", "bfloat16", "--log-level", "warning"]
    if serving.supports_images:
        argv.append("--enable-multimodal")
    if not hardware.gpus:
        return [*argv, *_ON_CPU]
    argv += ["--mem-fraction-static", str(settings.gpu_memory_utilization)]
    if serving.supports_images:
        # Only this backend lets the tokens of an image see each other both ways, and only in one piece (design facts).
        argv += ["--attention-backend", "triton", "--chunked-prefill-size", "-1"]
    for flag, count in (("--tp", settings.tensor_parallel), ("--dp", settings.data_parallel)):
        argv += [flag, str(count)] if count > 1 else []
    return argv


# No kernels of its own are built for a CPU; what torch has is slow, and enough to try it.
_ON_CPU = (
    *("--device", "cpu", "--attention-backend", "torch_native", "--sampling-backend", "pytorch"),
    *("--disable-overlap-schedule", "--disable-cuda-graph", "--max-total-tokens", "32768"),
)
