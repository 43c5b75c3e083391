"""`python -m medserver.imaging.decoder`: one decoder process. Jobs on standard input, answers on standard output.

Before it reads anything it gives up what a decoder does not need: memory beyond a limit, the right to write
files, and open files. It ends when its input ends.
"""

import contextlib
import os
import sys
from typing import BinaryIO

from medserver.imaging.pixels import Unreadable, square_png
from medserver.imaging.wire import ANSWER, JOB

MEMORY = 1_500_000_000  # bytes of address space beyond the start, enough for the largest picture that is read
_FAULT = "The image could not be read."


def confine() -> None:
    """Apply the limits where the platform has them; on others only the time limit of the pool holds."""
    try:
        import resource
    except ImportError:
        return
    memory = _address_space() + MEMORY
    for limit, value in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0)):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(limit, (value, value))


def _address_space() -> int:
    """Bytes mapped so far: libraries map more on machines with more processors. 0 where it cannot be told."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def answer(side: int, base64_encoded: bool, payload: bytes) -> tuple[bool, bytes]:
    try:
        return True, square_png(payload, base64_encoded=base64_encoded, side=side)
    except Unreadable as reason:
        return False, str(reason).encode()
    except Exception:  # a decoder's own fault, MemoryError among them, says nothing fit for a client
        return False, _FAULT.encode()


def serve(jobs: BinaryIO, answers: BinaryIO) -> None:
    while len(head := jobs.read(JOB.size)) == JOB.size:
        side, base64_encoded, length = JOB.unpack(head)
        good, body = answer(side, base64_encoded, jobs.read(length))
        answers.write(ANSWER.pack(good, len(body)) + body)
        answers.flush()


if __name__ == "__main__":
    confine()
    serve(sys.stdin.buffer, sys.stdout.buffer)
