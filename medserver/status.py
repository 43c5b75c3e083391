"""What /api/health, /api/models and /api/model-info say: the house described, nothing decided."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from medserver import __version__
from medserver.admission import Admission
from medserver.config import DEFAULT_MAX_TOKENS, TEMPERATURE_RANGE, TOP_P_RANGE, Settings
from medserver.engine.base import EngineFacts, Serving
from medserver.engine.host import EngineHost, EngineStatus
from medserver.hardware import Gpu, Hardware, gpus
from medserver.models import TERMS, VARIANTS
from medserver.prompts import IMAGE_PROMPT, TEXT_PROMPT

_STATUS = {"ready": "ready", "restarting": "degraded", "failed": "error", "stopped": "error"}
HARDWARE_SECONDS = 2.0
_GB = 1_000_000_000


class Status:
    """Reads everybody's state and holds none. `started`: when this server was, as `time.monotonic`."""

    def __init__(
        self,
        settings: Settings,
        serving: Serving,
        hardware: Hardware,
        host: EngineHost,
        admission: Admission,
        started: float,
    ):
        self._settings = settings
        self._serving = serving
        self._hardware = hardware
        self._host = host
        self._admission = admission
        self._started = started

    async def watch_hardware(self) -> None:
        """Keep the figures of the GPUs fresh, away from the event loop: a driver may take its time."""
        while True:
            await asyncio.sleep(HARDWARE_SECONDS)
            self._hardware = replace(self._hardware, gpus=await asyncio.to_thread(gpus))

    def health(self) -> dict[str, Any]:
        engine = self._host.status
        return {
            "status": _STATUS.get(engine.state, "loading"),
            "version": __version__,
            **self._model(),
            "uptime_seconds": round(time.monotonic() - self._started, 1),
            **self._policy(),
            "max_model_len": self.context(),
            "engine": {**_engine(engine), **self._computes()},
            "loading": _loading(engine),
            "queue": {"active": self._admission.active, "waiting": self._admission.waiting},
            **(self._gpus() if self._settings.show_hardware_stats else {}),
        }

    @property
    def ready(self) -> bool:
        return self._host.status.state == "ready"

    def models(self) -> dict[str, Any]:
        """Every variant and which is active, and the system prompts that the server adds by itself."""
        active = self._serving.variant.key
        rows = [
            {
                "key": variant.key,
                "id": variant.model_id,
                "name": variant.name,
                "modality": variant.modality,
                "supports_images": variant.supports_images,
                "weights_gb": variant.weights_gb,
                "min_vram_gb": variant.min_vram_gb,
                "demo": variant.demo,
                "active": variant.key == active,
            }
            for variant in VARIANTS.values()
        ]
        return {"models": rows, "active": active, "system_prompts": {"text": TEXT_PROMPT, "image": IMAGE_PROMPT}}

    def samples(self) -> dict[str, Any]:
        """What a model brings along to be tried with; nothing for most."""
        prompts = [
            {"text": text, "images": [f"/samples/{name}" for name in images]} for text, images in self._serving.samples
        ]
        return {"prompts": prompts}

    def model_info(self) -> dict[str, Any]:
        """The loaded model; raises `Unavailable` while there is none."""
        facts: EngineFacts = self._host.engine().facts
        return {
            **self._model(),
            "engine": self._host.status.name,
            "device": facts.device,
            "dtype": facts.dtype,
            "quantization": facts.quantization,
            "load_seconds": facts.load_seconds,
            "max_model_len": facts.max_model_len,
            "terms": TERMS,
        }

    def _model(self) -> dict[str, Any]:
        serving = self._serving
        return {
            "model_name": serving.variant.name,
            "model_id": serving.variant.model_id,
            "modality": "image-text" if serving.supports_images else "text",
            "supports_images": serving.supports_images,
            "image_tokens": serving.image_tokens,
            "demo": serving.variant.demo,
            "model_note": serving.note,
            "thinking": True,
            "models": self._host.models,
        }

    def _policy(self) -> dict[str, Any]:
        settings = self._settings
        return {
            "gpu_available": bool(self._hardware.gpus),
            "open": settings.open,
            "host": settings.host,
            "port": settings.port,
            "max_text_length": settings.max_text_length,
            "max_conversation_length": settings.max_conversation_length,
            "max_history_messages": settings.max_history_messages,
            "max_image_count": settings.max_image_count,
            "max_payload_mb": settings.max_payload_mb,
            "max_user_streams": settings.max_user_streams,
            "rate_limit": settings.rate_limit,
            "default_temperature": settings.default_temperature,
            "default_top_p": settings.default_top_p,
            "allow_client_sampling_config": settings.allow_client_sampling_config,
            "temperature_min": TEMPERATURE_RANGE[0],
            "temperature_max": TEMPERATURE_RANGE[1],
            "top_p_min": TOP_P_RANGE[0],
            "top_p_max": TOP_P_RANGE[1],
            "default_max_tokens": DEFAULT_MAX_TOKENS,
            "loop_guard": settings.loop_guard,
        }

    def context(self) -> int:
        """Tokens of context: what was asked for, until the model says what it holds."""
        if self._host.status.state != "ready":
            return self._settings.max_model_len
        return self._host.engine().facts.max_model_len

    def _computes(self) -> dict[str, Any]:
        """How the running engine computes; nothing while there is none."""
        if self._host.status.state != "ready":
            return {}
        facts = self._host.engine().facts
        return {"device": facts.device, "dtype": facts.dtype, "quantization": facts.quantization}

    def _gpus(self) -> dict[str, Any]:
        gpus = [_gpu(gpu) for gpu in self._hardware.gpus]
        first = gpus[0] if gpus else {"name": None, "vram_total_gb": None, "vram_used_gb": None}
        return {
            "gpu_name": first["name"],
            "gpu_vram_total_gb": first["vram_total_gb"],
            "gpu_vram_used_gb": first["vram_used_gb"],
            "gpus": gpus,
        }


def _gpu(gpu: Gpu) -> dict[str, Any]:
    return {
        "name": gpu.name,
        "vram_total_gb": round(gpu.memory_total / _GB, 1),
        "vram_used_gb": round(gpu.memory_used / _GB, 1),
    }


def _engine(engine: EngineStatus) -> dict[str, Any]:
    return {
        "name": engine.name,
        "state": engine.state,
        "why": engine.why,
        "tried": [{"name": name, "why": why} for name, why in engine.tried],
        "restarts": engine.restarts,
    }


def _loading(engine: EngineStatus) -> dict[str, Any] | None:
    if (now := engine.loading) is None:
        return None
    return {"stage": now.stage, "done": now.done, "total": now.total}


def about(serving: Serving) -> dict[str, str | None]:
    """The model for records that outlast this server: its id, and its commit where the Hub's cache knows it."""
    folder = Path(serving.source)
    commit = folder.name if folder.parent.name == "snapshots" else None
    return {"model": serving.variant.model_id, "revision": commit}
