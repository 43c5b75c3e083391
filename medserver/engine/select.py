"""Which engine is to run, and why: a pure function of the settings and the hardware."""

from dataclasses import dataclass

from medserver.config import Settings
from medserver.hardware import Hardware


@dataclass(frozen=True, slots=True)
class Candidate:
    """An engine worth trying, or, in `passed_over`, one that is not; with the reason as a sentence."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Selection:
    candidates: tuple[Candidate, ...]
    passed_over: tuple[Candidate, ...]


def select(settings: Settings, hardware: Hardware) -> Selection:
    """The order in which engines are tried."""
    if settings.force_transformers:
        why_not = "--force-transformers was given."
    elif not hardware.gpus:
        why_not = "It needs an NVIDIA GPU, and none was found."
    else:
        why_not = "This version of MedServer does not start it yet."
    chosen = Candidate("transformers", "It runs on this machine with Transformers.")
    return Selection((chosen,), (Candidate("sglang", why_not),))
