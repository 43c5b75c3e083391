"""Notices that a text has begun to run in circles; it knows characters, and nothing of who writes them.

The end of a text is a loop when it repeats itself with some period `p` over at least `needs(p)` characters:

    … no consolidation. No effusion. No effusion. No effusion. No effusion. No effusion.
                        └── p ─────┘
                        └── at least 160 characters, and four periods, of tables six ───┘

Figures that count up, or any other difference between two lines, end a loop. Nor is one what holds no words: rules,
empty table cells, columns of zeros.

A Z-function over the last 2400 characters finds the same periods (design facts), but takes half a millisecond in
Python. Here the search goes the other way: whatever the period, the last `_shortest` characters of a loop stand once
more one period before, so their nearest earlier copies are the only periods to be looked at.
"""

from dataclasses import dataclass
from functools import cache
from math import ceil

DEFAULT_SENSITIVITY = 5
MAX_SENSITIVITY = 10
CHECK_EVERY = 40  # characters: ten tokens or so, and less than a quarter of the shortest loop
_WINDOW = 2400
_LENGTH = 160
_REPEATS, _TABLE_REPEATS = 4.0, 6.0
_FEWEST = 3.0  # what is said twice is said twice, at any sensitivity
_LETTERS = 2


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What makes a loop: `length` in characters, `repeats` of its period, `table_repeats` where it holds cells."""

    length: int
    repeats: float
    table_repeats: float
    window: int

    @classmethod
    @cache
    def of(cls, sensitivity: int) -> "Thresholds":
        """5 is as measured; each five steps up halve what is needed, each five down double it."""
        scale = 2 ** ((DEFAULT_SENSITIVITY - sensitivity) / 5)
        return cls(
            length=round(_LENGTH * scale),
            repeats=max(_FEWEST, _REPEATS * scale),
            table_repeats=max(_FEWEST + 1, _TABLE_REPEATS * scale),
            window=round(_WINDOW * max(1.0, scale)),
        )

    def needed(self, period: str) -> int:
        repeats = self.table_repeats if "|" in period or "\t" in period else self.repeats
        return max(self.length, ceil(repeats * len(period)))

    @property
    def copied(self) -> int:
        """Characters at the end of any loop that stand once more a period before: at worst of all periods."""
        return self.length - ceil(self.length / self.repeats)


class LoopGuard:
    """Feed it a text piece by piece. `sensitivity` 0 never finds anything."""

    def __init__(self, sensitivity: int = DEFAULT_SENSITIVITY):
        self._thresholds = Thresholds.of(sensitivity) if sensitivity > 0 else None
        self._tail = ""
        self._new: list[str] = []
        self._unchecked = 0

    def loops(self, text: str) -> bool:
        """Whether the text is a loop now that it goes on with `text`."""
        if self._thresholds is None:
            return False
        self._new.append(text)
        self._unchecked += len(text)
        if self._unchecked < CHECK_EVERY:
            return False
        self._tail = (self._tail + "".join(self._new))[-self._thresholds.window :]
        self._new.clear()
        self._unchecked = 0
        return loop_at_end(self._tail, self._thresholds)


def loop_at_end(text: str, thresholds: Thresholds) -> bool:
    """Whether `text` ends in a loop: its smallest period that repeats often enough holds words."""
    size = len(text)
    end = text[-thresholds.copied :]
    at = text.rfind(end, 0, size - 1)
    while at >= 0:
        period = text[at + len(end) :]
        needed = thresholds.needed(period)
        if needed <= size and text.endswith(text[size - needed : -len(period)]):
            return _holds_words(period)
        at = text.rfind(end, 0, at + len(end) - 1)
    return False


def _holds_words(period: str) -> bool:
    return sum(map(str.isalpha, period)) >= min(_LETTERS, len(period))
