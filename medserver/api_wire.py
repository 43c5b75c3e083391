"""Events and problems as JSON on /api/*; the only room that knows that wire's answers."""

from dataclasses import asdict
from typing import Any

import orjson

from medserver.errors import Problem
from medserver.events import Done, Event, Queued, Thought, Token, Usage


class ApiWire:
    """One answer's frames. They say nothing of each other, so it holds no state."""

    @staticmethod
    def frame(event: Event) -> bytes:
        """One event as one frame. Tokens take the short way: there are thousands of them."""
        if isinstance(event, Token):
            return b'data: {"token":' + orjson.dumps(event.text) + b"}\n\n"
        if isinstance(event, Thought):
            return b'data: {"thinking":' + orjson.dumps(event.text) + b"}\n\n"
        if isinstance(event, Queued):
            return b'data: {"queue":%d}\n\n' % event.ahead
        return b"data: " + orjson.dumps(_ending(event)) + b"\n\n"

    @staticmethod
    def error_frame(problem: Problem) -> bytes:
        return b"data: " + orjson.dumps({"error": problem.sentence, "code": problem.code}) + b"\n\n"

    @staticmethod
    def whole(answer: str, thoughts: str, done: Done) -> dict[str, Any]:
        return {"response": answer, "thinking": thoughts, **_ending(done)}

    @staticmethod
    def refusal(problem: Problem) -> dict[str, Any]:
        return {"detail": problem.sentence, "code": problem.code}


def usage_of(usage: Usage) -> dict[str, int]:
    """Token counts as both wires name them."""
    return asdict(usage) | {"total_tokens": usage.prompt_tokens + usage.completion_tokens}


def _ending(done: Done) -> dict[str, Any]:
    return {"finish_reason": done.reason, "usage": usage_of(done.usage), "timings": asdict(done.timings)}
