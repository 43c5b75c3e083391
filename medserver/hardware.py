"""What is in this machine and in its Python environments, asked without torch: NVML for the GPUs, else the OS."""

import ctypes
import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from medserver import cpu

ENGINE_PACKAGES = ("sglang", "vllm", "transformers", "torch", "bitsandbytes")
# An environment of its own for SGLang or vLLM, beside ours: what install.sh makes.
BESIDE = (".venv-sglang", ".venv-vllm")


@dataclass(frozen=True, slots=True)
class Gpu:
    """One NVIDIA GPU; memory in bytes, `capability` as (major, minor)."""

    name: str
    capability: tuple[int, int]
    memory_total: int
    memory_used: int

    @property
    def memory_free(self) -> int:
        return self.memory_total - self.memory_used


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that could start an engine: its path, its version as (major, minor), the packages it holds."""

    path: str
    version: tuple[int, int]
    packages: frozenset[str]


@dataclass(frozen=True, slots=True)
class Hardware:
    """This machine. Memory in bytes; `cuda_driver`: the newest CUDA its driver takes, as (major, minor).

    `platform` as `sys.platform`; `glibc` None where there is none. `interpreters`: ours first.
    """

    gpus: tuple[Gpu, ...] = ()
    platform: str = "linux"
    machine: str = "x86_64"
    driver: str | None = None
    cuda_driver: tuple[int, int] | None = None
    ram_total: int = 0
    ram_available: int = 0
    cpu_bfloat16: bool = False
    glibc: tuple[int, int] | None = None
    interpreters: tuple[Interpreter, ...] = ()

    def interpreter_with(self, package: str) -> Interpreter | None:
        """The first Python that holds `package`."""
        return next((one for one in self.interpreters if package in one.packages), None)


def probe(engine_python: Path | None = None) -> Hardware:
    """Look at this machine, and at `engine_python` beside our own interpreter; no driver means no GPUs."""
    import psutil

    memory = psutil.virtual_memory()
    gpus, driver, cuda = _nvidia()
    return Hardware(
        gpus=gpus,
        platform=sys.platform,
        machine=platform.machine(),
        driver=driver,
        cuda_driver=cuda,
        ram_total=memory.total,
        ram_available=memory.available,
        cpu_bfloat16=cpu.multiplies_bfloat16(),
        glibc=_glibc(),
        interpreters=(_ours(), *_others(engine_python)),
    )


def gpus() -> tuple[Gpu, ...]:
    """The GPUs and how full they are just now."""
    return _nvidia()[0]


def _nvidia() -> tuple[tuple[Gpu, ...], str | None, tuple[int, int] | None]:
    import pynvml  # from the distribution nvidia-ml-py

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return (), None, None
    try:
        handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
        cuda = pynvml.nvmlSystemGetCudaDriverVersion_v2()  # 13020 is 13.2
        found = tuple(_gpu(pynvml, handle) for handle in handles)
        return found, pynvml.nvmlSystemGetDriverVersion(), (cuda // 1000, cuda % 1000 // 10)
    except pynvml.NVMLError:
        return (), None, None
    finally:
        pynvml.nvmlShutdown()


def _gpu(pynvml, handle) -> Gpu:
    memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    return Gpu(
        name=pynvml.nvmlDeviceGetName(handle),
        capability=tuple(pynvml.nvmlDeviceGetCudaComputeCapability(handle)),
        memory_total=memory.total,
        memory_used=memory.used,
    )


def _glibc() -> tuple[int, int] | None:
    try:
        version = ctypes.CDLL(None).gnu_get_libc_version
    except (OSError, AttributeError, TypeError):
        return None
    version.restype = ctypes.c_char_p
    major, minor, *_ = version().decode().split(".")
    return int(major), int(minor)


def _ours() -> Interpreter:
    found = frozenset(name for name in ENGINE_PACKAGES if find_spec(name))
    return Interpreter(sys.executable, sys.version_info[:2], found)


def _others(engine_python: Path | None) -> list[Interpreter]:
    paths = [engine_python] if engine_python else [Path(sys.prefix).parent / name / "bin" / "python" for name in BESIDE]
    found = (_asked(path) for path in paths if os.access(path, os.X_OK))
    return [one for one in found if one]


def _asked(path: Path) -> Interpreter | None:
    """What another Python says of itself; None where it does not run."""
    code = (
        "import json, sys; from importlib.util import find_spec; "
        f"print(json.dumps([sys.version_info[:2], [n for n in {ENGINE_PACKAGES!r} if find_spec(n)]]))"
    )
    try:
        said = subprocess.run([path, "-c", code], capture_output=True, timeout=30, check=True).stdout
        version, packages = json.loads(said)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return Interpreter(str(path), tuple(version), frozenset(packages))
