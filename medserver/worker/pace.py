"""How much of a prompt may run between two steps of those who are already answering; it knows times only."""

# In tokens. Alone a prompt waits for nobody, so its pieces are only as small as its masks should be.
ALONE = 1024
LARGEST = 512
SMALLEST = 32
FIRST = 64
# What is prefilled between two steps may take this many of them: a running row then waits for its next token twice as
# long, and under three times where a piece turns out slower than the last.
PATIENCE = 1.0


class Pace:
    """Follows the seconds of decode steps and of pieces, so that a piece takes `PATIENCE` decode steps."""

    def __init__(self) -> None:
        self._step = 0.0
        self._tokens = float(FIRST)

    def tokens(self, alone: bool) -> int:
        """How many tokens of prompts to run next. `alone`: nobody is decoding."""
        return ALONE if alone else int(self._tokens)

    def decoded(self, seconds: float) -> None:
        self._step += (seconds - self._step) * (0.2 if self._step else 1.0)

    def prefilled(self, tokens: int, seconds: float) -> None:
        """All pieces between two steps together. The end of a prompt alone is mostly the cost of a step as such, and
        says little of what a full piece takes.
        """
        if self._step and tokens >= self._tokens / 2:
            fitting = tokens * PATIENCE * self._step / seconds
            self._tokens += (min(max(fitting, SMALLEST), LARGEST) - self._tokens) * 0.5
