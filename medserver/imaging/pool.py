"""The front's side of decoding: a few decoder processes, a job each at a time, an end to those that take too long."""

import asyncio
import contextlib
import logging
import os
import sys

from medserver.chat import Image
from medserver.errors import BadRequest, Internal
from medserver.imaging.wire import ANSWER, JOB, MAX_PIXELS

log = logging.getLogger("medserver.imaging")

DECODERS = 2
LONGEST_ANSWER = 4 * MAX_PIXELS
SECONDS = 10.0  # one picture; a normal one takes well under half a second


class DecoderPool:
    """`side`: pixels of the square that the model takes; larger pictures are shrunk to it."""

    def __init__(self, side: int, count: int = DECODERS):
        self._side = side
        self._idle: asyncio.LifoQueue[_Decoder] = asyncio.LifoQueue()
        self._decoders = [_Decoder() for _ in range(count)]
        for decoder in self._decoders:
            self._idle.put_nowait(decoder)

    async def warm_up(self) -> None:
        """Start the processes before the first picture waits for them."""
        await asyncio.gather(*(decoder.start() for decoder in self._decoders))

    async def decode(self, payload: bytes, *, base64_encoded: bool) -> Image:
        """Turn bytes from outside into verified pixels.

        Raises:
            BadRequest: they are no readable picture.
            Internal: no decoder can be started.
        """
        decoder = await self._idle.get()
        try:
            await decoder.start()
            good, body = await asyncio.wait_for(decoder.run(self._side, base64_encoded, payload), SECONDS)
        except asyncio.CancelledError:
            decoder.kill()
            raise
        except _CannotStart:
            raise Internal() from None
        except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError) as trouble:
            decoder.kill()
            log.warning("a decoder was ended: %s", type(trouble).__name__)
            good, body = False, b"The image could not be read within the limits of time and memory."
        finally:
            self._idle.put_nowait(decoder)
        if not good:
            raise BadRequest(body.decode(), code="bad_image")
        return Image(body)

    async def close(self) -> None:
        for decoder in self._decoders:
            await decoder.close()


class _CannotStart(Exception):
    """The machine has no room for another process."""


class _Decoder:
    """One process, started when it is needed and again after it was killed."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        if self._process is None or self._process.returncode is not None:
            try:
                self._process = await self._spawned()
            except OSError as error:
                log.error("a decoder could not be started: %s", type(error).__name__)
                raise _CannotStart from None

    @staticmethod
    async def _spawned() -> asyncio.subprocess.Process:
        # numpy's libraries would map memory for a thread on every processor.
        alone = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *("-I", "-m", "medserver.imaging.decoder"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, **alone},
            start_new_session=True,
        )

    async def run(self, side: int, base64_encoded: bool, payload: bytes) -> tuple[bool, bytes]:
        process = self._process
        process.stdin.write(JOB.pack(side, base64_encoded, len(payload)))
        process.stdin.write(payload)
        await process.stdin.drain()
        good, length = ANSWER.unpack(await process.stdout.readexactly(ANSWER.size))
        if length > LONGEST_ANSWER:  # a decoder that was taken over could announce anything
            raise OSError
        return good, await process.stdout.readexactly(length)

    def kill(self) -> None:
        """An answer half-read would be taken for the next one's, so the process goes."""
        process, self._process = self._process, None
        if process and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()

    async def close(self) -> None:
        process, self._process = self._process, None
        if process and process.returncode is None:
            process.stdin.close()
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
