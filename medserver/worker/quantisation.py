"""Which arithmetic the weights are kept in, by rule; it loads nothing and asks no device.

`-q` asks for weights that take less memory, not for slower ones. So a mode that is known to be slower than bfloat16 is
taken only where bfloat16 does not fit, and of those that fit the fastest.
"""

from collections.abc import Collection
from dataclasses import dataclass

BITSANDBYTES, TORCHAO = "bitsandbytes", "torchao"
# Of the memory that is free; the rest is for keys and values and for what a step computes.
ROOM = 0.75


@dataclass(frozen=True, slots=True)
class Mode:
    """`share`: of the bytes in bfloat16, embeddings and tower left as they are. `speed`: of one stream, bfloat16 = 1.

    `since`: the compute capability from which on it runs; None where it runs everywhere.
    """

    name: str
    package: str | None
    share: float
    speed: float
    since: tuple[int, int] | None = None


# Speeds as others report them for the 4B (design facts: 39 tokens/s in bfloat16, 24 in NF4, 86 in int4); int8 halves
# the bytes, and a stream is bound by them. `benchmarks/gpu.py` measures them on a card.
BF16 = Mode("bfloat16", None, 1.0, 1.0)
MODES = (
    Mode("int4", TORCHAO, 0.35, 2.2, since=(8, 0)),
    Mode("int8", TORCHAO, 0.6, 1.3, since=(8, 0)),
    Mode("nf4", BITSANDBYTES, 0.35, 0.6),
)


@dataclass(frozen=True, slots=True)
class Choice:
    """`mode`: its name in `MODES`, or None for weights as they are. `why`: a sentence for the log and the doctor."""

    mode: str | None
    why: str


def choose(
    *, capability: tuple[int, int] | None, bfloat16: bool, weights: int, free: int, packages: Collection[str]
) -> Choice:
    """What `-q` means here. `capability`: of the GPUs, None without one; `weights`: bytes in bfloat16.

    `bfloat16`: whether it would compute in it. `packages`: those of the two that are installed.
    """
    fits = [mode for mode in MODES if _runs(mode, capability, packages) and weights * mode.share <= free * ROOM]
    whole = bfloat16 and weights <= free * ROOM
    faster = [mode for mode in fits if mode.speed > BF16.speed] if whole else fits
    if faster:
        best = max(faster, key=lambda mode: mode.speed)
        return Choice(best.name, f"{best.name} is the fastest of those that fit.")
    if whole:
        return Choice(None, "bfloat16 fits, and is faster than the modes in 4 bits that are installed.")
    return Choice("nf4", "Nothing else runs here." if BITSANDBYTES in packages else "It needs bitsandbytes.")


def share_of(name: str | None) -> float:
    """What is left of the weights' bytes in the mode of this name, or as they are."""
    return next((mode.share for mode in MODES if mode.name == name), BF16.share)


def _runs(mode: Mode, capability: tuple[int, int] | None, packages: Collection[str]) -> bool:
    if mode.package not in packages:
        return False
    return mode.since is None or (capability is not None and capability >= mode.since)
