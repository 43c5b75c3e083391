"""Keys of programs: made once, shown once, kept as hashes; a running server knows of a change at once."""

import re
import secrets
import sqlite3
import time
from dataclasses import dataclass

from medserver.access.ledger import Ledger, hashed

PREFIX = "ms_"
SHOWN = 8  # characters of a key that may be told, to tell it from others
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}")
_TOUCH_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of a key; times in seconds since 1970."""

    id: int
    name: str
    prefix: str
    created: float
    used: float | None


class Keys:
    def __init__(self, ledger: Ledger):
        self._ledger = ledger

    def add(self, name: str) -> str:
        """Make a key and return it; this is the only time that it can be seen.

        Raises:
            ValueError: the name cannot be used; the message is a sentence.
        """
        if not _NAME.fullmatch(name):
            raise ValueError("A name has 1 to 40 letters, digits, spaces, dots, dashes or underscores.")
        key = PREFIX + secrets.token_urlsafe(32)
        with self._ledger.writing() as change:
            try:
                change.execute(
                    "INSERT INTO keys (name, prefix, hash, created) VALUES (?, ?, ?, ?)",
                    (name, key[:SHOWN], hashed(key), time.time()),
                )
            except sqlite3.IntegrityError:
                raise ValueError(f"There is a key named {name} already.") from None
        return key

    def known(self) -> list[Key]:
        return [Key(*row) for row in self._ledger.rows("SELECT id, name, prefix, created, used FROM keys ORDER BY id")]

    def revoke(self, name: str) -> bool:
        """Whether there was one of that name, or with that beginning; it opens nothing from now on."""
        with self._ledger.writing() as change:
            return change.execute("DELETE FROM keys WHERE name = ? OR prefix = ?", (name, name)).rowcount > 0

    def owner(self, key: str) -> Key | None:
        """Whose key this is, noting that it was used."""
        mark = hashed(key)
        found = self._ledger.rows("SELECT id, name, prefix, created, used FROM keys WHERE hash = ?", mark)
        if not found:
            return None
        known = Key(*found[0])
        if known.used is None or time.time() - known.used > _TOUCH_SECONDS:
            self._ledger.touch("keys", mark)
        return known
