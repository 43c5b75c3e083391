"""How many lines the nameless may fill in a minute: the log is bounded, and noise must not wash out what it holds."""

import time

from medserver.audit.account import Account

LINES, SECONDS = 60, 60.0
_NAMELESS = {"-", "stranger", "open"}


class Crowd:
    """Answers, pairings and whoever has a name are always written; of the rest so many in a minute, then a count."""

    def __init__(self) -> None:
        self._minute, self._lines, self._left_out = 0, 0, 0

    def admits(self, account: Account) -> bool:
        if account.visitor not in _NAMELESS or account.event or account.images is not None:
            return True
        self._lines += 1
        self._left_out += self._lines > LINES
        return self._lines <= LINES

    def left_out(self) -> int:
        """How many were left out in the minute that has ended; told once."""
        minute = int(time.monotonic() // SECONDS)
        if minute == self._minute:
            return 0
        told, self._minute, self._lines, self._left_out = self._left_out, minute, 0, 0
        return told
