"""Who is compared: how each is started on the same checkpoint, and what it cannot do.

A peer whose environment is not here is left out of the run, and the report says so.
"""

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

# As many answers at a time as the largest crowd has clients, for everybody who can be told.
STREAMS = 64
CONTEXT = 4096
TEXT, IMAGE = "text", "image"
MODEL_ID = {TEXT: "google/medgemma-27b-text-it", IMAGE: "google/medgemma-1.5-4b-it"}
VARIANT = {TEXT: "27t", IMAGE: "4"}


@dataclass(frozen=True, slots=True)
class Peer:
    """`argv` with `{port}`, and `{behind}` for the address of the peer `behind` which it stands in front of.

    `strict`: it refuses a request with fields it does not know.
    """

    name: str
    argv: tuple[str, ...]
    ready: str = "health"
    model: str | None = None
    env: dict[str, str] = field(default_factory=dict)
    behind: str | None = None
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Absent:
    name: str
    why: str


# Where `python -m benchmarks environments DIR` puts what a peer needs.
FOLDERS = {"transformers serve": "transformers", "vLLM": "vllm", "SGLang": "sglang"}
MEDSERVER = "MedServer"
THREADS = "thread per request"
BATCHING = "transformers serve --continuous-batching"


def line_up(kind: str, checkpoint: Path, environments: dict[str, Path]) -> list[Peer | Absent]:
    """Everybody for one kind of checkpoint. `environments`: an interpreter by the names in `FOLDERS`."""
    found: list[Peer | Absent] = [_medserver(kind, MEDSERVER, "--model-path", str(checkpoint)), _threads(checkpoint)]
    for name, make in (("transformers serve", _serve), ("vLLM", _vllm), ("SGLang", _sglang)):
        if python := environments.get(name):
            found += make(kind, checkpoint, python)
        else:
            found.append(Absent(name, "there is no environment for it"))
    return found


def _medserver(kind: str, name: str, *more: str, behind: str | None = None) -> Peer:
    argv = (sys.executable, "-m", "medserver", "-m", VARIANT[kind], "-p", "{port}", "--host", "127.0.0.1")
    argv += ("--max-user-streams", "100000", "--rate-limit", "1000000/second", "--max-model-len", str(CONTEXT))
    argv += more if behind else (*more, "--engine", "transformers")
    return Peer(name, argv, "api/health", MODEL_ID[kind], behind=behind)


def _before(kind: str, peer: Peer) -> list[Peer]:
    """An engine, and MedServer in front of the very same process."""
    return [peer, _medserver(kind, f"MedServer before {peer.name}", "--upstream", "{behind}", behind=peer.name)]


def _threads(checkpoint: Path) -> Peer:
    return Peer(THREADS, (sys.executable, "-m", "benchmarks.peers.threads", str(checkpoint), "{port}"))


def _serve(kind: str, checkpoint: Path, python: Path) -> list[Peer | Absent]:
    command = (str(python.parent / "transformers"), "serve", str(checkpoint), "--host", "127.0.0.1", "--port", "{port}")
    command += ("--device", "cpu", "--dtype", "float32", "--log-level", "error")
    offline = {"HF_HUB_OFFLINE": "1"}
    found: list[Peer | Absent] = [Peer("transformers serve", command, model=str(checkpoint), env=offline, strict=True)]
    if kind == IMAGE:
        return [*found, Absent(BATCHING, "it takes no images for Gemma 3, and serves them one by one")]
    batching = (*command, "--continuous-batching", "--cb-max-batch-tokens", "512", "--cb-num-blocks", "512")
    return [*found, Peer(BATCHING, batching, model=str(checkpoint), env=offline, strict=True)]


def _vllm(kind: str, checkpoint: Path, python: Path) -> list[Peer]:
    argv = (str(python), "-m", "vllm.entrypoints.cli.main", "serve", str(checkpoint))
    argv += ("--served-model-name", MODEL_ID[kind], "--host", "127.0.0.1", "--port", "{port}", "--dtype", "float32")
    argv += ("--max-model-len", str(CONTEXT), "--max-num-seqs", str(STREAMS), "--enforce-eager")
    argv += ("--disable-uvicorn-access-log",)
    env = {"VLLM_CPU_KVCACHE_SPACE": "2", "VLLM_CPU_OMP_THREADS_BIND": "auto", "VLLM_NO_USAGE_STATS": "1"}
    return _before(kind, Peer("vLLM", argv, model=MODEL_ID[kind], env=_alone(python) | env))


def _sglang(kind: str, checkpoint: Path, python: Path) -> list[Peer]:
    argv = (str(python), "-m", "sglang.launch_server", "--model-path", str(checkpoint))
    argv += ("--served-model-name", MODEL_ID[kind], "--host", "127.0.0.1", "--port", "{port}", "--dtype", "float32")
    argv += ("--device", "cpu", "--attention-backend", "torch_native", "--sampling-backend", "pytorch")
    argv += ("--context-length", str(CONTEXT), "--max-running-requests", str(STREAMS), "--max-total-tokens", "65536")
    argv += ("--disable-overlap-schedule", "--disable-cuda-graph", "--log-level", "error")
    argv += ("--enable-multimodal",) if kind == IMAGE else ()
    env = {"SGLANG_USE_CPU_ENGINE": "1", "OMP_NUM_THREADS": str(os.cpu_count() or 1)}
    return _before(kind, Peer("SGLang", argv, "ready", MODEL_ID[kind], _alone(python) | env))


def _alone(python: Path) -> dict[str, str]:
    """Its own tools first, and none of our packages."""
    path = os.pathsep.join((str(python.parent), os.environ.get("PATH", os.defpath)))
    return {"PATH": path, "PYTHONPATH": "", "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
