"""An OpenAI request becomes a `ChatRequest`: the same wire shape that /api/chat has, so that one intake serves both.

These clients bring their own messages, and a system message where they want one: the server's own system
prompts are not added to what they ask.
"""

from dataclasses import dataclass
from typing import Any

from medserver import config
from medserver.chat import Role, Thinking
from medserver.errors import BadRequest, InvalidRequest
from medserver.forms import validated
from medserver.openai_door import schemas, unsupported
from medserver.openai_door.schemas import CompletionRequest
from medserver.schemas import ChatRequest, ContentPart, ImagePart, Message, TextPart

_ROLES: dict[str, Role] = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
_SAME = ("temperature", "top_p", "repetition_penalty", "seed", "stop", "min_tokens", "ignore_eos")
# Named in a refusal when they come; any other kind is outside text, which no sentence of ours repeats.
_OTHER_KINDS = {"audio_url", "file", "input_audio", "input_file", "input_image", "input_text", "refusal", "video_url"}


@dataclass(frozen=True, slots=True)
class Completion:
    """One request understood: the chat, and how the answer is to come."""

    chat: ChatRequest
    stream: bool
    include_usage: bool


def understood(fields: object) -> Completion:
    """Read what a client sent.

    Raises:
        InvalidRequest: a field is wrong; the sentence names it.
        BadRequest: it asks for what this server cannot do, or an image is no data: URL.
    """
    if isinstance(fields, dict):
        unsupported.check(fields)
    asked = validated(CompletionRequest, fields)
    return Completion(_chat(asked), asked.stream, asked.stream_options.include_usage)


def _chat(asked: CompletionRequest) -> ChatRequest:
    return ChatRequest(
        messages=[_message(f"messages.{index}", message) for index, message in enumerate(asked.messages)],
        system_prompt="",
        model=asked.model,
        thinking=_thinking(asked),
        max_tokens=asked.max_completion_tokens or asked.max_tokens or config.DEFAULT_MAX_TOKENS,
        top_k=max(0, asked.top_k),  # -1 is how vLLM writes "all"
        **{name: getattr(asked, name) for name in _SAME},
    )


def _thinking(asked: CompletionRequest) -> Thinking:
    switch = asked.chat_template_kwargs.enable_thinking
    return asked.thinking or ("auto" if switch is None else "on" if switch else "off")


def _message(place: str, message: schemas.Message) -> Message:
    """The message with its images apart and a mark where each of them stood."""
    if message.tool_calls:
        unsupported.refuse(f"{place}.tool_calls")
    content = message.content
    if content is None and message.role != "assistant":
        raise InvalidRequest(f"{place}.content: Field required", field=f"{place}.content")
    if not isinstance(content, list):
        return Message(role=_ROLES[message.role], content=content or "")
    images: list[str] = []
    parts = [_part(f"{place}.content.{index}", part, images) for index, part in enumerate(content)]
    if images and message.role != "user":
        raise InvalidRequest(f"{place}.content: only a user's message carries images.", field=f"{place}.content")
    return Message(role=_ROLES[message.role], content=parts, image_data=images)


def _part(place: str, part: schemas.Part, images: list[str]) -> ContentPart:
    if part.type == "text":
        return TextPart(type="text", text=_given(f"{place}.text", part.text))
    if part.type != "image_url":
        kind = part.type if part.type in _OTHER_KINDS else "this type"
        sentence = f"{place}: a part is text or image_url; {kind} is not supported."
        raise BadRequest(sentence, code="unsupported_parameter", field=f"{place}.type")
    url = _given(f"{place}.image_url", part.image_url).url
    if url[:5].lower() != "data:":
        sentence = f"{place}: images must be data: URLs; this server fetches none and opens no files."
        raise BadRequest(sentence, code="bad_image", field=f"{place}.image_url.url")
    images.append(url)
    return ImagePart(type="image")


def _given(place: str, value: Any) -> Any:
    if value is None:
        raise InvalidRequest(f"{place}: Field required", field=place)
    return value
