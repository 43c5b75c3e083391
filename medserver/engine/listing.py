"""What an OpenAI-compatible server says of its models and its tokenizer; nothing is decided here."""

import asyncio
from typing import Any

import aiohttp
import orjson

from medserver.models import ThinkingMarkers

PROBE = aiohttp.ClientTimeout(total=10)


def entries(said: bytes) -> list[dict[str, Any]]:
    """The models of a listing that have an id; nothing where it is no listing."""
    try:
        listed = orjson.loads(said)["data"]
    except (ValueError, KeyError, TypeError):
        return []
    if not isinstance(listed, list):
        return []
    return [one for one in listed if isinstance(one, dict) and isinstance(one.get("id"), str)]


def context_of(entry: dict[str, Any]) -> int | None:
    """Tokens that fit into this model's context, where its entry tells."""
    length = entry.get("max_model_len")
    return length if isinstance(length, int) and length > 0 else None


async def marker_ids(
    session: aiohttp.ClientSession, model: str, markers: ThinkingMarkers
) -> tuple[int | None, int | None]:
    """The token ids of the two markers, where the server has a tokenizer to ask and they are one token in it."""
    return await _token(session, model, markers.open), await _token(session, model, markers.close)


async def _token(session: aiohttp.ClientSession, model: str, marker: str) -> int | None:
    asked = {"model": model, "prompt": marker, "add_special_tokens": False}
    try:
        async with session.post("tokenize", json=asked, timeout=PROBE, allow_redirects=False) as response:
            tokens = orjson.loads(await response.read())["tokens"] if response.status == 200 else ()
    except (aiohttp.ClientError, ConnectionError, asyncio.TimeoutError, ValueError, KeyError, TypeError):
        return None
    return tokens[0] if isinstance(tokens, list) and len(tokens) == 1 and isinstance(tokens[0], int) else None
