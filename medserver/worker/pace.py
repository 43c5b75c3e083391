"""How much of the waiting prompts may run between two steps of those who are already answering; it knows times only."""

# In tokens. Alone a prompt waits for nobody, so its pieces are only as small as its masks should be.
ALONE = 1024
LARGEST = 512
SMALLEST = 32
FIRST = 32
# After so many steps with a piece beside them comes one without, to be timed.
FORGOTTEN = 16
# For each prompt that waits, what is prefilled between two steps may take so many of them. No piece takes just what the
# last one did: the 99th percentile of the gaps between tokens was 2.8 medians as a prompt of 2,000 tokens joined four
# answers, and 3.0 with a whole step, for 5 % of that prompt's own time (16 and 24 runs).
PATIENCE = 0.75
# But no longer than this, in seconds, however many wait: a text that is being read goes on.
LONGEST_PAUSE = 0.25


class Pace:
    """Follows the seconds of decode steps and of pieces, so that a piece takes `PATIENCE` decode steps."""

    def __init__(self) -> None:
        self._step = 0.0
        self._rows = self._since = 0
        self._tokens = float(FIRST)

    def tokens(self, alone: bool, waiting: int = 1) -> int:
        """How many tokens of prompts to run next. `alone`: nobody is decoding. `waiting`: prompts that could run."""
        if alone:
            return ALONE
        pause = PATIENCE * self._step
        pieces = min(waiting, LONGEST_PAUSE / pause) if pause else 1
        return int(self._tokens * max(1.0, pieces))

    @property
    def forgets(self) -> bool:
        """Whether the next step should have no piece at all, to be timed."""
        return self._since >= FORGOTTEN

    def knows(self, rows: int) -> bool:
        """Whether the time of a step of so many rows is known, to tell it from that of a piece beside it."""
        return self._rows / 2 <= rows <= self._rows * 1.5

    def decoded(self, rows: int, seconds: float) -> None:
        """A step of `rows` without a piece."""
        self._step += (seconds - self._step) * (0.2 if self._step else 1.0)
        self._rows, self._since = rows, 0

    def beside(self, seconds: float) -> float:
        """Of the `seconds` of a step with a piece beside it, those of the piece."""
        self._since += 1
        return max(seconds - self._step, 0.1 * self._step)

    def prefilled(self, tokens: int, seconds: float) -> None:
        """All pieces between two steps together. The end of a prompt alone is mostly the cost of a step as such, and
        says little of what a full piece takes.
        """
        if self._step and tokens >= self._tokens / 2:
            fitting = tokens * PATIENCE * self._step / seconds
            self._tokens += (min(max(fitting, SMALLEST), LARGEST) - self._tokens) * 0.5
