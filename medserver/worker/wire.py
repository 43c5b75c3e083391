"""The OpenAI chat-completions wire of the worker: request JSON to values, outputs to JSON.

The only client is MedServer's front (or a test), so what is not understood is ignored, as this wire's
convention has it; what is understood is checked.
"""

import base64
import binascii
import time
from dataclasses import dataclass
from typing import Any

import orjson

from medserver.worker.prompt import Conversation
from medserver.worker.values import Broken, Finished, Generation, WorkerRefusal

STATUS = {"out_of_memory": 507}


@dataclass(frozen=True, slots=True)
class Ask:
    """One parsed request body."""

    conversation: Conversation
    generation: Generation
    stream: bool
    include_usage: bool
    cache_salt: str | None = None


def parse(body: bytes) -> Ask:
    """Read a request body.

    Raises:
        WorkerRefusal: it is no JSON object, or a field has the wrong shape or range.
    """
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise WorkerRefusal("The body is not JSON.") from None
    if not isinstance(fields, dict):
        raise WorkerRefusal("The body is not a JSON object.")
    return Ask(
        _conversation(fields),
        _generation(fields),
        stream=bool(fields.get("stream")),
        include_usage=bool(_object(fields, "stream_options").get("include_usage")),
        cache_salt=_salt(fields.get("cache_salt")),
    )


def _conversation(fields: dict[str, Any]) -> Conversation:
    messages = fields.get("messages")
    if not isinstance(messages, list) or not messages:
        raise WorkerRefusal("messages must be a list that is not empty.")
    pngs: list[bytes] = []
    turns = [_message(message, pngs) for message in messages]
    return Conversation(turns, tuple(pngs), continue_final=bool(fields.get("continue_final_message")))


def _message(message: Any, pngs: list[bytes]) -> dict[str, Any]:
    role, content = (message.get("role"), message.get("content")) if isinstance(message, dict) else (None, None)
    if role not in ("system", "user", "assistant"):
        raise WorkerRefusal("Every message needs a role: system, user or assistant.")
    if isinstance(content, str):
        return {"role": role, "content": content if role == "system" else [{"type": "text", "text": content}]}
    if not isinstance(content, list):
        raise WorkerRefusal("Every message needs content: text or a list of parts.")
    return {"role": role, "content": [_part(part, pngs) for part in content]}


def _part(part: Any, pngs: list[bytes]) -> dict[str, Any]:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind == "text" and isinstance(part.get("text"), str):
        return {"type": "text", "text": part["text"]}
    if kind == "image_url":
        pngs.append(_png(_object(part, "image_url").get("url")))
        return {"type": "image"}
    raise WorkerRefusal("A part is either text or an image_url.")


def _png(url: Any) -> bytes:
    prefix = "data:image/png;base64,"
    if not isinstance(url, str) or not url.startswith(prefix):
        raise WorkerRefusal("Images travel as data:image/png;base64 only.", "bad_image")
    try:
        return base64.b64decode(url[len(prefix) :], validate=True)
    except binascii.Error:
        raise WorkerRefusal("An image is not base64.", "bad_image") from None


def _salt(salt: Any) -> str | None:
    if salt is not None and (not isinstance(salt, str) or not salt):
        raise WorkerRefusal("cache_salt is a string that is not empty.")
    return salt


def _generation(fields: dict[str, Any]) -> Generation:
    return Generation(
        max_tokens=_number(fields, "max_tokens", int, 1, None, None),
        temperature=_number(fields, "temperature", float, 0.0, 100.0, 1.0),
        top_p=_number(fields, "top_p", float, 0.0, 1.0, 1.0),
        top_k=max(0, _number(fields, "top_k", int, -1, None, 0)),
        repetition_penalty=_number(fields, "repetition_penalty", float, 0.01, 100.0, 1.0),
        seed=_number(fields, "seed", int, -(2**63), 2**63 - 1, None),
        stop=_stop(fields.get("stop") or []),
        logit_bias=_logit_bias(_object(fields, "logit_bias")),
        ignore_eos=bool(fields.get("ignore_eos")),
        min_tokens=_number(fields, "min_tokens", int, 0, None, 0),
    )


def _number(fields: dict[str, Any], name: str, kind: type, low, high, default):
    value = fields.get(name)
    if value is None:
        return default
    if not isinstance(value, (int, float)) or isinstance(value, bool) or (kind is int and value != int(value)):
        raise WorkerRefusal(f"{name} is not a number of the right kind.")
    if not value >= low or (high is not None and value > high):
        raise WorkerRefusal(f"{name} is out of range.")
    return kind(value)


def _object(fields: dict[str, Any], name: str) -> dict[str, Any]:
    value = fields.get(name) or {}
    if not isinstance(value, dict):
        raise WorkerRefusal(f"{name} is not an object.")
    return value


def _stop(stop: Any) -> tuple[str, ...]:
    stops = [stop] if isinstance(stop, str) else stop
    if not isinstance(stops, list) or not all(isinstance(one, str) for one in stops):
        raise WorkerRefusal("stop is a string or a list of strings.")
    return tuple(filter(None, stops))


def _logit_bias(bias: dict[str, Any]) -> dict[int, float]:
    try:
        return {int(token): float(value) for token, value in bias.items()}
    except (TypeError, ValueError):
        raise WorkerRefusal("logit_bias maps token ids to numbers.") from None


class Replies:
    """The JSON of one answer: its chunks when it streams, its whole otherwise."""

    def __init__(self, identifier: str, model_id: str):
        self._head = {"id": identifier, "created": int(time.time()), "model": model_id}
        # What is the same in every chunk is written once: there are thousands of them.
        self._before, self._after = self.chunk({"content": "|"}).split(b'"|"')

    def piece(self, text: str) -> bytes:
        return self._before + orjson.dumps(text) + self._after

    def chunk(self, delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        return frame({**self._head, "object": "chat.completion.chunk", "choices": [choice]})

    def usage_chunk(self, finished: Finished) -> bytes:
        body = {**self._head, "object": "chat.completion.chunk", "choices": [], "usage": _usage(finished)}
        return frame(body)

    def whole(self, text: str, finished: Finished) -> dict[str, Any]:
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": finished.reason}
        return {**self._head, "object": "chat.completion", "choices": [choice], "usage": _usage(finished)}


def frame(body: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(body) + b"\n\n"


DONE = b"data: [DONE]\n\n"


def error_body(sentence: str, code: str) -> dict[str, Any]:
    kind = "server_error" if code in ("out_of_memory", "internal") else "invalid_request_error"
    return {"error": {"message": sentence, "type": kind, "param": None, "code": code}}


def broken_body(broken: Broken) -> dict[str, Any]:
    return error_body(broken.sentence, broken.code)


def _usage(finished: Finished) -> dict[str, Any]:
    prompt, completion = finished.prompt_tokens, finished.completion_tokens
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": finished.cached_tokens},
    }
