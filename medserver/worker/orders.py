"""What the front tells the worker at its start: one line of JSON on standard input, never in a process list."""

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Orders:
    """`source` is a checkpoint directory; `secret` the bearer key every request must carry.

    `kv_bytes`: what keys and values may take; None for a share of what is free when the model is loaded.
    """

    secret: str
    source: str
    model_id: str
    thinking_markers: tuple[str, str]
    quantize: bool = False
    max_model_len: int = 8192
    slots: int = 8
    gpu_memory_utilization: float = 0.9
    kv_bytes: int | None = None
    log_level: str = "info"

    def to_line(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> "Orders":
        fields = json.loads(line)
        fields["thinking_markers"] = tuple(fields["thinking_markers"])
        return cls(**fields)
