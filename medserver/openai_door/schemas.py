"""The shape of a chat completion request as pydantic models; limits and meaning belong to completion and intake.

A null is as good as nothing here, and unknown fields are ignored: clients send what other servers know.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from medserver.chat import Thinking
from medserver.schemas import Finite, Seed


class Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, fields: Any) -> Any:
        if not isinstance(fields, dict):
            return fields
        return {name: value for name, value in fields.items() if value is not None}


class ImageUrl(Wire):
    """Of its `detail` nothing is made: these models see every image at one size."""

    url: str


class Part(Wire):
    """Kinds that are not taken are refused by name later, so that the sentence can say which it was."""

    type: str
    text: str | None = None
    image_url: ImageUrl | None = None


# Told apart by its shape, so that a wrong part is not reported as a wrong string.
Content = Annotated[
    Annotated[str, Tag("plain text")] | Annotated[list[Part], Tag("list of parts")],
    Discriminator(lambda content: "list of parts" if isinstance(content, list) else "plain text"),
]


class Message(Wire):
    role: Literal["system", "developer", "user", "assistant"]
    content: Content | None = None
    tool_calls: list[Any] | None = None


class StreamOptions(Wire):
    include_usage: bool = False


class TemplateOptions(Wire):
    """The switch for thinking as other servers have it: an argument of the chat template."""

    enable_thinking: bool | None = None


class CompletionRequest(Wire):
    messages: list[Message] = Field(min_length=1)
    model: str | None = None
    stream: bool = False
    stream_options: StreamOptions = StreamOptions()
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    min_tokens: int = Field(0, ge=0)
    ignore_eos: bool = False
    temperature: Finite | None = None
    top_p: Finite | None = None
    top_k: int = Field(0, ge=-1, le=1_000_000)
    repetition_penalty: Finite | None = None
    seed: Seed | None = None
    stop: list[str] | str | None = None
    thinking: Thinking | None = None
    chat_template_kwargs: TemplateOptions = TemplateOptions()
