"""What one check found, and the circumstances that every check looks at; it does not know the checks."""

import getpass
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

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
    def without_hub(self) -> str | None:
        """Why the Hub is not asked for anything; None where a model still has to come from it."""
        if self.serving is None:
            return "no usable model was named (-m)"
        if self.settings.upstream:
            return "the model is where the upstream is"
        return "the model is on this machine" if self.serving.here else None

    @property
    def offline(self) -> str | None:
        """Why the Hub may not be asked, where that was decided."""
        set_so = self.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")
        return "HF_HUB_OFFLINE is set" if set_so else None


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
