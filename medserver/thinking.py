"""Splits a model's text into thoughts and answer at its markers; knows no tokens, no wire, no engine.

Text that might be the beginning of a marker is held back until it is known not to be one, so the result
is the same however the stream was cut:

    <unused94>thought\\nIs it the left lung?<unused95>The left lung shows …
    └─ opening ─────┘└─ thought ──────────┘└ close ─┘└─ answer ──────────
"""

from collections.abc import Iterator

from medserver.events import Thought, Token
from medserver.models import ThinkingMarkers


class ThinkingSplitter:
    """Feed it pieces, get events; `thinking` says on which side of the markers the text stands now."""

    def __init__(self, markers: ThinkingMarkers, *, thinking: bool = False):
        self._markers = markers
        self._firsts = frozenset(marker[0] for marker in self._both)
        self._held = ""
        # After an opening marker comes the word "thought", which is part of the format and not of the thought.
        self._in_preamble = False
        self.thinking = thinking

    def feed(self, text: str) -> Iterator[Thought | Token]:
        if not self._held and not self._in_preamble and self._firsts.isdisjoint(text):
            # Nearly all text: nothing in it can be, or begin, a marker.
            if text:
                yield Thought(text) if self.thinking else Token(text)
            return
        self._held += text
        while self._held:
            if self._in_preamble and not self._skip_preamble():
                return
            found = [(at, marker) for marker in self._both if (at := self._held.find(marker)) >= 0]
            if not found:
                break
            at, marker = min(found)
            yield from self._give(at)
            self._held = self._held[len(marker) :]
            # One that changes nothing, a second opening or a closing in the answer, is dropped all the same.
            self._in_preamble = self.thinking = marker == self._markers.open
        yield from self._give(len(self._held) - self._possible_start())

    def flush(self) -> Iterator[Thought | Token]:
        """The end of the text: what was held back was no marker after all."""
        if self._in_preamble:
            self._held = "" if self._markers.preamble.startswith(self._held) else self._held
            self._in_preamble = False
        yield from self._give(len(self._held))

    @property
    def _both(self) -> tuple[str, str]:
        return self._markers.open, self._markers.close

    def _give(self, length: int) -> Iterator[Thought | Token]:
        text, self._held = self._held[:length], self._held[length:]
        if text:
            yield Thought(text) if self.thinking else Token(text)

    def _skip_preamble(self) -> bool:
        """True when it has been decided whether the preamble is there."""
        preamble = self._markers.preamble
        if len(self._held) < len(preamble) and preamble.startswith(self._held):
            return False
        self._held = self._held.removeprefix(preamble)
        self._in_preamble = False
        return True

    def _possible_start(self) -> int:
        """Length of the longest end of the held text that a marker begins with."""
        longest = max(map(len, self._both)) - 1
        for length in range(min(len(self._held), longest), 0, -1):
            if any(marker.startswith(self._held[-length:]) for marker in self._both):
                return length
        return 0
