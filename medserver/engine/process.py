"""One supervised child process and everything it started; it does not know what the child does."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Sequence

import orjson

_POSIX = os.name == "posix"


class ChildProcess:
    """A running child. It says things to us as lines of JSON on its standard output.

    Its standard input stays open as long as we live: a child of ours ends when it closes, so that nothing
    is left behind even where we are killed without a word.
    """

    def __init__(self, process: asyncio.subprocess.Process):
        self._process = process

    @classmethod
    async def start(cls, argv: Sequence[str], first_line: bytes) -> "ChildProcess":
        # A session of its own: Ctrl-C in the terminal is ours to pass on, and the whole group can be ended.
        options = {"start_new_session": True} if _POSIX else {"creationflags": 0x00000200}
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, **options
        )
        child = cls(process)
        await child.tell(first_line)
        return child

    async def tell(self, line: bytes) -> None:
        """Write a line to its standard input; one that is gone hears nothing."""
        with contextlib.suppress(ConnectionError, RuntimeError):
            self._process.stdin.write(line)
            await self._process.stdin.drain()

    @property
    def pid(self) -> int:
        return self._process.pid

    async def said(self) -> dict | None:
        """The next thing it says, or None when it has ended."""
        line = await self._process.stdout.readline()
        return orjson.loads(line) if line else None

    async def ended(self) -> int:
        return await self._process.wait()

    async def stop(self, grace: float = 2.0) -> None:
        """End it and all it started, by request first and by force after `grace` seconds."""
        if self._process.returncode is None:
            self._process.stdin.close()
            self._signal(signal.SIGTERM)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._process.wait(), grace)
        self._signal(signal.SIGKILL if _POSIX else signal.SIGTERM)  # grandchildren outlive a child that died
        await self._process.wait()

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if _POSIX:
                os.killpg(self._process.pid, number)
            elif self._process.returncode is None:
                self._process.terminate()
