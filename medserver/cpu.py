"""What this CPU is and can do, as the kernel lists it; where it lists nothing (Windows, macOS), nothing is known."""

from functools import cache
from pathlib import Path

_LISTED = Path("/proc/cpuinfo")
# Instructions that multiply bfloat16 and add up in float32: AMD since Zen 4, Intel since Cooper Lake, ARM since v8.6.
_BFLOAT16 = {"avx512_bf16", "amx_bf16", "bf16"}
_INTEL = "GenuineIntel"


@cache
def multiplies_bfloat16() -> bool:
    """Whether products in bfloat16 are computed as such. Without such instructions they are slower than float32."""
    return bool(_BFLOAT16 & set(_fields().get("flags", _fields().get("Features", "")).split()))


@cache
def is_intel() -> bool | None:
    """None where nothing is known."""
    maker = _fields().get("vendor_id")
    return None if maker is None else maker == _INTEL


@cache
def _fields() -> dict[str, str]:
    """The lines of the first core; the others are like it."""
    try:
        lines = _LISTED.read_text(encoding="utf-8", errors="replace").partition("\n\n")[0].splitlines()
    except OSError:
        return {}
    return {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
