"""What lies in a folder of weights, as the Hub said when it was fetched: a small JSON file beside them.

It knows names, sizes and hashes; it neither fetches nor compares.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from medserver.hub.failures import HubFailure

NAME = "medserver-weights.json"
# Where files are until they are whole; gone once everything is.
PARTIAL = ".medserver-partial"
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class File:
    """One file. `hub`: the hash as the Hub keeps it, `sha256:...` or, for small files, git's `git-sha1:...`."""

    path: str
    size: int
    hub: str
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A download: which repository at which commit, its files, and when all of them were last found right."""

    repo: str
    revision: str
    commit: str
    files: tuple[File, ...]
    verified: str | None = None

    def write(self, folder: Path) -> None:
        text = json.dumps({"format": 1, **asdict(self)}, indent=1) + "\n"
        fresh = folder / f".{NAME}.new"
        fresh.write_text(text, encoding="utf-8")
        os.replace(fresh, folder / NAME)

    def verified_now(self) -> "Record":
        return replace(self, verified=datetime.now(timezone.utc).isoformat(timespec="seconds"))


def read(folder: Path) -> Record:
    """The record in `folder`.

    Raises:
        HubFailure: there is none, or it cannot be read.
    """
    try:
        said = json.loads((folder / NAME).read_text(encoding="utf-8"))
        files = tuple(File(safe(one["path"]), one["size"], one["hub"], one["sha256"]) for one in said["files"])
        return Record(said["repo"], said["revision"], said["commit"], files, said.get("verified"))
    except FileNotFoundError:
        why = f"holds no {NAME}, so nothing says what should be there"
    except (OSError, ValueError, KeyError, TypeError):
        why = f"holds a {NAME} that cannot be read"
    raise HubFailure("no_record", f"{folder} {why}. medserver download -m MODEL --to {folder} mends it.")


def torn(folder: Path, written: Record) -> list[str]:
    """The files that are missing or of another size; reading all of them would take minutes."""
    return [file.path for file in written.files if not _has_size(folder / file.path, file.size)]


def _has_size(file: Path, size: int) -> bool:
    return file.is_file() and file.stat().st_size == size


def safe(path: str) -> str:
    """A name that stays inside its folder on every system; names come from a server or a carried file.

    Raises:
        ValueError: it does not.
    """
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\\" in path or ":" in path:
        raise ValueError(f"{path!r} is no name inside a folder")
    return path


def sha256_of(file: Path, seen: Callable[[int], None]) -> str:
    """The SHA-256 of a file; `seen` is told of each piece that was read."""
    with file.open("rb") as opened:
        return digest(opened, seen)


def digest(opened: BinaryIO, seen: Callable[[int], None]) -> str:
    found = hashlib.sha256()
    for piece in pieces(opened, seen):
        found.update(piece)
    return found.hexdigest()


def pieces(opened: BinaryIO, seen: Callable[[int], None]) -> Iterator[bytes]:
    """A file bit by bit, since it may be larger than memory; `seen` is told of each once it was used."""
    while piece := opened.read(_CHUNK):
        yield piece
        seen(len(piece))


def found_right(at: Path, file: File, seen: Callable[[int], None]) -> str | None:
    """The SHA-256 of the file `at` a path if its content is what the Hub said, else None."""
    if at.stat().st_size != file.size:
        return None
    sha256 = sha256_of(at, seen)
    kind, _, expected = file.hub.partition(":")
    if kind == "git-sha1":  # files that git itself keeps, a few MB at most
        content = at.read_bytes()
        actual = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    else:
        actual = sha256
    return sha256 if actual == expected else None
