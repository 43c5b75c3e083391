"""Weights that are still to come: runs the program that brings them; it does not know where from.

The program says lines of JSON: how far it has come, and at last the folder they are `here` in, or why it `failed`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from medserver.engine.base import EngineRow, Launch
from medserver.engine.life import Loading, Lost
from medserver.engine.process import ChildProcess

Rows = dict[str, Callable[[], EngineRow]]


@dataclass(frozen=True, slots=True)
class Supply:
    """How to start the program, and how to make each engine once the weights lie in a folder."""

    launch: Callable[[], Launch]
    rows: Callable[[Path], Rows]


async def bring(launch: Launch, on_loading: Callable[[Loading], None]) -> Path:
    """Run the program to its end; returns the folder.

    Raises:
        Lost: they did not come; the message is the sentence why.
    """
    child = await ChildProcess.start(launch.argv, launch.first_line)
    try:
        while said := await child.said():
            if "failed" in said:
                raise Lost(said["failed"])
            if "here" in said:
                return Path(said["here"])
            on_loading(Loading(said["stage"], said["done"], said["total"]))
        raise Lost("The download ended unexpectedly.")
    finally:
        await child.stop()
