"""The wire's shapes as pydantic models: types and fields only; limits and meaning belong to intake."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from medserver import config
from medserver.chat import Role, Thinking
from medserver.loop_guard import MAX_SENSITIVITY


class Wire(BaseModel):
    """Unknown fields are usually a typo, so they are refused; strings are never numbers."""

    model_config = ConfigDict(extra="forbid", strict=True)


class TextPart(Wire):
    type: Literal["text"]
    text: str


class ImagePart(Wire):
    """Marks where the next entry of `image_data` stands."""

    type: Literal["image"]


ContentPart = Annotated[TextPart | ImagePart, Field(discriminator="type")]


# Told apart by its shape, so that a wrong part is not reported as a wrong string.
Content = Annotated[
    Annotated[str, Tag("plain text")] | Annotated[list[ContentPart], Tag("list of parts")],
    Discriminator(lambda content: "list of parts" if isinstance(content, list) else "plain text"),
]


class Message(Wire):
    role: Role
    content: Content
    image_data: list[str] = Field(default_factory=list, description="base64 or data: URLs of PNG, JPEG or WEBP")


Finite = Annotated[float, Field(allow_inf_nan=False)]
TopK = Annotated[int, Field(ge=0, le=1_000_000)]
Seed = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
LoopGuard = Annotated[int, Field(ge=0, le=MAX_SENSITIVITY, description="0 never stops a repetition")]


class SamplingFields(Wire):
    """What both doors accept about sampling; ranges are checked against the server's policy in intake."""

    max_tokens: int = Field(config.DEFAULT_MAX_TOKENS, ge=1)
    temperature: Finite | None = None
    top_p: Finite | None = None
    thinking: Thinking = "auto"
    stream: bool = True


class ChatRequest(SamplingFields):
    messages: list[Message] = Field(min_length=1)
    system_prompt: str | None = None
    top_k: TopK | None = None
    seed: Seed | None = None
    stop: list[str] | str | None = None
    repetition_penalty: Finite | None = None
    min_tokens: int = Field(0, ge=0)
    ignore_eos: bool = False
    loop_guard: LoopGuard | None = None
    model: str | None = None


class AnalyzeForm(SamplingFields):
    """The text fields of the multipart form; everything arrives as a string there."""

    model_config = ConfigDict(extra="forbid", strict=False)

    prompt: str = "Analyse this image and describe your findings."
