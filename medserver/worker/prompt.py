"""Messages to token ids and pixels, with the checkpoint's own template and processor; no model, no device."""

import io
from dataclasses import dataclass
from typing import Any

import PIL.Image
import torch
from jinja2 import TemplateError

from medserver.worker.values import Prompt, WorkerRefusal


@dataclass(frozen=True, slots=True)
class Conversation:
    """`messages` as the template takes them; `pngs` in the order of their `image` parts."""

    messages: list[dict[str, Any]]
    pngs: tuple[bytes, ...]
    continue_final: bool = False


def prepare(conversation: Conversation, processor: Any, *, images: bool) -> Prompt:
    """Render, tokenise and resize. `images`: whether this checkpoint takes any.

    Raises:
        WorkerRefusal: images for a text-only model, or turns the template does not accept.
    """
    if conversation.pngs and not images:
        raise WorkerRefusal("This model reads text only.", "images_not_supported")
    text = _render(conversation, processor)
    # The template already wrote the BOS; letting the tokenizer add its own would double it.
    if not images:
        ids = processor(text, return_tensors="pt", add_special_tokens=False)["input_ids"]
        return Prompt(ids)
    pictures = [[PIL.Image.open(io.BytesIO(png), formats=("PNG",)) for png in conversation.pngs]]
    batch = processor(
        text=text, images=pictures if conversation.pngs else None, return_tensors="pt", add_special_tokens=False
    )
    types = batch.get("token_type_ids")
    if types is None:
        types = torch.zeros_like(batch["input_ids"])
    return Prompt(batch["input_ids"], types, batch.get("pixel_values"))


def _render(conversation: Conversation, processor: Any) -> str:
    messages, opened = conversation.messages, ""
    if conversation.continue_final:
        if not messages or messages[-1]["role"] != "assistant":
            raise WorkerRefusal("continue_final_message needs a last message of the assistant.")
        # Appended by hand: the template trims text, and the newline after the thinking marker matters.
        opened = _plain_text(messages[-1])
        messages = messages[:-1]
    try:
        return processor.apply_chat_template(messages, tokenize=False, add_generation_prompt=True) + opened
    except TemplateError:
        raise WorkerRefusal("The roles of the messages do not alternate between user and assistant.") from None


def _plain_text(message: dict[str, Any]) -> str:
    content = message["content"]
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
