"""Sessions of paired devices: a random cookie, kept as a hash, for thirty days or until it is revoked.

Of the device only its kind is kept ("Safari on iPhone"), so that one can be told from another in a list.
"""

import re
import secrets
import time
from dataclasses import dataclass

from medserver.access.ledger import Ledger, hashed

LIFETIME_SECONDS = 30 * 24 * 3600
_TOUCH_SECONDS = 60.0
# The first that fits: most browsers name others as well.
_SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("CrOS", "ChromeOS"), ("Windows", "Windows"),
    ("Macintosh", "Mac"), ("Linux", "Linux"),
)  # fmt: skip
_BROWSERS = (
    ("Edg", "Edge"), ("Firefox", "Firefox"), ("FxiOS", "Firefox"), ("SamsungBrowser", "Samsung Internet"),
    ("Chrom", "Chrome"), ("CriOS", "Chrome"), ("Safari", "Safari"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Session:
    """`name` is a pseudonym: it tells sessions apart in the audit log, and nothing of who uses them."""

    name: str
    device: str
    created: float
    used: float | None
    expires: float


class Sessions:
    def __init__(self, ledger: Ledger):
        self._ledger = ledger

    def begin(self, device: str) -> tuple[str, Session]:
        """A new session: what its cookie holds, and what is known of it."""
        cookie, now = secrets.token_urlsafe(32), time.time()
        session = Session(secrets.token_hex(4), device, now, now, now + LIFETIME_SECONDS)
        with self._ledger.writing() as change:
            change.execute("DELETE FROM sessions WHERE expires < ?", (now,))
            change.execute(
                "INSERT INTO sessions (hash, name, device, created, used, expires) VALUES (?, ?, ?, ?, ?, ?)",
                (hashed(cookie), session.name, device, now, now, session.expires),
            )
        return cookie, session

    def known(self) -> list[Session]:
        rows = self._ledger.rows(
            "SELECT name, device, created, used, expires FROM sessions WHERE expires > ? ORDER BY created", time.time()
        )
        return [Session(*row) for row in rows]

    def of(self, cookie: str) -> Session | None:
        """The session of a cookie, noting that it was used."""
        mark, now = hashed(cookie), time.time()
        found = self._ledger.rows(
            "SELECT name, device, created, used, expires FROM sessions WHERE hash = ? AND expires > ?", mark, now
        )
        if not found:
            return None
        session = Session(*found[0])
        if now - (session.used or 0) > _TOUCH_SECONDS:
            self._ledger.touch("sessions", mark)
        return session

    def revoke(self, name: str) -> bool:
        with self._ledger.writing() as change:
            return change.execute("DELETE FROM sessions WHERE name = ?", (name,)).rowcount > 0

    def revoke_all(self) -> int:
        with self._ledger.writing() as change:
            return change.execute("DELETE FROM sessions").rowcount


def device_of(agent: str) -> str:
    """The kind of device that a User-Agent names, in two words of ours."""
    system = next((name for mark, name in _SYSTEMS if mark in agent), "unknown system")
    browser = next((name for mark, name in _BROWSERS if re.search(mark, agent)), "Browser")
    return f"{browser} on {system}"
