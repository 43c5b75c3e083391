"""The values that pass between the rooms of the worker; plain data, no torch types but in `Prompt`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


class WorkerRefusal(Exception):
    """A request the worker cannot take: an OpenAI error with this `status`, `code` and sentence."""

    def __init__(self, sentence: str, code: str = "invalid_request", status: int = 400):
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code
        self.status = status


class LoadFailure(Exception):
    """The checkpoint cannot be served; the message is a sentence for the person who started the server."""


def is_out_of_memory(error: BaseException) -> bool:
    """CUDA has a class for it; the CPU's and Apple's allocators raise a RuntimeError that says so."""
    if type(error).__name__ == "OutOfMemoryError" or isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(
        words in str(error) for words in ("out of memory", "can't allocate memory", "not enough memory")
    )


@dataclass(frozen=True, slots=True)
class Generation:
    """How one request is decoded. `max_tokens` None means as many as the context leaves.

    No end-of-sequence token is drawn before `min_tokens`, or at all with `ignore_eos`.
    """

    max_tokens: int | None = None
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    repetition_penalty: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    logit_bias: dict[int, float] = field(default_factory=dict)
    ignore_eos: bool = False
    min_tokens: int = 0


@dataclass(frozen=True, slots=True)
class ImageSpan:
    """Where an image stands in a prompt, from its first token to the one `after` it, and a hash of its pixels."""

    first: int
    after: int
    digest: bytes


@dataclass(frozen=True, slots=True, eq=False)  # tensors do not compare to one truth
class Prompt:
    """One request as tensors on the CPU.

    `ids`: int64 (1, length). `token_type_ids`: the same shape, 1 where an image token stands, or None for a
    text-only model. `pixels`: float32 (images, 3, height, width), or None; `images`: their places, in order.
    `repeated`: how many of the tokens the chat's next prompt will begin with; None for all of them.
    """

    ids: torch.Tensor
    token_type_ids: torch.Tensor | None = None
    pixels: torch.Tensor | None = None
    images: tuple[ImageSpan, ...] = ()
    repeated: int | None = None

    @property
    def length(self) -> int:
        return self.ids.shape[1]


@dataclass(frozen=True, slots=True)
class Piece:
    """Decoded text, possibly of several tokens."""

    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of a request: `stop` or `length`, and the exact token counts.

    `cached_tokens`: how many of the prompt's were not computed again.
    """

    reason: str
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Broken:
    """The end of a request that failed inside the engine."""

    code: str
    sentence: str


Output = Piece | Finished | Broken
