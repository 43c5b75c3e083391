"""`python -m medserver.hub.arrival`: brings a model's weights into the Hub's cache for a server that is starting.

It is a program of its own, so that hashing and writing gigabytes never holds up the page; it downloads as
`medserver download` does. Its orders are one line of JSON on standard input; when that closes, whoever started it is
gone, and so is it. It says, as lines of JSON on standard output:

    {"stage": …, "done": …, "total": …}   how far it has come, in bytes
    {"here": "…"}                         the folder; nothing more will be said
    {"failed": "…"}                       why not
"""

import contextlib
import json
import logging
import os
import sys
import threading

from medserver.engine.base import Launch
from medserver.hub.download import download
from medserver.hub.failures import HubFailure
from medserver.hub.fetch import GIVE_UP_SECONDS
from medserver.hub.listing import Source


def launch(repo: str, token: str | None) -> Launch:
    """How to start it; the token goes where no process list shows it."""
    orders = json.dumps({"repo": repo, "token": token}).encode() + b"\n"
    return Launch((sys.executable, "-m", __name__), orders, secret="")


def _tell(**message: object) -> None:
    with contextlib.suppress(OSError):  # nobody listens any more; standard input will say so
        print(json.dumps(message), flush=True)


def _watch_parent() -> None:
    """End at once when standard input ends: what has arrived stays, and the next download goes on with it."""
    while sys.stdin.buffer.read(1):
        pass
    os._exit(0)


def main() -> int:
    orders = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_watch_parent, daemon=True).start()
    logging.getLogger("huggingface_hub").setLevel(logging.CRITICAL)
    source = Source(orders["repo"], token=orders["token"])
    try:
        folder, _ = download(
            source,
            None,
            GIVE_UP_SECONDS,
            told=lambda stage, done, total: _tell(stage=stage, done=done, total=total),
        )
    except HubFailure as failure:
        _tell(failed=f"{failure} [{failure.code}]")
        return failure.exit_status
    _tell(here=str(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
