"""install.sh as it is run: where all is well, and where something is missing, full, broken or half done."""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.install.conftest import card, program, thorough
from tests.wheels import wheel

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not on this machine")


def tree(folder: Path) -> set[str]:
    return {str(one.relative_to(folder)) for one in folder.rglob("*")}


def told(folder: Path, *argv: str) -> str:
    """What was installed says, with nothing of the environment that runs the tests."""
    argv = [folder / ".venv/bin/medserver", *argv]
    done = subprocess.run(argv, env={}, capture_output=True, text=True, cwd="/")
    return done.stdout


def packages(folder: Path) -> Path:
    [found] = folder.glob(".venv/lib/python3*/site-packages")
    return found


def test_a_fresh_clone_is_installed_mended_and_taken_away_again(install, checkout, environ):
    """One environment for a life's stations, since making it takes the longest."""
    before = tree(checkout)
    done = install("--yes")
    assert done.returncode == 0, done.stderr
    assert "Installed in" in done.stdout and "medserver doctor" in done.stdout
    assert told(checkout, "--version").startswith("medserver ")
    assert not (checkout / ".env").exists(), "nobody was asked, so nothing was decided"

    home = Path(environ["HOME"])
    (checkout / ".env").write_text(f"HF_TOKEN=hf_x\nHF_HOME='{home}/the hub'\nMEDSERVER_LOG_FILE={home}/said.log\n")
    started = time.monotonic()
    again = install()
    assert again.returncode == 0 and "Installing" not in again.stdout
    assert time.monotonic() - started < 30

    (checkout / "medserver/__init__.py").write_text('"""As it is later."""\n\n__version__ = "9.9.9"\n')
    upgraded = install()
    assert upgraded.returncode == 0 and "Installing" in upgraded.stdout, upgraded.stderr
    assert [one.name for one in packages(checkout).glob("medserver-*")] == ["medserver-9.9.9.dist-info"]

    shutil.rmtree(packages(checkout) / "transformers")
    mended = install("--yes")
    assert mended.returncode == 0 and "making it anew" in mended.stdout, mended.stderr
    assert (packages(checkout) / "transformers").is_dir()
    assert (checkout / ".env").stat().st_mode & 0o777 == 0o600

    weights, state = home / "the hub/hub/models--google--medgemma-1.5-4b-it", home / ".local/state/medserver"
    for folder in (weights, state / "tls"):
        folder.mkdir(parents=True)
    for file in (state / "access.db", state / "tls/authority.key", home / "said.log"):
        file.touch()
    gone = install("--uninstall", "--yes")
    assert gone.returncode == 0 and f"Weights stay in {weights}" in gone.stdout, gone.stderr
    assert f"The log {home}/said.log stays" in gone.stdout
    assert tree(checkout) == before and weights.is_dir() and not state.exists()


@thorough
def test_an_environment_that_is_there_is_taken_and_one_of_another_kind_made_anew(install, checkout):
    python = "python3"
    subprocess.run([python, "-m", "venv", checkout / ".venv"], check=True)
    (packages(checkout) / "theirs.py").touch()
    assert install("--yes").returncode == 0
    assert (packages(checkout) / "theirs.py").exists()
    (checkout / ".venv/bin/python").unlink()
    (checkout / ".venv/bin/python").symlink_to("/bin/false")
    assert install("--yes").returncode == 0
    assert told(checkout, "--version").startswith("medserver ")


@thorough
def test_sglang_gets_an_environment_of_its_own_and_is_a_gain_but_no_need(install, machine, checkout, index, tmp_path):
    card(machine, "9.0", "13.0")
    if ".venv-sglang" not in install("--plan").stdout:
        pytest.skip("SGLang needs Python 3.11 and glibc 2.34")
    wheels = shutil.copytree(index["PIP_FIND_LINKS"], tmp_path / "wheels")
    [number] = re.findall(r"^bitsandbytes==(.*)$", (checkout / "constraints.txt").read_text(), re.MULTILINE)
    wheel(wheels, "bitsandbytes", number)
    (checkout / ".venv").mkdir()  # what is there already needs no room, of which this machine may have too little
    own = checkout / ".venv-sglang"
    without = install("--yes", PIP_FIND_LINKS=str(wheels))
    assert without.returncode == 0 and "SGLang was not installed" in without.stdout, without.stderr
    assert told(checkout, "--version").startswith("medserver ") and not own.exists()

    [number] = re.findall(r"^SGLANG=(.*)$", (checkout / "installer/machine.sh").read_text(), re.MULTILINE)
    wheel(wheels, "sglang", number)
    brought = install("--yes", PIP_FIND_LINKS=str(wheels))
    assert brought.returncode == 0 and f"Installing SGLang {number}" in brought.stdout, brought.stderr
    assert list(own.glob("lib/python3*/site-packages/sglang")) and not (packages(checkout) / "sglang").exists()
    assert "SGLang" not in install("--yes", PIP_FIND_LINKS=str(wheels)).stdout
    assert install("--uninstall", "--yes").returncode == 0 and not own.exists()


@thorough
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_what_was_interrupted_half_way_is_mended_by_running_it_again(number, install, checkout, environ):
    heeding = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL), "start_new_session": True}
    argv, pipes = [str(checkout / "install.sh"), "--yes"], {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    child = subprocess.Popen(argv, env=environ, text=True, **pipes, **heeding)
    deadline = time.monotonic() + 120
    while not list(checkout.glob(".venv/lib/python3*/site-packages/torch*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(child.pid, number)
    said = child.communicate(timeout=60)[1]
    assert child.returncode in (130, -number)
    if number == signal.SIGINT:
        assert "Run it again" in said
    assert not (checkout / ".venv/installed").exists()
    assert install("--yes").returncode == 0
    assert told(checkout, "--version").startswith("medserver ")


def test_without_python_the_version_that_is_needed_is_said(install, machine, checkout):
    program(machine / "python3", "exit 1")
    done = install("--yes")
    assert done.returncode == 1 and "Python 3.10 to 3.14 is needed" in done.stderr
    assert not (checkout / ".venv").exists()


def test_without_the_module_venv_its_package_is_named(install, machine):
    real = (machine / "python3").read_text().splitlines()[1]
    debian = 'if [ "$1 $2" = "-m venv" ]; then echo "ensurepip is not available"; exit 1; fi'
    program(machine / "python3", f"{debian}\n{real}")
    done = install("--yes")
    assert done.returncode == 1 and "sudo apt-get install python3-venv" in done.stderr


def test_without_a_network_the_next_step_is_said(install, alone):
    done = install("--yes", before=alone, PIP_NO_INDEX=None, PIP_FIND_LINKS=None, PIP_RETRIES="0", PIP_TIMEOUT="2")
    assert done.returncode == 1, done.stdout
    last = done.stderr.splitlines()[-1]
    assert "No build of torch" in last and "--offline BUNDLE" in last and "HTTPS_PROXY" in last


@pytest.fixture(scope="session")
def small_disk() -> tuple[str, ...]:
    """Puts a small disk of its own at a folder, and runs a program then: small_disk FOLDER MEGABYTES PROGRAM..."""
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-m", "true"], capture_output=True).returncode:
        pytest.skip("a small disk of one's own needs Linux, unshare and the right to it")
    script = 'mount -t tmpfs -o size="$2m" none "$1" && shift 2 && exec "$@"'
    return (unshare, "-m", "sh", "-euc", script, "small_disk")


def test_too_little_room_is_said_before_anything_is_written(install, checkout, small_disk):
    inside = 'cp -r "$1/." "$2" && cd "$2" && shift 3 && exec ./install.sh "$@"'
    there = checkout.parent / "small"
    there.mkdir()
    (checkout.parent / "bin/cp").symlink_to(shutil.which("cp"))
    copied = ("sh", "-euc", inside, "sh", str(checkout), str(there))
    done = install("--yes", before=(*small_disk, str(there), "60", *copied))
    assert done.returncode == 1, done.stdout
    assert re.search(r"About 3 GB are needed in .* and \d+ MB are free", done.stderr), done.stderr


@thorough
def test_a_disk_that_fills_up_is_said_and_mended_once_there_is_room(install, checkout, small_disk):
    (checkout / ".venv").mkdir()
    done = install("--yes", before=(*small_disk, str(checkout / ".venv"), "4"))
    assert done.returncode == 1 and "The disk is full" in done.stderr, done.stderr
    assert install("--yes").returncode == 0


def test_a_wrong_call_is_a_sentence(install):
    for argv in (["--bogus"], ["--offline"], ["--serve"], ["--into", "x"]):
        done = install(*argv)
        assert done.returncode == 1 and done.stderr.splitlines()[-1].startswith("install.sh: "), argv
    assert install("--help").stdout.startswith("./install.sh ")
