"""The OpenAI wire, spoken to an engine: one request becomes deltas and an end, or one of our problems."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import orjson

from medserver.engine.base import Ask, Delta, End, EngineFacts
from medserver.errors import BadRequest, ContextOverflow, EngineLost, Internal, OutOfMemory, Problem, Unavailable
from medserver.events import Usage


class EngineClient:
    """Talks to one running engine. `session` carries the base URL and the secret key."""

    def __init__(self, session: aiohttp.ClientSession, model_id: str, facts: EngineFacts):
        self._session = session
        self._model_id = model_id
        self.facts = facts

    async def stream(self, ask: Ask) -> AsyncIterator[Delta | End]:
        """Answer one ask. Closing this iterator closes the connection, and with that the work stops.

        Raises:
            EngineProblem, BadRequest, Unavailable: the engine refused, failed or went away.
        """
        try:
            async with self._session.post("/v1/chat/completions", data=self._body(ask)) as response:
                if response.status != 200:
                    raise problem_from(await response.read())
                async for item in _items(response.content):
                    yield item
                    if isinstance(item, End):
                        return
        except (aiohttp.ClientError, ConnectionError, asyncio.TimeoutError):
            raise EngineLost() from None
        raise EngineLost()  # the stream ended without saying why

    def _body(self, ask: Ask) -> bytes:
        sampling = ask.sampling
        body: dict[str, Any] = {
            "model": self._model_id,
            "messages": ask.messages,
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": ask.max_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "repetition_penalty": sampling.repetition_penalty,
        }
        if sampling.top_k:
            body["top_k"] = sampling.top_k
        if sampling.seed is not None:
            body["seed"] = sampling.seed
        if sampling.stop:
            body["stop"] = sampling.stop
        if ask.logit_bias:
            body["logit_bias"] = {str(token): bias for token, bias in ask.logit_bias.items()}
        if ask.continue_final:
            body |= {"continue_final_message": True, "add_generation_prompt": False}
        return orjson.dumps(body)


async def _items(content: aiohttp.StreamReader) -> AsyncIterator[Delta | End]:
    """Deltas as they come; the end once its usage has come too, which is a chunk of its own."""
    reason: str | None = None
    usage: Usage | None = None
    async for payload in _payloads(content):
        if payload == b"[DONE]":
            break
        chunk = orjson.loads(payload)
        if "error" in chunk:
            raise problem_from(payload)
        if given := chunk.get("usage"):
            usage = Usage(given["prompt_tokens"], given["completion_tokens"])
        for choice in chunk.get("choices", ()):
            if text := choice["delta"].get("content"):
                yield Delta(text)
            reason = choice.get("finish_reason") or reason
    if reason is not None:
        yield End(reason, usage)


async def _payloads(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """The `data:` of each event, from chunks that are cut anywhere."""
    held = b""
    async for chunk in content.iter_any():
        *lines, held = (held + chunk).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                yield line[5:].strip()


def problem_from(body: bytes) -> Problem:
    """Our problem for an engine's error. Only known codes keep their words; others may quote the request."""
    try:
        answer = orjson.loads(body)
        error = answer.get("error", answer)
        code, message = error.get("code"), str(error.get("message"))
    except (orjson.JSONDecodeError, AttributeError):
        return Internal()
    if code == "context_overflow":
        return ContextOverflow(message)
    if code == "out_of_memory":
        return OutOfMemory()
    if code == "loading":
        return Unavailable("The model is still loading.", code="loading", retry_after=5)
    if code == "invalid_request":
        return BadRequest("The model cannot take this request.", code=code)
    if code in ("images_not_supported", "bad_image"):
        return BadRequest(message, code=code)
    return Internal()
