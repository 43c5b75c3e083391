"""The machine: Python, platform, GPUs and their driver, memory, disk."""

import platform
import shutil
import sys
from pathlib import Path

from medserver.doctor.finding import Circumstances, Finding
from medserver.engine.fit import gigabytes
from medserver.engine.select import BFLOAT16, SGLANG_CUDA
from medserver.hub import places
from medserver.hub.room import HEADROOM

LITTLE_MEMORY = 4_000_000_000
_NVIDIA, _DISPLAY = "0x10de", "0x03"  # PCI: vendor and class


def python(_: Circumstances) -> Finding:
    version = platform.python_version()
    if sys.prefix == sys.base_prefix:
        advice = "Packages of other programs can get in the way: install.sh makes an environment of its own."
        return Finding("python", "warn", f"Python {version}, shared with the whole system", advice)
    return Finding("python", "ok", f"Python {version} in an environment of its own")


def system(at: Circumstances) -> Finding:
    glibc = f", glibc {_version(at.hardware.glibc)}" if at.hardware.glibc else ""
    return Finding("platform", "ok", f"{platform.system()} {platform.release()} on {platform.machine()}{glibc}")


def gpus(at: Circumstances) -> Finding:
    found = at.hardware.gpus
    if not found:
        return _no_gpu(at)
    said = "; ".join(
        f"{gpu.name} (compute capability {_version(gpu.capability)}, {gigabytes(gpu.memory_free)} of "
        f"{gigabytes(gpu.memory_total)} free)"
        for gpu in found
    )
    if any(gpu.capability < BFLOAT16 for gpu in found):
        advice = "Below 8.0 a model runs in float32 and takes twice the memory, at a fraction of the speed; -q helps."
        return Finding("gpus", "warn", said, advice)
    if any(gpu.memory_used > gpu.memory_total / 10 for gpu in found):
        return Finding("gpus", "warn", said, "Another program holds GPU memory; nvidia-smi shows which.")
    return Finding("gpus", "ok", said)


def _no_gpu(at: Circumstances) -> Finding:
    if at.hardware.platform == "darwin" and at.hardware.machine == "arm64":
        return Finding("gpus", "ok", "Apple's GPU, which shares the memory of the machine")
    if _nvidia_card_without_driver():
        return Finding(
            "gpus",
            "fail",
            "An NVIDIA card is in this machine, but its driver does not answer",
            "Until the driver is installed and loaded (nvidia-smi must work), models run on the CPU.",
        )
    state = "ok" if at.serving and at.serving.variant.demo else "warn"
    read = 9 if at.hardware.cpu_bfloat16 else 17
    advice = (
        f"Models run on the CPU: right for -m demo, slow for -m 4 ({read} GB are read for each token), no use for 27B."
    )
    return Finding("gpus", state, "No NVIDIA GPU", advice if state == "warn" else "")


def _nvidia_card_without_driver() -> bool:
    """As Linux lists its PCI devices; False where it does not."""
    for device in Path("/sys/bus/pci/devices").glob("*"):
        try:
            vendor, kind = ((device / name).read_text().strip() for name in ("vendor", "class"))
        except OSError:
            continue
        if vendor == _NVIDIA and kind.startswith(_DISPLAY):
            return True
    return False


def driver(at: Circumstances) -> Finding:
    if not at.hardware.gpus:
        return Finding("driver", "skip", "no NVIDIA GPU")
    cuda = at.hardware.cuda_driver
    said = f"Driver {at.hardware.driver}, for CUDA up to {_version(cuda) if cuda else 'unknown'}"
    if cuda is None or cuda < SGLANG_CUDA:
        advice = "SGLang, the fastest engine, needs CUDA 13: driver 580 or newer. Transformers runs meanwhile."
        return Finding("driver", "warn", said, advice)
    return Finding("driver", "ok", said)


def memory(at: Circumstances) -> Finding:
    available = at.hardware.ram_available
    said = f"{gigabytes(available)} of {gigabytes(at.hardware.ram_total)} available"
    if available < LITTLE_MEMORY:
        return Finding("memory", "warn", said, "Loading a model passes through memory; below 4 GB it may swap or die.")
    return Finding("memory", "ok", said)


def disk(at: Circumstances) -> Finding:
    """Room where weights would go, beside what the model needs if it is still to come."""
    folder = next(one for one in (places.cache(), *places.cache().absolute().parents) if one.exists())
    free = shutil.disk_usage(folder).free
    said = f"{gigabytes(free)} free for weights"
    serving = at.serving
    if serving and not serving.here and not at.settings.upstream:
        need = serving.sizes.weights + HEADROOM
        if need > free:
            advice = f"{serving.variant.name} needs {gigabytes(need)}. Free some, or medserver download --to DIR."
            return Finding("disk", "fail", said, advice)
    return Finding("disk", "ok", said)


def _version(parts: tuple[int, ...]) -> str:
    return ".".join(map(str, parts))
