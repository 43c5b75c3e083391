"""The chunks of one streamed answer become text and an end; it knows JSON, no connection and no time."""

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from medserver.engine.base import Delta, End
from medserver.engine.dialect import Dialect
from medserver.engine.faults import problem_from
from medserver.errors import EngineLost, Problem
from medserver.events import Usage
from medserver.models import ThinkingMarkers

_REASONS = {"length": "length", "abort": None, "error": None}  # all others are as good as `stop`

# An echo is text of the turn's last few tokens (design facts). One that is shorter, or all figures, is rather the
# model's: "10" that goes on with "00 mg" must become 1000.
ECHO_LONGEST = 160
ECHO_SHORTEST = 3


class Answer:
    """Feed it the payloads of one answer, ask for its end; `begun` is the turn that is continued, if any is."""

    def __init__(self, dialect: Dialect, markers: ThinkingMarkers, begun: str | None = None):
        self._dialect = dialect
        self._echo = Echo(begun) if begun and dialect.echoes_turn else None
        self._voice = Voice(markers)
        self._reason: str | None = None
        self._usage: Usage | None = None

    def read(self, payloads: Iterable[bytes]) -> Iterator[Delta]:
        """The text in chunks that came together, as one.

        Raises:
            Problem: after the text before it: the engine failed, or what it says makes no sense.
        """
        texts: list[str] = []
        problem: Problem | None = None
        try:
            texts.extend(filter(None, map(self._read, payloads)))
        except Problem as found:
            problem = found
        if texts:
            yield Delta("".join(texts), len(texts))
        if problem:
            raise problem

    def _read(self, payload: bytes) -> str:
        try:
            chunk = orjson.loads(payload)
            if chunk.get("error") or chunk.get("object") == "error":
                raise problem_from(payload, 200, self._dialect)
            if given := chunk.get("usage"):
                self._usage = Usage(int(given["prompt_tokens"]), int(given["completion_tokens"]))
            return "".join(map(self._text, chunk.get("choices") or ()))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise EngineLost() from None

    def close(self) -> Iterator[Delta | End]:
        """What was held back, and the end where the engine has come to one."""
        if self._echo and (text := self._echo.flush()):
            yield Delta(self._voice.said(text))
        if self._reason:
            yield End(self._reason, self._usage)

    def _text(self, choice: dict[str, Any]) -> str:
        if reason := choice.get("finish_reason"):
            self._reason = _REASONS.get(reason, "stop")
            if self._reason is None:
                raise EngineLost()
        delta = choice.get("delta") or {}
        content = delta.get("content") or ""
        if self._echo and content:
            content = self._echo.feed(content)
        thought = delta.get("reasoning_content") or delta.get("reasoning") or ""
        return self._voice.thought(thought) + self._voice.said(content)


class Voice:
    """Puts thoughts that come in a field of their own back between the markers, where the house expects them."""

    def __init__(self, markers: ThinkingMarkers):
        self._markers = markers
        self._thinking = False

    def thought(self, text: str) -> str:
        if not text or self._thinking:
            return text
        self._thinking = True
        return self._markers.opening + text

    def said(self, text: str) -> str:
        if not text or not self._thinking:
            return text
        self._thinking = False
        return self._markers.close + text


class Echo:
    """Takes an exact echo of the end of `turn` off the beginning of an answer; holds text only while it matches."""

    def __init__(self, turn: str):
        # A template may have trimmed the turn before the engine saw it.
        self._ends = tuple({turn[-ECHO_LONGEST:], turn.rstrip()[-ECHO_LONGEST:]})
        self._held = ""
        self._listening = True

    def feed(self, text: str) -> str:
        """The text that is certainly the answer's."""
        if not self._listening:
            return text
        self._held += text
        if any(self._held in end for end in self._ends):
            return ""
        return self.flush()

    def flush(self) -> str:
        """The end, or the first text that matches no more: the longest echo goes, the rest is the answer's."""
        held, self._held, self._listening = self._held, "", False
        longest = max((size for end in self._ends for size in _overlaps(end, held)), default=0)
        return held[longest:]


def _overlaps(end: str, text: str) -> Iterator[int]:
    """Lengths at which `end` ends as `text` begins, as far as they count as an echo."""
    for size in range(ECHO_SHORTEST, min(len(end), len(text)) + 1):
        if end.endswith(text[:size]) and any(map(str.isalpha, text[:size])):
            yield size
