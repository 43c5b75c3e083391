"""What crosses between the house and an engine; no HTTP, no process, no particular engine."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from medserver.chat import Sampling
from medserver.config import ENGINE_SLOTS
from medserver.engine.dialect import OURS, Dialect
from medserver.engine.patience import OWN, Patience
from medserver.events import Usage
from medserver.models import Sizes, ThinkingMarkers, Variant


@dataclass(frozen=True, slots=True)
class Ask:
    """One generation. `messages` in OpenAI form; `continue_final`: go on with the last, an assistant's.

    `model`: the one that is asked for, where an engine has several; None leaves it to the engine. `cache_salt`: what an
    engine keeps of this prompt is of use to asks with the same salt alone, so that nobody can tell from the time to
    their first token what somebody else has asked.
    """

    messages: list[dict[str, Any]]
    sampling: Sampling
    max_tokens: int
    continue_final: bool = False
    logit_bias: dict[int, float] = field(default_factory=dict)
    model: str | None = None
    cache_salt: str | None = None


@dataclass(frozen=True, slots=True)
class Delta:
    """Some of the model's text, thinking markers included; `pieces`: how many the engine gave it in, mostly tokens."""

    text: str
    pieces: int = 1


@dataclass(frozen=True, slots=True)
class End:
    """The engine finished by itself: `stop` or `length`."""

    reason: str
    usage: Usage | None


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """What a running engine says of itself. `thinking_ids`: token ids of the two markers, where it has them.

    `slots`: answers it works on at a time. `seeds`: the same seed draws the same answer again.
    """

    supports_images: bool
    max_model_len: int
    device: str | None = None
    dtype: str | None = None
    quantization: str | None = None
    load_seconds: float | None = None
    thinking_ids: tuple[int | None, int | None] = (None, None)
    slots: int = ENGINE_SLOTS
    seeds: bool = True

    def with_thinking_ids(self, ids: tuple[int | None, int | None]) -> "EngineFacts":
        return replace(self, thinking_ids=ids)


class Engine(Protocol):
    """Anything that answers. Closing the iterator of `stream` stops the work.

    Raises, while streaming:
        EngineProblem: ContextOverflow, OutOfMemory, EngineLost or Internal.
    """

    facts: EngineFacts

    def stream(self, ask: Ask) -> AsyncIterator[Delta | End]: ...


@dataclass(frozen=True, slots=True)
class Reach:
    """How an engine that runs on this machine is asked, also by a process that did not start it."""

    port: int
    secret: str = field(repr=False)
    model_id: str
    facts: EngineFacts
    dialect: Dialect
    patience: Patience
    markers: ThinkingMarkers | None


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start an engine as a child: its command, what to write to its standard input, its key."""

    argv: tuple[str, ...]
    first_line: bytes = field(repr=False)
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Serving:
    """What is to be served: the variant, where its checkpoint is, and the pixels and tokens of its images.

    `samples`: prompts to begin with, as (text, names of pictures in `samples/` beside the checkpoint).
    """

    variant: Variant
    source: str
    supports_images: bool
    image_size: int
    image_tokens: int
    note: str | None = None
    samples: tuple[tuple[str, tuple[str, ...]], ...] = ()
    measured: Sizes | None = None

    @property
    def here(self) -> bool:
        """Whether `source` is a folder on this machine; else it is the Hub's id of weights that are still to come."""
        return self.source != self.variant.hub_id

    @property
    def sizes(self) -> Sizes:
        """Of this very checkpoint where it is on this machine, else of the release."""
        return self.measured or self.variant.sizes


@dataclass(frozen=True, slots=True)
class EngineRow:
    """One kind of engine: what differs between them, and nothing else.

    `describe`: its entry in the listing of models -> what it is. `markers`: those whose ids its tokenizer is asked
    for. `self_test`: it is asked questions before it counts as ready. `attempts`: starts in a row that may come to
    nothing before it is given up. `silence`: seconds that it may load without an answer to a probe or a word.
    """

    name: str
    launch: Callable[[], Launch]
    describe: Callable[[dict[str, Any]], EngineFacts]
    dialect: Dialect = OURS
    patience: Patience = OWN
    markers: ThinkingMarkers | None = None
    self_test: bool = False
    attempts: int = 3
    silence: float = 120.0
