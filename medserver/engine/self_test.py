"""Asks a freshly started engine one text and one image question; it knows no rows and no processes.

An engine whose numbers overflow answers its health probe all the same: only an answer shows it.
"""

import asyncio
import base64
import math
import struct
import zlib
from typing import Any

import aiohttp
import orjson

SECONDS = aiohttp.ClientTimeout(total=600)  # the first answer may wait for kernels to be compiled
TOKENS = 4


class SelfTestFailed(Exception):
    """The message is the sentence why."""


async def self_test(session: aiohttp.ClientSession, model: str, *, images: bool) -> None:
    """Ask, and look at the answers.

    Raises:
        SelfTestFailed: no answer, an empty one, or one that was drawn from numbers that are not finite.
    """
    await _ask(session, model, "text", "Say hello.")
    if images:
        picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + _picture()}}
        await _ask(session, model, "image", [picture, {"type": "text", "text": "What is this?"}])


async def _ask(session: aiohttp.ClientSession, model: str, kind: str, content: Any) -> None:
    asked = {
        "model": model,
        "messages": [{"role": "user", "content": content}],
        "max_tokens": TOKENS,
        "min_tokens": TOKENS,
        "temperature": 0,
        "logprobs": True,
    }
    try:
        async with session.post("v1/chat/completions", json=asked, timeout=SECONDS, allow_redirects=False) as response:
            status, said = response.status, await response.read()
    except (aiohttp.ClientError, ConnectionError, asyncio.TimeoutError):
        raise SelfTestFailed(f"The self-test failed: no answer to a question about {_A[kind]}.") from None
    if status != 200:
        raise SelfTestFailed(f"The self-test failed: a question about {_A[kind]} was answered with status {status}.")
    if not _sound(said):
        raise SelfTestFailed(f"The self-test failed: the answer about {_A[kind]} is empty or not finite.")


_A = {"text": "words", "image": "an image"}


def _sound(said: bytes) -> bool:
    """Whether there is an answer of some tokens, each with a probability that is a number."""
    try:
        [choice] = orjson.loads(said)["choices"]
        drawn = [token["logprob"] for token in choice["logprobs"]["content"]]
        return bool(drawn) and all(isinstance(one, (int, float)) and math.isfinite(one) for one in drawn)
    except (ValueError, KeyError, TypeError):
        return False


def _picture(side: int = 64) -> str:
    """A small PNG in base64, a ramp from black to white (PNG specification, sections 5 and 11)."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    row = b"\0" + b"".join(bytes([255 * x // (side - 1)] * 3) for x in range(side))
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    png = (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(row * side)) + chunk(b"IEND", b"")
    )
    return base64.b64encode(png).decode()
