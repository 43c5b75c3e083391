"""Events as OpenAI's chunks, or as one completion; the only room that knows that wire's answers.

What the wire has no word for travels where no client trips over it: the queue in comments, our own reason of
the end and the timings in one extra field, `medserver`, beside the finish reason.
"""

import time
from dataclasses import asdict
from typing import Any

import orjson

from medserver.api_wire import usage_of
from medserver.errors import Problem
from medserver.events import Done, Event, Queued, Thought, Token
from medserver.openai_door import problems

# A loop that was cut or work that was cancelled has no name on this wire; `medserver` says which it was.
_REASONS = {"stop": "stop", "length": "length", "repetition": "stop", "cancelled": "stop"}


class OpenAIWire:
    """One answer. `include_usage` adds a last chunk with the token counts, and a null in all others."""

    def __init__(self, request_id: str, model_id: str, *, include_usage: bool = False):
        self._head = {"id": f"chatcmpl-{request_id}", "created": int(time.time()), "model": model_id}
        self._include_usage = include_usage
        # All that is the same in every chunk is written once: there are thousands of them.
        self._before = b"data: " + orjson.dumps(self._chunk_head())[:-1] + b',"choices":[{"index":0,"delta":'
        self._after = b',"finish_reason":null}]' + (b',"usage":null' if include_usage else b"") + b"}\n\n"
        self._role = self._before + b'{"role":"assistant","content":""}' + self._after

    def frame(self, event: Event) -> bytes:
        """One event. The first that says something comes after the chunk with the role."""
        if isinstance(event, Queued):
            return b": queue %d\n\n" % event.ahead
        role, self._role = self._role, b""
        if isinstance(event, Token):
            return role + self._before + b'{"content":' + orjson.dumps(event.text) + b"}" + self._after
        if isinstance(event, Thought):
            return role + self._before + b'{"reasoning_content":' + orjson.dumps(event.text) + b"}" + self._after
        return role + self._ending(event)

    @staticmethod
    def error_frame(problem: Problem) -> bytes:
        return _framed(problems.body(problem))

    def whole(self, answer: str, thoughts: str, done: Done) -> dict[str, Any]:
        message = {"role": "assistant", "content": answer, "reasoning_content": thoughts or None, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _REASONS[done.reason]}
        usage = {"usage": usage_of(done.usage), "medserver": _extra(done)}
        return {**self._head, "object": "chat.completion", "choices": [choice], **usage}

    def _ending(self, done: Done) -> bytes:
        choice = {"index": 0, "delta": {}, "finish_reason": _REASONS[done.reason]}
        head, no_usage = self._chunk_head(), {"usage": None} if self._include_usage else {}
        last = _framed({**head, "choices": [choice], **no_usage, "medserver": _extra(done)})
        if not self._include_usage:
            return last
        return last + _framed({**head, "choices": [], "usage": usage_of(done.usage)})

    def _chunk_head(self) -> dict[str, Any]:
        return {**self._head, "object": "chat.completion.chunk"}


def _extra(done: Done) -> dict[str, Any]:
    return {"finish_reason": done.reason, "timings": asdict(done.timings)}


def _framed(body: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(body) + b"\n\n"
