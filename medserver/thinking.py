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
        self._held = ""
        # After an opening marker comes the word "thought", which is part of the format and not of the thought.
        self._in_preamble = False
        self.thinking = thinking

    def feed(self, text: str) -> Iterator[Thought | Token]:
        self._held += text
        while self._held:
            if self._in_preamble and not self._skip_preamble():
                return
            at = self._held.find(self._marker)
            if at < 0:
                break
            yield from self._give(at)
            self._held = self._held[len(self._marker) :]
            self._in_preamble = self.thinking = not self.thinking
        yield from self._give(len(self._held) - self._possible_start(self._marker))

    def flush(self) -> Iterator[Thought | Token]:
        """The end of the text: what was held back was no marker after all."""
        if self._in_preamble:
            self._held = "" if self._markers.preamble.startswith(self._held) else self._held
            self._in_preamble = False
        yield from self._give(len(self._held))

    @property
    def _marker(self) -> str:
        return self._markers.close if self.thinking else self._markers.open

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

    def _possible_start(self, marker: str) -> int:
        """Length of the longest end of the held text that `marker` begins with."""
        for length in range(min(len(self._held), len(marker) - 1), 0, -1):
            if marker.startswith(self._held[-length:]):
                return length
        return 0
