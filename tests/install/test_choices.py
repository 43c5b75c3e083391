"""What install.sh decides from the machine: as a plan, which installs nothing."""

import re
import shutil
import subprocess

import pytest

from medserver.engine import select
from medserver.models import VARIANTS
from tests.conftest import ROOT
from tests.install.conftest import card, program

MACHINE = (ROOT / "installer/machine.sh").read_text(encoding="utf-8")
CONSTANTS = dict(re.findall(r'^([A-Z_]+)="?([^"\n]*)"?$', MACHINE, re.MULTILINE))


def plan(done: subprocess.CompletedProcess) -> dict[str, str]:
    assert done.returncode == 0, done.stderr
    return dict(line.split(None, 1) for line in done.stdout.splitlines())


def test_without_a_gpu(install, checkout):
    said = plan(install("--plan"))
    assert said["torch"] == f"{CONSTANTS['TORCH']}+cpu" and said["SGLang"] == "no: it needs an NVIDIA GPU"
    assert said["Room"].startswith("about 3 GB") and not (checkout / ".venv").exists()


@pytest.mark.parametrize(
    ("capability", "cuda", "torch", "sglang"),
    [
        ("9.0", "13.0", "", "in .venv-sglang"),
        ("8.9\n12.0", "13.2", "", "in .venv-sglang"),
        ("7.5", "13.0", "", "compute capability 7.5"),
        ("8.7", "13.0", "", "compute capability 8.7"),
        ("9.0\n7.5", "13.0", "", "compute capability 7.5"),
        ("9.0", "12.8", "+cu126", "a driver for CUDA 13.0; this one takes 12.8"),
        ("6.1", "13.0", "+cu126", "compute capability 6.1"),
    ],
)
def test_with_a_gpu(install, machine, capability, cuda, torch, sglang):
    card(machine, capability, cuda)
    program(machine / "python3.12", "exit 0")  # new enough for SGLang, also where the tests' own is not
    said = plan(install("--plan"))
    assert said["torch"] == CONSTANTS["TORCH"] + torch and sglang in said["SGLang"] and f"CUDA {cuda}" in said["GPU"]


def test_a_python_that_torch_is_not_built_for_is_passed_over(install, machine):
    """One that claims to be newer than any that the pinned torch knows, beside one that it does."""
    real = (machine / "python3").read_text().splitlines()[1]
    lie = 'set -- -c "import sys; sys.version_info = (3, 99); $code" "$@"'
    program(machine / "python3", f'if [ "$1" = -c ]; then code=$2; shift 2; {lie}; fi\n{real}')
    assert plan(install("--plan"))["Python"] == f"none: Python 3.10 to {CONSTANTS['PYTHON_NEWEST']} is needed"
    program(machine / "python3.12", real)
    assert plan(install("--plan"))["Python"] == "python3.12"


def test_sglang_can_be_left_out(install, machine):
    card(machine, "9.0", "13.0")
    assert "--no-sglang" in plan(install("--plan", "--no-sglang"))["SGLang"]


def test_the_script_knows_what_the_server_knows():
    def written(version) -> str:
        return ".".join(map(str, version))

    assert CONSTANTS["SGLANG_CAPABILITIES"].split() == [written(one) for one in select.SGLANG_CAPABILITIES]
    for name in ("SGLANG_PYTHON", "SGLANG_GLIBC", "SGLANG_CUDA"):
        assert CONSTANTS[name] == written(getattr(select, name))
    pinned = dict(re.findall(r"^([\w-]+)==([\w.]+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    assert CONSTANTS["TORCH"] == pinned["torch"]
    assert f"sglang=={CONSTANTS['SGLANG']}" in (ROOT / "docs/engines.md").read_text(encoding="utf-8")
    [models] = re.findall(r"is_model\(\) \{ case \$1 in (.*?)\)", (ROOT / "installer/person.sh").read_text())
    [theirs] = re.findall(r"^\$Models = (.*)$", (ROOT / "install.ps1").read_text(encoding="utf-8"), re.MULTILINE)
    assert models.split(" | ") == re.findall(r"'(\w+)'", theirs) and set(models.split(" | ")) == set(VARIANTS)


def test_the_page_says_what_the_script_decides_and_says():
    page = (ROOT / "docs/install.md").read_text(encoding="utf-8")
    room = {name: CONSTANTS[f"ROOM_{name}"] for name in ("CPU", "CUDA", "SGLANG")}
    assert f"about {room['CPU']} GB without an NVIDIA GPU, {room['CUDA']} GB with one, {room['SGLANG']} GB more" in page
    for version in (*CONSTANTS["SGLANG_CAPABILITIES"].split(), f"glibc {CONSTANTS['SGLANG_GLIBC']}"):
        assert version in page, version
    script = "".join(one.read_text() for one in (ROOT / "install.sh", *ROOT.glob("installer/*.sh")))
    said = re.findall(r"^\| (\S.*?) \|", page.split("| it says |")[1], re.MULTILINE)
    assert len(said) == 7
    assert [one for one in said if not all(part.strip() in script for part in one.split("…"))] == []


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not on this machine")
def test_shellcheck_finds_nothing():
    done = subprocess.run(["shellcheck", "-x", "install.sh"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
