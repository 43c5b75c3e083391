"""What one check found, and the circumstances that every check looks at; it does not know the checks."""

import getpass
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from medserver.config import Settings
from medserver.engine.base import Serving
from medserver.hardware import Hardware

State = Literal["ok", "warn", "fail", "skip"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`says`: what is so. `advice`: what it costs and what to do about it, where there is something."""

    name: str
    state: State
    says: str
    advice: str = ""


@dataclass(frozen=True)
class Circumstances:
    """What the checks look at. `serving` is None without a model, or where its checkpoint is none (`unusable`)."""

    settings: Settings
    hardware: Hardware
    serving: Serving | None = None
    unusable: str | None = None
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    directory: Path = Path()

    @property
    def offline(self) -> bool:
        return self.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")


Check = Callable[[Circumstances], Finding]


def discreet(text: str, *secrets: str | None) -> str:
    """The text as it may leave the house: without secrets, and with the home directory and the user's name masked."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    home = str(Path.home())
    if home not in ("/", "\\"):
        text = text.replace(home, "~")
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        return text
    return text.replace(f"{os.sep}{user}{os.sep}", f"{os.sep}***{os.sep}")


def without_password(address: str) -> str:
    """A proxy's address as it may be shown."""
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        port = f":{parts.port}" if parts.port else ""
        return urlunsplit((parts.scheme, f"{parts.hostname or ''}{port}", "", "", ""))
    except ValueError:
        return "(not an address)"
