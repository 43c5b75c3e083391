"""One file from the Hub, gone on with where it was cut off; it does not know what the file is for.

`huggingface_hub` 2.4 begins a file again after an interruption (its partial files have names of one process), which
costs gigabytes where a line breaks often. So the bytes are streamed here, through its session, headers and errors,
and always from the Hub's own address: a signed address it redirects to may have expired by the next try.
"""

import time
from collections.abc import Callable
from pathlib import Path
from threading import Event

from medserver.hub.failures import changed_on_the_way, retry_after, untrusted
from medserver.hub.listing import Source
from medserver.hub.record import File

GIVE_UP_SECONDS = 300
_TRANSIENT = (408, 425, 429, 500, 502, 503, 504)
_LONGEST_PAUSE = 30.0


class Halted(Exception):
    """Somebody else failed, or the person stopped it; what has arrived stays."""


def fetch(
    source: Source,
    commit: str,
    file: File,
    part: Path,
    *,
    seen: Callable[[int], None],
    halt: Event,
    give_up_seconds: float,
) -> None:
    """Bring `part` to the size of `file`. Transient troubles are waited out as long as bytes keep coming.

    Raises:
        Halted: `halt` was set.
        Exception: the last trouble, after `give_up_seconds` without a byte, or one that waiting does not help.
    """
    tries, fed = 0, time.monotonic()
    while (have := _size(part)) < file.size:
        try:
            _stream(source, commit, file, part, have, seen, halt)
        except Exception as trouble:
            if _size(part) > have:
                tries, fed = 0, time.monotonic()
            pause = _pause(trouble, tries)
            if pause is None or time.monotonic() + pause - fed > give_up_seconds:
                raise
            tries += 1
            halt.wait(pause)
        if halt.is_set():
            raise Halted


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _pause(trouble: Exception, tries: int) -> float | None:
    """Seconds until the next try; None where another would not help."""
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError

    backoff = min(2.0**tries, _LONGEST_PAUSE)
    if isinstance(trouble, HfHubHTTPError):
        response = trouble.response
        if response.status_code not in _TRANSIENT:
            return None
        asked = retry_after(response.headers)
        return backoff if asked is None else asked + 0.5
    if isinstance(trouble, httpx2.TransportError) and not isinstance(trouble, httpx2.ProxyError):
        return None if untrusted(trouble) else backoff
    return None


def _stream(source: Source, commit: str, file: File, part: Path, have: int, seen, halt: Event) -> None:
    import httpx2
    from huggingface_hub import get_session
    from huggingface_hub.utils import hf_raise_for_status

    headers = source.headers() | ({"Range": f"bytes={have}-"} if have else {})
    timeout = httpx2.Timeout(15)
    url = source.address(file.path, commit)
    with get_session().stream("GET", url, headers=headers, timeout=timeout, follow_redirects=True) as response:
        hf_raise_for_status(response)
        whole = response.status_code != 206  # a server may send everything where a range was asked for
        if whole:
            seen(-have)
        with part.open("wb" if whole else "ab") as opened:
            for piece in response.iter_raw():  # as they arrive: what waits for a full piece is lost with the line
                opened.write(piece)
                seen(len(piece))
                if opened.tell() > file.size:
                    break
                if halt.is_set():
                    raise Halted
    arrived = _size(part)
    if arrived > file.size:
        part.unlink()
        seen(-arrived)
        raise changed_on_the_way(file.path, "is longer than the Hub says")
    if arrived < file.size:
        raise httpx2.RemoteProtocolError("the answer ended early")
