"""Which engines are worth trying, in order, and why: a pure function of settings, model and hardware."""

from collections.abc import Iterator
from dataclasses import dataclass

from medserver.config import Settings
from medserver.engine.base import Serving
from medserver.engine.fit import Need, gigabytes, need
from medserver.hardware import Gpu, Hardware, Interpreter

# SGLang 0.5.23: what its kernels are built for, and what it needs around it (design facts).
SGLANG_CAPABILITIES = ((8, 0), (8, 6), (8, 9), (9, 0), (10, 0), (12, 0))
SGLANG_PYTHON, SGLANG_GLIBC, SGLANG_CUDA = (3, 11), (2, 34), (13, 0)
BFLOAT16 = (8, 0)  # the first compute capability that computes in bfloat16


@dataclass(frozen=True, slots=True)
class Candidate:
    """An engine worth trying, or, in `passed_over`, one that is not; with the reason as a sentence."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Selection:
    """`candidates` may be empty: then nothing here can run the model, and `passed_over` says why."""

    candidates: tuple[Candidate, ...]
    passed_over: tuple[Candidate, ...]

    def refusal(self) -> str:
        """Why nothing can run, as one paragraph."""
        said = " ".join(f"{one.name}: {one.why}" for one in self.passed_over)
        return f"nothing here can run this model. {said} --engine transformers tries it all the same."


def select(settings: Settings, serving: Serving, hardware: Hardware) -> Selection:
    """The order in which engines are tried.

    `auto` takes SGLang, else Transformers. An engine that was asked for is tried although it may not fit, and
    Transformers stays behind it; only what cannot work is passed over.
    """
    case = _Case(settings, serving, hardware)
    candidates, passed_over = [], []
    for name in _order(settings):
        obstacle = next(case.obstacles(name), None)
        (passed_over if obstacle else candidates).append(Candidate(name, obstacle or case.reason(name)))
    return Selection(tuple(candidates), tuple(passed_over))


def _order(settings: Settings) -> tuple[str, ...]:
    if settings.engine == "vllm":
        return ("vllm", "transformers")
    if settings.engine == "transformers":
        return ("transformers",)
    return ("sglang", "transformers")


@dataclass(frozen=True)
class _Case:
    """One model on one machine: what stands against each engine, the most telling obstacle first."""

    settings: Settings
    serving: Serving
    hardware: Hardware

    def obstacles(self, name: str) -> Iterator[str]:
        if name == "transformers":
            yield from self._memory_of_transformers()
            return
        if self.settings.force_transformers:
            yield "--force-transformers was given."
        if self.settings.quantize:
            # Their 8-bit formats are no 4-bit weights, and vLLM's bitsandbytes lives in a plugin.
            yield "-q was given: 4-bit weights are the Transformers engine's."
        if self.hardware.platform != "linux":
            yield "It runs on Linux only."
        if self._asked_for(name):
            yield from self._installation(name)
            return
        yield from self._gpus_of_sglang()
        yield from self._installation(name)
        yield from self._system_of_sglang()
        yield from self._memory_of_gpus()

    def reason(self, name: str) -> str:
        if name != "transformers":
            asked = "It was asked for." if self._asked_for(name) else "It is the fastest that this machine can run."
            return f"{asked} It runs in {self.hardware.interpreter_with(name).path}."
        if not self.hardware.gpus:
            where = "Apple's GPU" if self._apple else "the CPU"
            return f"It runs on {where} of this machine."
        how = "4-bit weights" if self.settings.quantize else "bfloat16" if self._modern else "float32"
        return f"It runs on this machine's {self._cards} in {how}."

    def _asked_for(self, name: str) -> bool:
        return self.settings.engine == name

    @property
    def _apple(self) -> bool:
        return self.hardware.platform == "darwin" and self.hardware.machine == "arm64"

    @property
    def _modern(self) -> bool:
        return all(gpu.capability >= BFLOAT16 for gpu in self.hardware.gpus)

    @property
    def _cards(self) -> str:
        first, *more = self.hardware.gpus
        return f"{len(more) + 1} x {first.name}" if more else first.name

    def _gpus_of_sglang(self) -> Iterator[str]:
        if not self.hardware.gpus:
            yield "It needs an NVIDIA GPU, and none was found."
        for gpu in self.hardware.gpus:
            if gpu.capability < BFLOAT16:
                yield f"It needs compute capability 8.0; {gpu.name} has {_version(gpu.capability)}."
            if gpu.capability not in SGLANG_CAPABILITIES:
                yield f"Its kernels are not built for compute capability {_version(gpu.capability)} ({gpu.name})."

    def _installation(self, name: str) -> Iterator[str]:
        found = self.hardware.interpreter_with(name)
        if found is None:
            yield f"It is not installed. --engine-python PATH names a Python that has {name}."
        elif name == "sglang" and found.version < SGLANG_PYTHON:
            yield f"It needs Python {_version(SGLANG_PYTHON)}; {found.path} is {_version(found.version)}."

    def _system_of_sglang(self) -> Iterator[str]:
        glibc, cuda = self.hardware.glibc, self.hardware.cuda_driver
        if glibc is None or glibc < SGLANG_GLIBC:
            here = _version(glibc) if glibc else "another C library"
            yield f"It needs glibc {_version(SGLANG_GLIBC)}; here is {here}."
        if cuda is None or cuda < SGLANG_CUDA:
            newest = _version(cuda) if cuda else "an older one"
            yield f"It needs a driver for CUDA {_version(SGLANG_CUDA)}; this one takes {newest}."

    def _need(self, bytes_per_weight: float, context: int | None = None) -> Need:
        return need(
            self.serving.sizes,
            context=context or self.settings.max_model_len,
            images=self.serving.supports_images,
            bytes_per_weight=bytes_per_weight,
        )

    def _memory_of_gpus(self) -> Iterator[str]:
        """For the engines that split each layer over `--tensor-parallel` GPUs of like size."""
        ways = self.settings.tensor_parallel
        wanted = ways * self.settings.data_parallel
        if len(self.hardware.gpus) < wanted:
            yield f"{wanted} GPUs were asked for (--tensor-parallel, --data-parallel); {len(self.hardware.gpus)} found."
        free = self._usable(self.hardware.gpus[:ways])
        wants = self._need(2)
        if wants.total > free:
            yield f"It needs {wants}; {gigabytes(free)} are free. {self._advice_for_gpus(wants)}"

    def _usable(self, gpus: tuple[Gpu, ...]) -> float:
        """Bytes that may be used on `gpus`, each taking the same share, so the fullest decides."""
        return self.settings.gpu_memory_utilization * len(gpus) * min((gpu.memory_free for gpu in gpus), default=0)

    def _advice_for_gpus(self, wants: Need) -> str:
        gpus = self.hardware.gpus
        for ways in (2, 4, 8):
            if self.settings.tensor_parallel < ways <= len(gpus) and wants.total <= self._usable(gpus[:ways]):
                return f"--tensor-parallel {ways} would make it fit."
        return self._advice(2, self._usable(gpus))

    def _memory_of_transformers(self) -> Iterator[str]:
        if self._asked_for("transformers") or self.serving.variant.demo:
            return
        if self.settings.quantize and find_missing(self.hardware.interpreters, "bitsandbytes"):
            yield "-q needs the package bitsandbytes: .venv/bin/pip install bitsandbytes"
        if self.hardware.gpus:
            # Whole layers go to one GPU or the next, so all free memory counts.
            free = self.settings.gpu_memory_utilization * sum(gpu.memory_free for gpu in self.hardware.gpus)
            width, where = 2.0 if self._modern else 4.0, "of GPU memory"
        else:
            narrow = self._apple or self.hardware.cpu_bfloat16
            free, width, where = self.hardware.ram_available, 2.0 if narrow else 4.0, "of memory"
        wants = self._need(0.5 if self.settings.quantize else width)
        if free and wants.total > free:
            yield f"It needs {wants}; {gigabytes(free)} {where} are free. {self._advice(width, free)}"

    def _advice(self, width: float, free: float) -> str:
        """The flag that would make it fit, if there is one; the Transformers engine is the last resort."""
        if not self.settings.quantize and self._need(0.5).total <= free:
            return "-q (4-bit weights) would make it fit."
        width = 0.5 if self.settings.quantize else width
        for context in (4096, 2048):
            if context < self.settings.max_model_len and self._need(width, context).total <= free:
                return f"--max-model-len {context} would make it fit."
        smaller = "-m 4" if self.serving.variant.key in ("27", "27t") else "-m demo"
        return f"{smaller} is smaller; --upstream URL would use another machine's GPUs."


def find_missing(interpreters: tuple[Interpreter, ...], package: str) -> bool:
    """Whether our own interpreter is known and lacks `package`."""
    return bool(interpreters) and package not in interpreters[0].packages


def _version(parts: tuple[int, ...]) -> str:
    return ".".join(map(str, parts))
