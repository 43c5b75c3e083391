"""Pairing: whoever can read the terminal may let a device in, by a code that works once and for ten minutes.

A code has two forms: a secret nobody can guess, for the QR code, and a PIN of six digits, for the keyboard. A PIN
could be guessed, so an address has five tries an hour; and when many addresses guess together, or patiently, PINs
rest while QR codes go on working.
"""

import hmac
import secrets
import time
from dataclasses import dataclass

from medserver.access.ledger import Ledger, hashed
from medserver.errors import Forbidden, TooMany

CODE_SECONDS = 600.0
TRIES = 5
LOCK_SECONDS = 3600.0
TRIES_TOGETHER = 50  # in ten minutes: a guess is right with a chance of 1 in 20,000
DAY_SECONDS = 24 * 3600.0
TRIES_A_DAY = 200  # who stays for a month with as many addresses as they like: 1 in 170


@dataclass(frozen=True, slots=True)
class Code:
    """A code as it is shown: once, to who reads the terminal."""

    secret: str
    pin: str
    expires: float


class Pairing:
    def __init__(self, ledger: Ledger):
        self._ledger = ledger

    def new_code(self) -> Code:
        """A new code; those before it are worth nothing from now on."""
        code = Code(secrets.token_urlsafe(24), f"{secrets.randbelow(10**6):06}", time.time() + CODE_SECONDS)
        pin = self._ledger.peppered(code.pin)
        with self._ledger.writing() as change:
            change.execute("DELETE FROM codes")
            change.execute("INSERT INTO codes VALUES (?, ?, ?)", (hashed(code.secret), pin, code.expires))
        return code

    @property
    def open(self) -> bool:
        """Whether a code is waiting for a device."""
        return bool(self._ledger.rows("SELECT 1 FROM codes WHERE expires > ?", time.time()))

    def use_secret(self, secret: str) -> None:
        """Take the code whose secret this is.

        Raises:
            Forbidden: it was used, has expired, or never was.
        """
        with self._ledger.writing() as change:
            now = time.time()
            used = change.execute("DELETE FROM codes WHERE secret = ? AND expires > ?", (hashed(secret), now)).rowcount
        if not used:
            raise Forbidden(
                "This QR code has been used or has expired. Scan the one that is shown now.", code="wrong_code"
            )

    def use_pin(self, pin: str, client: str) -> None:
        """Take the code whose PIN this is; a try that counts for `client`.

        Raises:
            TooMany: this client has tried too often, or many have.
            Forbidden: it is not the PIN.
        """
        mark, who = self._ledger.peppered(pin), self._ledger.peppered(client)
        with self._ledger.writing() as change:
            now = time.time()
            left = self._tries_left(change, who, now)
            found = change.execute("SELECT secret, pin FROM codes WHERE expires > ?", (now,)).fetchall()
            taken = [secret for secret, known in found if hmac.compare_digest(known, mark)]
            if taken:
                change.execute("DELETE FROM codes WHERE secret = ?", (taken[0],))
                change.execute("DELETE FROM tries WHERE client = ?", (who,))
            else:
                change.execute("INSERT INTO tries VALUES (?, ?)", (who, now))
        if not taken:
            raise Forbidden(_wrong_pin(left - 1), code="wrong_code")

    @staticmethod
    def _tries_left(change, who: bytes, now: float) -> int:
        change.execute("DELETE FROM tries WHERE at < ?", (now - DAY_SECONDS,))
        recent = "SELECT at FROM tries WHERE client = ? AND at > ? ORDER BY at"
        own = [at for (at,) in change.execute(recent, (who, now - LOCK_SECONDS))]
        if len(own) >= TRIES:
            _locked("This device has tried too many PINs.", own[0] + LOCK_SECONDS - now)
        today = [at for (at,) in change.execute("SELECT at FROM tries ORDER BY at")]
        for many, seconds in ((TRIES_TOGETHER, CODE_SECONDS), (TRIES_A_DAY, DAY_SECONDS)):
            within = [at for at in today if at > now - seconds]
            if len(within) >= many:
                _locked("Too many wrong PINs were tried on this server.", within[0] + seconds - now)
        return TRIES - len(own)


def _wrong_pin(left: int) -> str:
    if left == 0:
        return "That is not the PIN. This device has no tries left for an hour; a QR code still works."
    return f"That is not the PIN. {left} {'try' if left == 1 else 'tries'} left."


def _locked(sentence: str, seconds: float) -> None:
    minutes = max(1, round(seconds / 60))
    hours = f"{round(minutes / 60)} hours" if minutes > 90 else f"{minutes} {'minute' if minutes == 1 else 'minutes'}"
    again = f"Try again in {hours}, or scan the QR code."
    raise TooMany(f"{sentence} {again}", code="pairing_locked", retry_after=max(1, int(seconds) + 1))
