"""Guesses how a sequence goes on, from what it has said or been told before; it asks no model.

Prompt lookup (Saxena, 2023, "Prompt lookup decoding"): where the last three tokens stood before, what followed them
then is likely to follow now, as in a letter that is rewritten or a list that is gone through again. A step that is
bound by reading weights checks several tokens in about the time of one.
"""

from collections.abc import Iterable

REACH = 3  # tokens that must be the same
MOST = 8  # tokens guessed at once
# After guesses that were all wrong, so many tokens go by without one: 1, 2, 4 … so that text which only looks like
# what was before costs next to nothing.
LONGEST_PAUSE = 64


class Lookup:
    """One sequence's text so far and where each three tokens of it stood last.

    `ids`: its tokens; a negative one is no text (an image's), and is neither matched nor guessed.
    """

    def __init__(self, ids: Iterable[int]):
        self._ids: list[int] = []
        self._after: dict[tuple[int, ...], int] = {}  # the last place that followed these three
        self._width = 4
        self._pause = 0
        self._next_pause = 1
        for token in ids:
            self.add(token)

    def add(self, token: int) -> None:
        before = tuple(self._ids[-REACH:])
        if len(before) == REACH and min(before) >= 0:
            self._after[before] = len(self._ids)
        self._ids.append(token)

    def guess(self, most: int) -> list[int]:
        """At most `most` tokens that may come next; none where nothing is known or guessing has not paid."""
        if self._pause:
            self._pause -= 1
            return []
        start = self._after.get(tuple(self._ids[-REACH:]))
        if start is None:
            return []
        guessed = self._ids[start : start + min(self._width, most)]
        pictured = (at for at, token in enumerate(guessed) if token < 0)
        return guessed[: next(pictured, len(guessed))]

    def learn(self, guessed: int, right: int) -> None:
        """Guess more after what was right to the end, less or later after what was not."""
        if right == guessed:
            self._width = min(MOST, 2 * self._width)
        else:
            self._width = max(2, right + 1)
        if right:
            self._next_pause = 1
        else:
            self._pause = self._next_pause
            self._next_pause = min(LONGEST_PAUSE, 2 * self._next_pause)
