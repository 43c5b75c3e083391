"""How the text of a setting becomes its value, or a sentence why not; it does not know which settings there are."""

import ipaddress
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


class BadSetting(ValueError):
    """A setting that cannot be used; the message is a sentence for the person who typed it."""


def integer(low: int, high: int | None = None) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise BadSetting(f"{text!r} is not a whole number") from None
        return _within(value, low, high)

    return parse


def number(low: float, high: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise BadSetting(f"{text!r} is not a number") from None
        return _within(value, low, high)

    return parse


def _within(value, low, high):
    if not value >= low or (high is not None and value > high):  # `not >=` refuses NaN as well
        bounds = f"at least {low}" if high is None else f"between {low} and {high}"
        raise BadSetting(f"{value} is out of range: it must be {bounds}")
    return value


def choice(*allowed: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in allowed:
            raise BadSetting(f"{text!r} is not one of {', '.join(allowed)}")
        return text

    return parse


def switch(text: str) -> bool:
    value = text.strip().lower()
    if value in ("1", "true", "yes", "on"):
        return True
    if value in ("0", "false", "no", "off", ""):
        return False
    raise BadSetting(f"{text!r} is neither on nor off")


def rate(text: str) -> str:
    """A rate as `limits` writes them, e.g. `20/minute` or `5 per 10 seconds`."""
    if not re.fullmatch(r"\s*[1-9]\d*\s*(/|per)\s*(\d+\s*)?(second|minute|hour|day)s?\s*", text):
        raise BadSetting(f"{text!r} is not a rate such as 20/minute")
    return text.strip()


def store(text: str) -> str:
    """The address of a Redis: `redis://[[user]:password@]host[:port][/number]`, `rediss://` over TLS; 6379 is usual."""
    found = re.fullmatch(r"(rediss?://(?:[^@/\s]*@)?(?:[^@/\s:\[]+|\[[0-9a-f:.]+\]))(?::(\d{1,5}))?(/\d+)?", text)
    if found is None or not 0 < int(found[2] or 6379) < 65536:
        # Not quoted: it may hold a password.
        raise BadSetting("that is no address of a Redis, such as redis://10.0.0.5:6379/0")
    return f"{found[1]}:{found[2] or 6379}{found[3] or '/0'}"


def directory(text: str) -> Path:
    path = Path(text).expanduser()
    if not text or not path.is_dir():
        raise BadSetting(f"{text!r} is not a directory")
    return path.resolve()


def executable(text: str) -> Path:
    path = Path(text).expanduser()
    if not os.access(path, os.X_OK) or path.is_dir():
        raise BadSetting(f"{text!r} is no program that can be started")
    return path.absolute()  # not resolved: a virtual environment is known by its own path


def base_url(text: str) -> str:
    """The address as everything here expects it: without `/v1`, with a slash at its end.

    Raises:
        BadSetting: it is no address of a web server, or carries more than an address.
    """
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        raise BadSetting("an upstream must be an address such as http://gpu-1:8000") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadSetting("an upstream must be an address such as http://gpu-1:8000")
    if parts.username is not None or parts.password is not None:
        raise BadSetting("an upstream's address must not hold a name or a password: use --upstream-key")
    if parts.query or parts.fragment:
        raise BadSetting("an upstream's address must not hold anything after ? or #")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    path = parts.path.rstrip("/").removesuffix("/v1").rstrip("/")
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{path}/"


def addresses(text: str) -> tuple[str, ...]:
    """Upstreams, with commas between where there are several."""
    return tuple(base_url(one) for one in text.split(",") if one.strip())


def each(parse: Callable[[str], Any]) -> Callable[[str], tuple]:
    """Several values of one kind, with commas between."""
    return lambda text: tuple(parse(one.strip()) for one in text.split(",") if one.strip())


def network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        raise BadSetting(f"{text!r} is no address or network such as 10.0.0.0/24") from None


def host_name(text: str) -> str:
    """A name or an address as it stands in a browser's address bar, without a port."""
    bare = text.lower().rstrip(".").removeprefix("[").removesuffix("]")
    if re.fullmatch(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?", bare):
        return bare
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        raise BadSetting(f"{text!r} is no host name such as medserver.example.org; leave the port out") from None


def origin(text: str) -> str:
    """A page's origin as browsers send it.

    Raises:
        BadSetting: it is none, or would let everybody in.
    """
    found = re.fullmatch(r"(https?)://(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::(\d{1,5}))?/?", text.lower())
    if found is None:
        raise BadSetting(f"{text!r} is no origin such as https://notes.example.org")
    scheme, host, port = found.groups()
    usual = {"http": "80", "https": "443"}[scheme]
    return f"{scheme}://{host}{f':{port}' if port and port != usual else ''}"


def file(text: str) -> Path:
    path = Path(text).expanduser()
    if not path.is_file():
        raise BadSetting(f"{text!r} is not a file")
    return path.absolute()


def place(text: str) -> Path:
    """Where something may be written that need not be there yet."""
    return Path(text).expanduser().absolute()


def text(value: str) -> str:
    if not value.strip():
        raise BadSetting("it is empty")
    return value.strip()
