"""The question as it travels through the house: frozen, checked, its images decoded; no wire format."""

from dataclasses import dataclass
from typing import Literal

Role = Literal["system", "user", "assistant"]
Thinking = Literal["auto", "on", "off"]


@dataclass(frozen=True, slots=True)
class Image:
    """Verified pixels: a square PNG, RGB or grey, made by our own decoder, never the bytes that came from outside."""

    png: bytes


Part = str | Image


@dataclass(frozen=True, slots=True)
class Turn:
    role: Role
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are drawn: `temperature` 0 is greedy, `top_k` 0 and `top_p` 1 keep the whole vocabulary.

    The model cannot end its answer before `min_tokens`, nor at all with `ignore_eos`; a stop string still can.
    """

    max_tokens: int
    temperature: float
    top_p: float
    top_k: int = 0
    repetition_penalty: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    ignore_eos: bool = False
    min_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Chat:
    """One request. `system_prompt` None means the server's own, an empty string means none.

    `model`: which one is asked, where the server offers several; None is its default. `loop_guard`: how soon a
    repetition ends the answer, 0 (never) to 10; None is the server's own.
    """

    turns: tuple[Turn, ...]
    system_prompt: str | None
    sampling: Sampling
    thinking: Thinking = "auto"
    model: str | None = None
    loop_guard: int | None = None

    @property
    def has_images(self) -> bool:
        return any(isinstance(part, Image) for turn in self.turns for part in turn.parts)
