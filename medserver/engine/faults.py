"""An engine's error becomes a problem of ours.

Servers say the same things in different shapes and words. Their words may quote the request, so only those of
our own worker are passed on; of all others the meaning is kept and said in our sentence.
"""

import re
from typing import Any

import orjson

from medserver.engine.dialect import Dialect
from medserver.errors import BadRequest, ContextOverflow, EngineLost, Internal, OutOfMemory, Problem, Unavailable

# vLLM: "maximum context length is", "longer than the maximum model length",
# "max_tokens=5000 cannot be greater than max_model_len=2048" (run).
# SGLang: "is longer than the model's context length", "exceeds the maximum allowed length",
# "max_completion_tokens is too large: 5000" (run). OpenAI: the code.
_NO_ROOM = re.compile(
    r"context[ _](?:length|window)|maximum model length"
    r"|max_(?:completion_)?tokens\b.{0,60}\b(?:must be|cannot be greater|is too large)"
    r"|exceeds the maximum allowed (?:input )?length",
    re.IGNORECASE,
)
_NO_MEMORY = re.compile(r"out of memory|OutOfMemory", re.IGNORECASE)
_DOWN_SECONDS = 5


def problem_from(body: bytes, status: int, dialect: Dialect, context: int | None = None) -> Problem:
    """Our problem for `body`, which came with `status`, from a server whose context holds so many tokens."""
    error = _error(body)
    if dialect.trusted:
        return _our_own(error)
    if isinstance(said := error.get("code"), int) and status == 200:  # in a stream its status is in the error
        status = said
    message = f"{error.get('message')} {error.get('type')} {error.get('code')}"
    if status < 500 and _NO_ROOM.search(message):
        return _overflow(context)
    if not 400 <= status < 500 and _NO_MEMORY.search(message):  # a refusal may quote what was asked
        return OutOfMemory()
    return _by_status(status)


def _error(body: bytes) -> dict[str, Any]:
    """The error object: `{"error": {…}}`, `{"error": "…"}`, `{"detail": …}` or flat."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    if not isinstance(answer, dict):
        return {}
    error = answer.get("error") or answer.get("detail") or answer
    return error if isinstance(error, dict) else {"message": error}


def _our_own(error: dict[str, Any]) -> Problem:
    code, message = error.get("code"), str(error.get("message"))
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


def _overflow(context: int | None) -> ContextOverflow:
    holds = f" of {context} tokens" if context else ""
    return ContextOverflow(f"This conversation is longer than the model's context{holds}. Please shorten it.")


def _by_status(status: int) -> Problem:
    if status in (401, 403):
        return Unavailable("The upstream server refused our key.", retry_after=60)
    if status == 404:
        return Unavailable("The upstream server does not have this model.", retry_after=60)
    if status == 429:
        return Unavailable("The upstream server is fully occupied.", code="queue_full", retry_after=_DOWN_SECONDS)
    if 400 <= status < 500:
        return BadRequest("The model cannot take this request.", code="invalid_request")
    return EngineLost("The upstream server could not answer just now. Please try again shortly.")
