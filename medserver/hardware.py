"""What is in this machine, asked of the driver through NVML; torch is not needed for it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Gpu:
    """One NVIDIA GPU; memory in bytes, `capability` as (major, minor)."""

    name: str
    capability: tuple[int, int]
    memory_total: int
    memory_used: int


@dataclass(frozen=True, slots=True)
class Hardware:
    gpus: tuple[Gpu, ...] = ()


def probe() -> Hardware:
    """Ask the NVIDIA driver; no driver means no GPUs."""
    import pynvml  # from the distribution nvidia-ml-py

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return Hardware()
    try:
        handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
        return Hardware(tuple(_gpu(pynvml, handle) for handle in handles))
    except pynvml.NVMLError:
        return Hardware()
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
