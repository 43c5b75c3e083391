"""A checkout in a path with a space, a machine of which install.sh sees only what a test lets it, and no real packages.

What is installed are empty packages from a folder, so that a run takes seconds; pip, venv and the build are real.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.wheels import HERE, can_build, empty_index, wheel

CARRIED = (
    "install.sh",
    "installer",
    "pyproject.toml",
    "setup.py",
    "constraints.txt",
    "README.md",
    "LICENSE",
    "NOTICE",
    "medserver",
)
TOOLS = (
    *("bash", "sh", "env", "awk", "cat", "chmod", "cksum", "cut", "df", "dirname", "du", "find", "getconf"),
    *("grep", "head", "id", "ls", "mkdir", "mount", "mv", "rm", "rmdir", "sed", "sort", "tail", "tar"),
    *("uname", "unshare", "ip"),
)
BASE = Path(sys._base_executable if hasattr(sys, "_base_executable") else sys.executable).resolve()

Run = Callable[..., subprocess.CompletedProcess]
# Each makes an environment or two of its own; together they would double the time of all other tests.
thorough = pytest.mark.skipif("MEDSERVER_TEST_INSTALL" not in os.environ, reason="runs with MEDSERVER_TEST_INSTALL=1")


def pytest_collection_modifyitems(items) -> None:
    reason = "install.sh is for POSIX" if os.name != "posix" else "building MedServer here needs setuptools 77"
    for item in items:
        if Path(__file__).parent in item.path.parents and (os.name != "posix" or not can_build()):
            item.add_marker(pytest.mark.skip(reason=reason))


def program(at: Path, script: str) -> None:
    """A program of a few lines in a folder that PATH names."""
    at.write_text(f"#!{shutil.which('bash')}\n{script}\n")
    at.chmod(0o755)


def card(machine, capability: str, cuda: str) -> None:
    """An nvidia-smi that answers as the real one; what stands in its table was seen on a machine with an H200."""
    program(
        machine / "nvidia-smi",
        f"""case "$*" in
        -L) echo "GPU 0: NVIDIA Card (UUID: GPU-0)" ;;
        *compute_cap*) printf '{capability}' ;;
        *memory.total*) echo 24000 ;;
        *name*) echo "NVIDIA Card" ;;
        *) echo "| NVIDIA-SMI 580.65    Driver Version: 580.65    CUDA Version: {cuda}     |" ;;
        esac""",
    )


@pytest.fixture
def machine(tmp_path) -> Path:
    """The folder of programs that install.sh finds: no apt-get, no GPU, one Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in TOOLS:
        if found := shutil.which(name):
            (folder / name).symlink_to(found)
    program(folder / "python3", f'exec "{BASE}" "$@"')
    return folder


@pytest.fixture(scope="session")
def index(tmp_path_factory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("index") / "wheels"
    environ = empty_index(folder, real=("filelock", "python-dotenv", "setuptools"))
    [torch] = folder.glob("torch-*")
    wheel(folder, "torch", f"{torch.name.split('-')[1]}+cpu", tag=HERE)  # the build for CPUs is asked for by name
    torch.unlink()
    return environ


@pytest.fixture
def checkout(tmp_path) -> Path:
    folder = tmp_path / "a clone of it"
    folder.mkdir()
    for name in CARRIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copy2(source, folder / name)
    return folder


@pytest.fixture
def environ(machine, index, tmp_path) -> dict[str, str]:
    home = tmp_path / "home"
    home.mkdir()
    return {"PATH": str(machine), "HOME": str(home), "LANG": "C.UTF-8", "TMPDIR": str(tmp_path), **index}


@pytest.fixture
def install(checkout, environ) -> Run:
    """Run ./install.sh as somebody without a terminal; `before` is put in front of it."""

    def run(*argv: str | Path, before: tuple[str, ...] = (), **changed: str | None) -> subprocess.CompletedProcess:
        return subprocess.run(
            [*before, str(checkout / "install.sh"), *map(str, argv)],
            env={name: value for name, value in (environ | changed).items() if value is not None},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run


@pytest.fixture(scope="session")
def alone() -> tuple[str, ...]:
    """What runs a program where there is no network but loopback; skips, with a reason, where that is not allowed."""
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-n", "true"], capture_output=True).returncode:
        pytest.skip("a network namespace of one's own needs Linux, unshare and the right to it")
    return (unshare, "-n")
