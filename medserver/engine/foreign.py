"""What starting SGLang and vLLM has in common: an interpreter of their own, kept by ours, and nothing sent anywhere."""

import json
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from medserver.config import Settings
from medserver.engine.base import EngineFacts, EngineRow, Launch, Serving
from medserver.engine.dialect import Dialect
from medserver.engine.listing import context_of
from medserver.engine.patience import Patience
from medserver.hardware import Hardware

# Answers at a time; both batch many more, and then each of them is slow.
SLOTS, SLOTS_ON_CPU = 64, 16
# Kernels may be compiled before a first token, never after; without a GPU to read a prompt takes as long as it takes.
PATIENCE, PATIENCE_ON_CPU = Patience(first=600.0, between=60.0), Patience(between=60.0)
# The token budget of a conversation also ends its images; this many fit into no context that we serve.
MOST_IMAGES = 64


def slots(hardware: Hardware) -> int:
    return SLOTS if hardware.gpus else SLOTS_ON_CPU


def images_in(serving: Serving, context: int) -> int:
    """How many images one request may hold, all its turns together; both engines refuse more."""
    return max(1, min(MOST_IMAGES, context // serving.image_tokens)) if serving.supports_images else 0


def launch(
    argv: Sequence[str],
    *,
    settings: Settings,
    serving: Serving,
    secret: str,
    environment: dict[str, str],
    file: str | None = None,
) -> Launch:
    """Start `argv` through the keeper. `file`: what `{file}` in it stands for, kept private and removed after."""
    orders = {
        "argv": list(argv),
        "env": _quiet(Path(argv[0])) | environment,
        "file": file,
        "verbose": settings.log_level == "debug",
    }
    return Launch((sys.executable, "-m", "medserver.engine.keeper"), json.dumps(orders).encode() + b"\n", secret)


def _quiet(python: Path) -> dict[str, str]:
    """No telemetry, no Hub, since the weights are here, its own tools first, and none of our own packages."""
    return {
        "PATH": os.pathsep.join((str(python.parent), os.environ.get("PATH", os.defpath))),
        "PYTHONPATH": "",
        "DO_NOT_TRACK": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
    }


def row(
    name: str,
    start: Callable[[], Launch],
    dialect: Dialect,
    settings: Settings,
    serving: Serving,
    hardware: Hardware,
    *,
    seeds: bool = True,
) -> EngineRow:
    """The row of an engine that is asked questions first and gets one attempt; `seeds` as in `EngineFacts`."""
    return EngineRow(
        name,
        start,
        partial(described, settings=settings, serving=serving, hardware=hardware, seeds=seeds),
        dialect=dialect,
        patience=PATIENCE if hardware.gpus else PATIENCE_ON_CPU,
        markers=serving.variant.thinking,
        self_test=True,
        attempts=1,
        silence=600.0,  # compiling says nothing
    )


def described(
    entry: dict[str, Any], *, settings: Settings, serving: Serving, hardware: Hardware, seeds: bool
) -> EngineFacts:
    """What one of them is, from its listing and from how we started it; its tokenizer knows the markers."""
    return EngineFacts(
        supports_images=serving.supports_images,
        max_model_len=context_of(entry) or settings.max_model_len,
        device="cuda" if hardware.gpus else "cpu",
        dtype="bfloat16",
        slots=slots(hardware),
        seeds=seeds,
    )
