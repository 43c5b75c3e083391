"""Token ids to text as they come: holds back half a character and whatever may become a stop string."""

from collections.abc import Sequence
from typing import Protocol

# A character of UTF-8 has at most four bytes, so four byte-tokens that make none never will.
_LONGEST_CHARACTER = 4
_REPLACEMENT = "\ufffd"


class Decoder(Protocol):
    def decode(self, ids: Sequence[int], skip_special_tokens: bool = True) -> str: ...


class Detokenizer:
    """Decodes one sequence, a token at a time; the pieces joined are the text of the whole.

    A token's text can depend on its left neighbours (byte tokens make a character together), so each step
    decodes a short window twice, without and with what is new, and gives out the difference. Four bytes that
    make no character are given out as they are, so that garbage cannot hold the text back for ever.
    """

    def __init__(self, tokenizer: Decoder):
        self._tokenizer = tokenizer
        self._window: list[int] = []
        self._given = 0  # tokens of the window whose text has been given out

    def add(self, token: int) -> str:
        self._window.append(token)
        return self._text(final=False)

    def flush(self) -> str:
        """What is still held back when the sequence ends."""
        return self._text(final=True)

    def _text(self, final: bool) -> str:
        before = self._tokenizer.decode(self._window[: self._given], skip_special_tokens=True)
        now = self._tokenizer.decode(self._window, skip_special_tokens=True)
        held = len(self._window) - self._given
        if now.endswith(_REPLACEMENT) and held < _LONGEST_CHARACTER and not final:
            return ""
        self._window = self._window[self._given :]
        self._given = len(self._window)
        return now[len(before) :]


class StopStrings:
    """Cuts a stream of text before the first stop string, wherever the pieces happen to be cut."""

    def __init__(self, stops: Sequence[str]):
        self._stops = tuple(stops)
        self._held = ""
        self.found = False

    def add(self, text: str) -> str:
        """The text that is safe to give out; sets `found` at a stop string and gives nothing after it."""
        if not self._stops or self.found:
            return "" if self.found else text
        self._held += text
        # The one that is complete first, so that it does not matter how the text was cut.
        ends = [(place + len(stop), place) for stop in self._stops if (place := self._held.find(stop)) >= 0]
        if ends:
            self.found = True
            return self._release(min(ends)[1])
        return self._release(len(self._held) - self._possible_start())

    def flush(self) -> str:
        return "" if self.found else self._release(len(self._held))

    def _release(self, length: int) -> str:
        out, self._held = self._held[:length], self._held[length:]
        return out

    def _possible_start(self) -> int:
        """Length of the longest end of the held text that a stop string begins with."""
        longest = min(len(self._held), max(map(len, self._stops)) - 1)
        for length in range(longest, 0, -1):
            if any(stop.startswith(self._held[-length:]) for stop in self._stops):
                return length
        return 0
