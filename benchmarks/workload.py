"""What the clients ask: the same conversations for every peer, each as the body of one chat completion.

Every conversation begins with words of its own, so that what a peer keeps of one is of no use to another unless the
measurement means it to be.
"""

import base64
import io
import itertools
import random
from typing import Any

import PIL.Image

Body = dict[str, Any]

_SAID = """
left lung shows bright opacity upper zone right costophrenic angle clear effusion heart normal size
describe findings impression uncertain image prior current film compare medical question report
"""
_WORDS = _SAID.split()
fresh = itertools.count()


def words(count: int, seed: int) -> str:
    drawn = random.Random(seed)
    return " ".join(drawn.choice(_WORDS) for _ in range(count))


def text(prompt_words: int = 40) -> list[Body]:
    """One turn that nobody has asked before."""
    seed = next(fresh)
    return [{"role": "user", "content": words(prompt_words, seed)}]


def image_url(seed: int, side: int = 256) -> str:
    """A picture of its own for each `seed`: four blocks of grey."""
    drawn = random.Random(seed)
    small = PIL.Image.new("L", (4, 4))
    small.putdata([drawn.randrange(256) for _ in range(16)])
    out = io.BytesIO()
    small.resize((side, side)).convert("RGB").save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


def image(seed: int | None = None) -> list[Body]:
    """A question about one image; without `seed` about one that nobody has seen before."""
    number = next(fresh) if seed is None else seed
    url = {"type": "image_url", "image_url": {"url": image_url(number)}}
    return [{"role": "user", "content": [url, {"type": "text", "text": words(20, next(fresh))}]}]


def follow_up(messages: list[Body], answer: str) -> list[Body]:
    """The next turn of a chat."""
    asked = {"role": "user", "content": words(15, next(fresh))}
    return [*messages, {"role": "assistant", "content": answer.strip() or "none"}, asked]


def afresh(messages: list[Body]) -> list[Body]:
    """The same chat, as far as its length goes, of somebody whose first word was another."""
    first, *rest = messages
    return [{**first, "content": words(1, next(fresh)) + f" {next(fresh)} " + first["content"]}, *rest]


def body(messages: list[Body], tokens: int, model: str | None, *, strict: bool = False) -> Body:
    """`tokens` exactly, drawn greedily. `strict`: for a peer that refuses what is not in OpenAI's own request."""
    asked = {"messages": messages, "max_tokens": tokens, "temperature": 0, "stream": True}
    asked["stream_options"] = {"include_usage": True}
    # The checkpoint never ends by itself, but a front that stops repetition would.
    return asked | ({"model": model} if model else {}) | ({} if strict else {"ignore_eos": True})
