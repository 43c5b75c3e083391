"""The audit log as a file: one line per request, within bounds; the chain runs on from one file to the next.

Several processes may write it: each change holds the file's lock, and picks the chain up where another left it.
"""

import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, BinaryIO

from medserver.audit.account import Account
from medserver.audit.chain import Broken, Link, followed, written
from medserver.audit.crowd import Crowd
from medserver.parse import BadSetting

log = logging.getLogger("medserver.audit")

FILE_BYTES, FILES = 20_000_000, 10
_TAIL_BYTES = 65_536  # more than any line has
# What pages ask by themselves, all the time; told where it was refused.
_QUIET = {"/static", "/samples", "/api/health", "/livez", "/readyz", "/metrics", "/api/pairing", "/"}


class Journal:
    """`about`: what is true of every answer, the model and its revision."""

    def __init__(self, path: Path, about: dict[str, str | None], *, file_bytes: int = FILE_BYTES, files: int = FILES):
        self._path = path
        self._about = about
        self._file_bytes = file_bytes
        self._files = files
        self._crowd = Crowd()
        self._end, self._end_at = Link(), -1

    def hear(self, account: Account) -> None:
        if account.code is None and account.method in ("GET", "HEAD") and account.route in _QUIET:
            return
        try:
            if left_out := self._crowd.left_out():
                self.write({"event": "requests of strangers left out", "count": left_out})
            if self._crowd.admits(account):
                self.write(entry_of(account, self._about))
        except OSError as error:  # the wards go on working; who watches the log sees it
            log.error("a line of the audit log could not be written: %s", error.strerror)
        except Broken:
            log.error("a line of the audit log could not be written: its end was changed; medserver audit verify")

    def write(self, entry: dict[str, Any]) -> None:
        moment = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        if self._path.exists() and self._path.stat().st_size > self._file_bytes:
            self._turn_over()
        with self._locked() as file:
            end = self._end if file.tell() == self._end_at else self._picked_up(file)
            line, self._end = written({"time": moment, **entry}, end)
            file.write(line)
            file.flush()
            self._end_at = file.tell()

    def prepare(self) -> None:
        """Begin the log, or go on with it.

        Raises:
            BadSetting: it cannot be written there.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self.write({"event": "start", **self._about})
        except OSError as error:
            raise BadSetting(f"{self._path} cannot be written: {error.strerror}") from None
        except Broken:
            raise BadSetting(f"{self._path} is no audit log, or its end was changed: medserver audit verify") from None

    @contextlib.contextmanager
    def _locked(self) -> Iterator[BinaryIO]:
        """The file at its end, ours alone; opened each time, since another process may have begun a new one."""
        while True:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            with open(descriptor, "r+b") as file, _lock(descriptor):
                if not os.path.exists(self._path) or not os.path.samestat(os.fstat(descriptor), os.stat(self._path)):
                    continue  # turned over while we waited
                file.seek(0, os.SEEK_END)
                yield file
                return

    def _picked_up(self, file: BinaryIO) -> Link:
        """The chain's end in this file, or in the one before it; a line that a power cut tore is taken out and told."""
        size = file.seek(0, os.SEEK_END)
        if not size:
            return self._end_before()
        file.seek(max(0, size - _TAIL_BYTES))
        whole, _, torn = file.read().rpartition(b"\n")
        if torn:
            file.truncate(size - len(torn))
        file.seek(0, os.SEEK_END)
        end = followed([whole.rpartition(b"\n")[2] + b"\n"]) if whole else self._end_before()
        if torn:
            line, end = written({"event": "torn line taken out", "bytes": len(torn)}, end)
            file.write(line)
        return end

    def _end_before(self) -> Link:
        earlier = numbered(self._path, 1)
        return last_link(earlier) if earlier.exists() else Link()

    def _turn_over(self) -> None:
        """Begin a new file, unless another process just has; closed meanwhile, as Windows wants it."""
        with _held(self._path.with_name(f"{self._path.name}.lock")):
            if not self._path.exists() or self._path.stat().st_size <= self._file_bytes:
                return
            for number in range(self._files - 1, 0, -1):
                with contextlib.suppress(FileNotFoundError):
                    os.replace(numbered(self._path, number - 1), numbered(self._path, number))


def numbered(path: Path, number: int) -> Path:
    """The file that was turned over so many times."""
    return path.with_name(f"{path.name}.{number}") if number else path


def last_link(path: Path) -> Link:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        return followed([file.read().splitlines(keepends=True)[-1]]) or Link()


def entry_of(account: Account, about: dict[str, str | None]) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "request": account.request_id,
        "visitor": account.visitor,
        "method": account.method,
        "route": account.route,
        "status": account.status,
        "ms": round(account.milliseconds),
    }
    entry |= {name: said for name, said in (("code", account.code), ("event", account.event)) if said}
    if account.images is not None:
        entry |= about | {"images": account.images, "finish_reason": account.finish_reason}
    if account.done:
        usage, timings = account.done.usage, account.done.timings
        entry |= {"prompt_tokens": usage.prompt_tokens, "completion_tokens": usage.completion_tokens}
        entry |= {"ttft_ms": timings.ttft_ms, "tokens_per_second": timings.tokens_per_second}
    return entry


@contextlib.contextmanager
def _held(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with open(descriptor, "r+b"), _lock(descriptor):
        yield


@contextlib.contextmanager
def _lock(descriptor: int) -> Iterator[None]:
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
        try:
            yield
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX)  # closing gives it back
        yield
