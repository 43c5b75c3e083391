"""The row of our own Transformers worker: how it is started and what it says of itself."""

import secrets
import sys
from typing import Any

from medserver.config import ENGINE_SLOTS, Settings
from medserver.engine.base import EngineFacts, EngineRow, Launch, Serving
from medserver.worker.orders import Orders


def transformers_row(settings: Settings, serving: Serving) -> EngineRow:
    def launch() -> Launch:
        secret = secrets.token_urlsafe(32)  # a new one at each start
        markers = serving.variant.thinking
        orders = Orders(
            secret=secret,
            source=serving.source,
            model_id=serving.variant.model_id,
            thinking_markers=(markers.open, markers.close),
            quantize=settings.quantize,
            max_model_len=settings.max_model_len,
            slots=ENGINE_SLOTS,
            gpu_memory_utilization=settings.gpu_memory_utilization,
            log_level=settings.log_level,
        )
        return Launch((sys.executable, "-m", "medserver.worker"), orders.to_line(), secret)

    return EngineRow("transformers", launch, described)


def described(model: dict[str, Any]) -> EngineFacts:
    """One entry of the worker's `/v1/models`."""
    return EngineFacts(
        supports_images=model["supports_images"],
        max_model_len=model["max_model_len"],
        device=model["device"],
        dtype=model["dtype"],
        quantization=model["quantization"],
        load_seconds=model["load_seconds"],
        thinking_ids=tuple(model["thinking_ids"]),
    )
