"""A chat becomes the messages a model reads: system prompt, alternating roles, harmless text. Pure.

The Gemma template raises on roles that do not alternate, drops a system text without a user turn, and turns
a typed `<end_of_turn>` into a real control token; none of that may reach it.
"""

import base64
import re
from collections.abc import Iterator
from typing import Any

from medserver.chat import Chat, Image, Part, Turn

TEXT_PROMPT = (
    "You are a helpful medical assistant advising a doctor. Answer precisely and in a clear structure, give the "
    "usual units and reference ranges, and name what is uncertain or depends on facts you were not given. Say when "
    "something needs urgent action, and never invent findings, figures or sources."
)
IMAGE_PROMPT = (
    "You are a careful radiology assistant advising a doctor. Describe what is visible in a structured way: "
    "technique and quality, findings, impression. Report only what can be seen, give locations and sides as a "
    "radiologist would, compare images in the order they are given, and say clearly when the image is not good "
    "enough or does not show what is asked."
)

# Text that a Gemma tokenizer would read as one control token. A word joiner after the bracket breaks it: the
# reader sees the same characters, the model sees none of its own.
_CONTROL = re.compile(
    r"(?<=<)(?=(?:bos|eos|pad|unk|mask|start_of_turn|end_of_turn|start_of_image|end_of_image|image_soft_token"
    r"|unused\d+|2mass|s|/s)>)|(?<=\[)(?=(?:@BOS@|multimodal|toxicity)\])"
)
_WORD_JOINER = "\u2060"


def neutralised(text: str) -> str:
    """The same text without anything that the tokenizer takes for a control token."""
    return _CONTROL.sub(_WORD_JOINER, text)


def messages_for(chat: Chat) -> list[dict[str, Any]]:
    """OpenAI messages: one system message at most, then user and assistant in turn, user first."""
    system, turns = _system_text(chat), _alternating(chat.turns)
    messages = [{"role": "system", "content": neutralised(system)}] if system else []
    return messages + [{"role": turn.role, "content": _content(turn)} for turn in turns]


def continues_answer(chat: Chat) -> bool:
    """Whether the last word was the assistant's, so that the model goes on with it."""
    spoken = [turn.role for turn in chat.turns if turn.role != "system"]
    return spoken[-1:] == ["assistant"]


def _system_text(chat: Chat) -> str:
    own = chat.system_prompt
    if own is None:
        own = IMAGE_PROMPT if chat.has_images else TEXT_PROMPT
    theirs = [part for turn in chat.turns if turn.role == "system" for part in turn.parts if isinstance(part, str)]
    return "\n\n".join(filter(None, (text.strip() for text in (own, *theirs))))


def _alternating(turns: tuple[Turn, ...]) -> list[Turn]:
    """Neighbours of one role become one turn; a conversation that the assistant opens gets an empty question."""
    merged: list[Turn] = []
    for turn in turns:
        if turn.role == "system":
            continue
        if merged and merged[-1].role == turn.role:
            merged[-1] = Turn(turn.role, (*merged[-1].parts, *turn.parts))
        else:
            merged.append(turn)
    if not merged or merged[0].role == "assistant":
        merged.insert(0, Turn("user", ("",)))
    return merged


def _content(turn: Turn) -> str | list[dict[str, Any]]:
    parts = list(_joined(turn.parts))
    if all(isinstance(part, str) for part in parts):
        return parts[0] if parts else ""
    return [_image_part(part) if isinstance(part, Image) else {"type": "text", "text": part} for part in parts]


def _joined(parts: tuple[Part, ...]) -> Iterator[Part]:
    """Neighbouring texts become one, because the template would glue them without a space between."""
    texts: list[str] = []
    for part in parts:
        if isinstance(part, str):
            texts.append(neutralised(part))
            continue
        if texts:
            yield "\n\n".join(texts)
            texts = []
        yield part
    if texts:
        yield "\n\n".join(texts)


def _image_part(image: Image) -> dict[str, Any]:
    url = "data:image/png;base64," + base64.b64encode(image.png).decode("ascii")
    return {"type": "image_url", "image_url": {"url": url}}
