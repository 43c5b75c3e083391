"""What the commands about access share: their flags, their ledger, and how a table is printed."""

import argparse
import sqlite3
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from medserver import config, environment, parse
from medserver.access.ledger import Ledger
from medserver.parse import BadSetting


def parser(name: str, description: str) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog=f"medserver {name}", description=description, allow_abbrev=False)
    _add_state_dir(made, default=None)
    return made


def _add_state_dir(made: argparse.ArgumentParser, default) -> None:
    made.add_argument("--state-dir", type=parse.place, metavar="DIR", help="as the server was told", default=default)


def actions(made: argparse.ArgumentParser, words: dict[str, str]) -> dict[str, argparse.ArgumentParser]:
    """The words that come after the command, each with what it does."""
    chosen = made.add_subparsers(dest="action", required=True, metavar="|".join(words))
    found = {word: chosen.add_parser(word, help=meaning, description=meaning) for word, meaning in words.items()}
    for one in found.values():
        _add_state_dir(one, default=argparse.SUPPRESS)  # after the word it means the same as before it
    return found


def settings(made: argparse.ArgumentParser) -> dict:
    """What the environment and `.env` say, as the server reads them."""
    try:
        return environment.from_environment(environment.environment_with_dotenv(Path.cwd()))
    except BadSetting as problem:
        made.error(str(problem))


def ledger(made: argparse.ArgumentParser, given: argparse.Namespace) -> Ledger:
    place = given.state_dir or settings(made).get("state_dir") or config.usual_state_directory()
    return Ledger(place)


def ended(work: Callable[[], int]) -> int:
    """The exit status of a command; a failure is one line on standard error."""
    try:
        return work()
    except (BadSetting, ValueError) as problem:
        print(f"medserver: {problem}", file=sys.stderr)
    except (OSError, sqlite3.Error):
        print(
            "medserver: The place of keys and sessions cannot be used. Name another with --state-dir.", file=sys.stderr
        )
    return 1


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (heads, *rows)]
    return "\n".join(line.rstrip() for line in lines)


def moment(seconds: float | None) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds)) if seconds else "never"
