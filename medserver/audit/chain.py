"""Lines that hold each other: each carries its number and the hash of the line before it. Pure; knows no file.

Who changes a line, takes one out or puts one in breaks the chain at that place. Who can write the file can also
write the whole of it anew from there on: the last hash, noted somewhere else, shows that too.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

START = "0" * 64


@dataclass(frozen=True, slots=True)
class Link:
    """The end of a chain: the number and the hash of its last line."""

    number: int = 0
    hash: str = START


class Broken(ValueError):
    """A line that does not hold; `line` counts from 1 in what was read."""

    def __init__(self, line: int, why: str):
        super().__init__(f"line {line}: {why}")
        self.line = line
        self.why = why


def written(entry: dict[str, Any], before: Link) -> tuple[bytes, Link]:
    """The line of `entry` after `before`, and the chain's new end."""
    held = {"n": before.number + 1, **entry, "before": before.hash}
    found = _hash(held)
    return _json(held | {"hash": found}) + b"\n", Link(before.number + 1, found)


def followed(lines: Iterable[bytes], before: Link | None = None) -> Link | None:
    """The end of the chain that `lines` continue; `before` None takes their first line's word for what came before.

    Raises:
        Broken: at the first line that does not hold.
    """
    for place, line in enumerate(lines, 1):
        entry = _read(line, place)
        if before is not None and entry["n"] != before.number + 1:
            raise Broken(place, f"it is number {entry['n']}, and {before.number + 1} should follow")
        if before is not None and entry["before"] != before.hash:
            raise Broken(place, "it does not follow the line before it")
        before = Link(entry["n"], entry["hash"])
    return before


def _read(line: bytes, place: int) -> dict[str, Any]:
    try:
        entry = json.loads(line)
        said = entry.pop("hash")
        whole = line.endswith(b"\n") and isinstance(entry["n"], int) and isinstance(entry["before"], str)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Broken(place, "it is no line of an audit log") from None
    if not whole:
        raise Broken(place, "it is not whole")
    if _hash(entry) != said:
        raise Broken(place, "it was changed after it was written")
    return entry | {"hash": said}


def _hash(entry: dict[str, Any]) -> str:
    return hashlib.sha256(_json(entry)).hexdigest()


def _json(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, separators=(",", ":"), ensure_ascii=True).encode()
