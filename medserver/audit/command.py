"""`medserver audit verify FILE`: whether the log is as it was written, and where it is not."""

import argparse
import sys
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from medserver.audit.chain import Broken, Link, followed
from medserver.audit.journal import numbered


def main(argv: Sequence[str]) -> int:
    made = argparse.ArgumentParser(prog="medserver audit", description="The audit log.", allow_abbrev=False)
    words = made.add_subparsers(dest="action", required=True, metavar="verify")
    meaning = "check every line of a log, with the files that were turned over before it"
    verify = words.add_parser("verify", help=meaning, description=meaning)
    verify.add_argument("file", type=Path, metavar="FILE")
    return _verify(made.parse_args(argv).file)


def _verify(path: Path) -> int:
    end: Link | None = None
    try:
        for file in files_of(path):
            with file.open("rb") as lines:
                end = followed(lines, end)
    except Broken as broken:
        said = f"{file.name}, line {broken.line}: {broken.why}. Lines before it are as they were written."
        print(said, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"medserver: {path}: {error.strerror}", file=sys.stderr)
        return 2
    print(f"{path}\n  {end.number if end else 0} lines up to now, all as they were written")
    if end:
        print(f"  the last hash is {end.hash} (note it elsewhere: it shows whether lines were taken off the end)")
    return 0


def files_of(path: Path) -> list[Path]:
    """The log from its oldest file to the one that is written now."""
    earlier = []
    for number in count(1):
        if not (file := numbered(path, number)).exists():
            break
        earlier.insert(0, file)
    return [*earlier, path]
