"""The engines that are installed and the pairs of packages known to be bad; another Python is asked in a child."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from medserver.doctor import inventory
from medserver.doctor.finding import Circumstances, Finding, State
from medserver.hardware import Hardware, Interpreter

SECONDS = 4.0
_NAMES = ("torch", "torchvision", "transformers", "bitsandbytes", "kernels", "sglang", "vllm", "huggingface_hub")


@dataclass(frozen=True)
class Packages:
    """What one Python holds. `cuda`: what torch and torchvision were built for; None for a CPU build."""

    label: str
    versions: dict[str, str] = field(default_factory=dict)
    cuda: dict[str, str | None] = field(default_factory=dict)

    def __str__(self) -> str:
        shown = [f"{name} {self._version(name)}" for name in _NAMES if name in self.versions]
        return f"{self.label}: {', '.join(shown) or 'no engine'}"

    def _version(self, name: str) -> str:
        if name != "torch" or name not in self.cuda:
            return self.versions[name]
        built = f"CUDA {self.cuda[name]}" if self.cuda[name] else "CPU build"
        return f"{self.versions[name]} ({built})"


def asked(interpreter: Interpreter) -> Packages | None:
    """What a Python holds; None where it does not say so in time."""
    label = Path(interpreter.path).parent.parent.name  # the environment's own name tells no user's
    if interpreter.path == sys.executable:
        return Packages(label, *inventory.inventory(list(_NAMES)))
    try:
        command = [interpreter.path, inventory.__file__, *_NAMES]
        done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=True)
        return Packages(label, *json.loads(done.stdout))
    except (OSError, ValueError, TypeError, subprocess.SubprocessError):
        return None


def engines(at: Circumstances) -> Finding:
    if not at.hardware.interpreters:
        return Finding("engines", "skip", "the machine could not be looked at")
    found = [asked(one) for one in at.hardware.interpreters]
    known = [one for one in found if one]
    said = "; ".join(map(str, known))
    if len(known) < len(found):
        return Finding("engines", "warn", said, "A Python beside this one did not answer and cannot start an engine.")
    if not any({"torch", "transformers"} <= set(one.versions) for one in known):
        return Finding("engines", "fail", said, "torch or transformers is missing: run install.sh again.")
    troubles = [trouble for one in known for trouble in bad_pairs(one, at.hardware)]
    if troubles:
        # Only ours has to work: where another engine's Python is broken, Transformers takes over.
        ours = [state for state, _ in bad_pairs(known[0], at.hardware)]
        return Finding("engines", "fail" if "fail" in ours else "warn", said, " ".join(said for _, said in troubles))
    return Finding("engines", "ok", said)


def bad_pairs(packages: Packages, hardware: Hardware) -> Iterator[tuple[State, str]]:
    """Combinations that are known to go wrong: how bad, and what it costs and what to do."""
    torch, here = packages.cuda.get("torch"), f"In {packages.label}"
    if "torch" in packages.cuda and torch is None:
        if packages.cuda.get("torchvision"):
            # Not with every version: transformers 5.23 with torch 2.13.0+cpu and torchvision 0.28.0+cu130 was well.
            why = "torchvision is built for CUDA beside a CPU build of torch, with which transformers may not import."
            yield "warn", f"{here} {why} MedServer needs none: pip uninstall torchvision, or take the matching build."
        if hardware.gpus:
            yield "warn", f"{here} torch is a CPU build, so the GPU stays idle. Run install.sh again."
    driver = hardware.cuda_driver
    if torch and driver and int(torch.split(".")[0]) > driver[0]:
        newest = f"the driver takes {driver[0]}.{driver[1]} at most"
        yield "fail", f"{here} torch is built for CUDA {torch}, {newest}: the GPU cannot be used. Update the driver."
    if {"kernels", "bitsandbytes"} <= set(packages.versions):
        why = "the package kernels makes bitsandbytes download native code when it is imported."
        yield "warn", f"{here} {why} pip uninstall kernels."
