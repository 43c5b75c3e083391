"""The answer as it travels back: any number of pieces, then `Done`; a failure is raised as a `Problem` instead."""

from dataclasses import dataclass
from typing import Literal

FinishReason = Literal["stop", "length", "repetition", "cancelled"]


@dataclass(frozen=True, slots=True)
class Queued:
    """Still waiting for a slot; `ahead` requests come first."""

    ahead: int


@dataclass(frozen=True, slots=True)
class Thought:
    text: str


@dataclass(frozen=True, slots=True)
class Token:
    text: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts as the engine reports them."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Timings:
    """`ttft_ms`: milliseconds from a slot to the first piece; `tokens_per_second`: over the pieces after it."""

    ttft_ms: float | None = None
    tokens_per_second: float | None = None


@dataclass(frozen=True, slots=True)
class Done:
    reason: FinishReason
    usage: Usage
    timings: Timings


Event = Queued | Thought | Token | Done
