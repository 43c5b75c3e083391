"""Starts a server from another environment, says how it gets on, and ends it with all it started; a program of its own.

It does not know which server it keeps. Its orders are one line of JSON on standard input: `argv`, in which `{port}`
stands for the port the server is to listen on; `env`, added to ours; `file`, the contents of a private file for which
`{file}` stands in `argv`, or null. It says, as lines of JSON on standard output:

    {"port": 41234}                 where the server will listen
    {"stage": …, "done": …, "total": …}   how far it has loaded, as far as its output tells
    {"alive": true}                 it said something else
    {"failed": "…"}                 it ended by itself, and why

Its output is kept, for the reason of its end, only until a second line on standard input says that it is ready: from
then on it could quote a patient. When standard input closes, whoever started us is gone, and so must all else be.
"""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from pathlib import Path

import psutil

KEPT_LINES = 200
ALIVE_SECONDS = 5.0
GRACE_SECONDS = 1.5  # less than our own parent gives us
PARTS_SECONDS = 0.5
PART = re.compile("sglang::|VLLM::")  # what both call the processes that compute

# tqdm's bar over the files of a checkpoint, as vLLM and SGLang print it: "… shards:  50% Completed | 1/2 [00:01<…".
_SHARDS = re.compile(r"shards:.*?(\d+)/(\d+)\s*\[")
NO_MEMORY = re.compile(r"out of memory|OutOfMemory|No available memory for the cache", re.IGNORECASE)
# What in the output tells why it ended, the most telling first, and what we say then.
_REASONS = {
    NO_MEMORY: "It ran out of memory.",
    re.compile(r"No module named '([\w.]+)'"): "Its environment is not complete: the module {0} is missing.",
    re.compile(r"GatedRepoError|Access to model .* is restricted", re.IGNORECASE): (
        "The weights are gated: HF_TOKEN must belong to somebody who accepted their terms."
    ),
    re.compile(r"unrecognized arguments: (-[\w-]+)"): "It does not know {0}: its version is not one that was tested.",
    re.compile(r"driver.*too old|no kernel image is available", re.IGNORECASE): "This GPU or its driver is too old.",
}
_AGAIN = re.compile(r"address already in use", re.IGNORECASE)


class Output:
    """What the server printed: the progress in it now, and the reason for its end later."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._said = 0.0
        self._ready = False

    def forget(self) -> None:
        """It is ready: from now on nothing is kept but whether it ran out of memory."""
        self._ready = True
        self._lines.clear()

    def read(self, line: str) -> None:
        if self._ready:
            if NO_MEMORY.search(line):
                self._lines.append("out of memory")
            return
        self._lines.append(line)
        if found := _SHARDS.search(line):
            say(stage="weights", done=int(found[1]), total=int(found[2]))
        elif time.monotonic() - self._said > ALIVE_SECONDS:
            self._said = time.monotonic()
            say(alive=True)

    def reason(self, code: int) -> str | None:
        """Why the server ended, or None where the same start may succeed the next time."""
        text = "\n".join(self._lines)
        if _AGAIN.search(text):
            return None
        for pattern, sentence in _REASONS.items():
            if found := pattern.search(text):
                return sentence.format(*found.groups())
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return f"It ended {'unexpectedly' if self._ready else 'while it was starting'} ({how})."

    def last_words(self) -> str:
        return "\n".join(self._lines)


def say(**fields: object) -> None:
    with contextlib.suppress(OSError):  # nobody listens any more; our standard input will tell
        print(json.dumps(fields), flush=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def adopt_orphans() -> None:
    """Become the parent of what loses its own, so that nothing the server starts can slip away (Linux)."""
    if sys.platform == "linux":
        import ctypes

        set_child_subreaper = 36  # <sys/prctl.h>
        ctypes.CDLL(None).prctl(set_child_subreaper, 1, 0, 0, 0)


def end_all() -> None:
    """End everything below us, by request first and by force after a grace."""
    deadline = time.monotonic() + GRACE_SECONDS
    for end in (psutil.Process.terminate, psutil.Process.kill):
        while below := psutil.Process().children(recursive=True):
            for process in below:
                with contextlib.suppress(psutil.NoSuchProcess):
                    end(process)
            psutil.wait_procs(below, timeout=0.1)
            if end is psutil.Process.terminate and time.monotonic() > deadline:
                break


def private_file(contents: str | None) -> Path | None:
    """A file that only we can read; the server reads a secret from it that would show among its arguments."""
    if contents is None:
        return None
    descriptor, name = tempfile.mkstemp(prefix="medserver-", suffix=".yaml")
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(contents)
    return Path(name)


def keep(orders: dict, verbose: bool) -> None:
    """Run the server until it ends or our parent does."""
    port, secret = free_port(), private_file(orders["file"])
    stand_ins = {"port": str(port), "file": str(secret)}
    argv = [re.sub(r"\{(port|file)\}", lambda found: stand_ins[found[1]], word) for word in orders["argv"]]
    leaving = threading.Event()
    try:
        server = subprocess.Popen(
            argv,
            env=os.environ | orders["env"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except OSError as problem:
        _forget(secret)
        say(failed=f"It could not be started ({type(problem).__name__}).")
        return
    say(port=port)  # first of all: our parent waits for it
    output = Output()
    reading = threading.Thread(target=lambda: [output.read(line) for line in server.stdout], daemon=True)
    reading.start()
    threading.Thread(target=_listen, args=(server, output, secret, leaving), daemon=True).start()
    try:
        code = server.wait()
        reading.join(1)
        if not leaving.is_set() and (reason := output.reason(code)):
            if verbose:
                print(output.last_words(), file=sys.stderr, flush=True)
            say(failed=reason)
    finally:
        _forget(secret)  # first: ending the rest may take longer than we are given
        end_all()


def _forget(secret: Path | None) -> None:
    if secret:
        secret.unlink(missing_ok=True)


def _listen(server: subprocess.Popen, output: Output, secret: Path | None, leaving: threading.Event) -> None:
    """To our parent: a line says that the server is ready, the end of the input that nobody is there any more."""
    for _ in sys.stdin:
        output.forget()
        _forget(secret)  # it has been read
        threading.Thread(target=_until_incomplete, args=(server,), daemon=True).start()
    leaving.set()
    server.terminate()


def _until_incomplete(server: subprocess.Popen) -> None:
    """End the server once one of its parts is gone: it may take seconds to notice, and its streams hang meanwhile."""
    parts = [one for one in psutil.Process().children(recursive=True) if PART.match(_name(one))]
    while server.poll() is None:
        if not all(map(_lives, parts)):
            server.kill()
        time.sleep(PARTS_SECONDS)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _name(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.NoSuchProcess:
        return ""


def main() -> None:
    adopt_orphans()
    orders = json.loads(sys.stdin.readline())
    # An engine's own parts signal what they take for their parent when one of them fails; that must not be us.
    if hasattr(signal, "SIGQUIT"):
        signal.signal(signal.SIGQUIT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    keep(orders, verbose=orders.get("verbose", False))


if __name__ == "__main__":
    main()
