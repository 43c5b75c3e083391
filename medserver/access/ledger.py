"""The file that says who may come in, shared by the server, its web workers and the commands; it decides nothing.

It holds keys, sessions and pairing codes as hashes only, and nothing of what anybody asks. SQLite keeps each change
whole and lets a running server see what a command has just written. The file is its owner's alone (0600); nothing is
written before there is something to keep.
"""

import contextlib
import hashlib
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from medserver.parse import BadSetting

NAME = "access.db"
_PATIENCE_SECONDS = 5.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS pepper (value BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS keys (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE NOT NULL, prefix TEXT NOT NULL, hash BLOB UNIQUE NOT NULL,
  created REAL NOT NULL, used REAL);
CREATE TABLE IF NOT EXISTS sessions (
  hash BLOB PRIMARY KEY, name TEXT UNIQUE NOT NULL, device TEXT NOT NULL, created REAL NOT NULL, used REAL,
  expires REAL NOT NULL);
CREATE TABLE IF NOT EXISTS codes (secret BLOB PRIMARY KEY, pin BLOB NOT NULL, expires REAL NOT NULL);
CREATE TABLE IF NOT EXISTS tries (client BLOB NOT NULL, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS serving (port INTEGER PRIMARY KEY, url TEXT NOT NULL, since REAL NOT NULL);
"""
_VERSION = 1
_TOUCH = {
    "keys": "UPDATE keys SET used = ? WHERE hash = ?",
    "sessions": "UPDATE sessions SET used = ? WHERE hash = ?",
}


def hashed(secret: str) -> bytes:
    """For secrets that nobody can guess; what a person can type needs `Ledger.peppered`."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


class Ledger:
    """The file in `directory`. Opened when it is first needed; a process that forks opens it anew.

    A file that was taken away or exchanged while a server runs opens nothing any more.
    """

    def __init__(self, directory: Path):
        self.path = directory / NAME
        self._opened: sqlite3.Connection | None = None
        self._holder: tuple[int, ...] = ()
        self._pepper = b""

    def rows(self, query: str, *values) -> list[tuple]:
        """What a question finds; nothing while there is no file."""
        if not self.path.exists():
            return []
        return self._connection().execute(query, values).fetchall()

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One change, whole or not at all; other writers wait for it."""
        connection = self._connection()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def touch(self, table: str, mark: bytes) -> None:
        """Note that a key or a session was used; on a full disk it goes on being used."""
        now = time.time()
        with contextlib.suppress(sqlite3.Error), self.writing() as change:
            change.execute(_TOUCH[table], (now, mark))

    def peppered(self, text: str) -> bytes:
        """A hash that tells nothing to who does not also hold this file."""
        self._connection()
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), key=self._pepper, digest_size=32).digest()

    def prepare(self) -> None:
        """Make the file where there is none.

        Raises:
            BadSetting: it cannot be written or read there.
        """
        try:
            with self.writing():
                pass
        except (OSError, sqlite3.Error):
            raise BadSetting(
                f"{self.path.parent} cannot be written, so that no device could be remembered. "
                "Name another place with --state-dir."
            ) from None

    def _connection(self) -> sqlite3.Connection:
        if self._opened is None or self._holder != self._identity():
            self._opened = self._open()
            self._holder = self._identity()
        return self._opened

    def _identity(self) -> tuple[int, ...]:
        """This process, and the file that stands there now."""
        try:
            found = os.stat(self.path)
        except FileNotFoundError:
            return ()
        return os.getpid(), found.st_dev, found.st_ino

    def _open(self) -> sqlite3.Connection:
        private_directory(self.path.parent)
        with contextlib.suppress(FileExistsError):  # SQLite would make it readable for others
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        with contextlib.suppress(OSError):  # a copy from a backup may be readable for others
            self.path.chmod(0o600)
        connection = sqlite3.connect(
            self.path, timeout=_PATIENCE_SECONDS, isolation_level=None, check_same_thread=False
        )
        self._agree_on_schema(connection)
        [(self._pepper,)] = connection.execute("SELECT value FROM pepper").fetchall()
        return connection

    def _agree_on_schema(self, connection: sqlite3.Connection) -> None:
        [(version,)] = connection.execute("PRAGMA user_version").fetchall()
        if version == _VERSION:
            return
        if version > _VERSION:
            raise BadSetting(f"{self.path} was written by a newer MedServer. Name another place with --state-dir.")
        connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA}")
        if not connection.execute("SELECT 1 FROM pepper").fetchall():
            connection.execute("INSERT INTO pepper VALUES (?)", (os.urandom(32),))
        connection.execute(f"PRAGMA user_version = {_VERSION}")
        connection.execute("COMMIT")


def private_directory(path: Path) -> None:
    """Make `path` where it is missing, for its owner alone; one that is there is left as it is."""
    if not path.is_dir():
        path.mkdir(parents=True, mode=0o700)
