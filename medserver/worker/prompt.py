"""Messages to token ids and pixels, with the checkpoint's own template and processor; no model, no device."""

import hashlib
import io
from dataclasses import dataclass
from typing import Any

import PIL.Image
import torch
from jinja2 import TemplateError

from medserver.worker.values import ImageSpan, Prompt, WorkerRefusal


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
        return Prompt(ids, repeated=_repeated(conversation, ids[0], processor))
    pictures = [PIL.Image.open(io.BytesIO(png), formats=("PNG",)).convert("RGB") for png in conversation.pngs]
    batch = processor(text=text, images=[pictures] if pictures else None, return_tensors="pt", add_special_tokens=False)
    types = batch.get("token_type_ids")
    if types is None:
        types = torch.zeros_like(batch["input_ids"])
    ids, pixels = batch["input_ids"], batch.get("pixel_values")
    repeated = _repeated(conversation, ids[0], processor.tokenizer)
    return Prompt(ids, types, pixels, _images(types[0], pictures), repeated)


def _images(types: torch.Tensor, pictures: list[PIL.Image.Image]) -> tuple[ImageSpan, ...]:
    """`types`: 1 where an image token stands. Between two images there is always a marker, so each is one run."""
    if not pictures:
        return ()
    edges = torch.nn.functional.pad(types == 1, (1, 1)).int().diff()
    firsts, afters = (edges == 1).nonzero().flatten().tolist(), (edges == -1).nonzero().flatten().tolist()
    return tuple(ImageSpan(*image) for image in zip(firsts, afters, map(_digest, pictures), strict=True))


def _digest(picture: PIL.Image.Image) -> bytes:
    """Of what the processor was given, a byte for each channel of a pixel: what it makes of it has four."""
    digest = hashlib.blake2b(f"{picture.size} ".encode(), digest_size=16)
    digest.update(picture.tobytes())
    return digest.digest()


def _repeated(conversation: Conversation, ids: torch.Tensor, tokenizer: Any) -> int | None:
    """Where the answer is begun for the model, the next turn may have it otherwise: thoughts are not sent back."""
    if not conversation.continue_final:
        return None
    ends = (ids == tokenizer.convert_tokens_to_ids("<end_of_turn>")).nonzero()
    return int(ends[-1]) + 1 if len(ends) else None


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
