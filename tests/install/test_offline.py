"""A bundle is carried to a machine without a network and installed there, or refused with the file named."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from medserver import __version__
from medserver.hub import record
from tests.hub.standin import COMMIT, WANTED, StandIn
from tests.install.conftest import thorough
from tests.install.test_install import told

ONE = "model-00001-of-00002.safetensors"


@pytest.fixture(scope="session")
def packed(tmp_path_factory, index) -> Path:
    """Made by the real commands; what MedServer needs are empty packages."""
    folder = tmp_path_factory.mktemp("packed")
    with StandIn() as hub:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MEDSERVER_")}
        env = {**kept, **index, "HF_HOME": str(folder / "hub"), "HF_ENDPOINT": hub.url, "NO_PROXY": "127.0.0.1"}
        for argv in (["download", "-m", "4"], ["bundle", "-m", "4", "--to", "carried"]):
            done = subprocess.run(
                [sys.executable, "-m", "medserver", *argv], cwd=folder, env=env, capture_output=True, text=True
            )
            assert done.returncode == 0, done.stderr
    return folder / "carried"


@pytest.fixture
def carried(packed, tmp_path) -> Path:
    return Path(shutil.copytree(packed, tmp_path / "the stick" / "carried"))


def installed(folder: Path) -> None:
    """MedServer is there and starts, its weights lie where it looks, and it asks no network."""
    assert told(folder, "--version") == f"medserver {__version__}\n"
    [weights] = folder.glob(f"weights/hub/*/snapshots/{COMMIT}")
    assert sorted(one.name for one in weights.iterdir()) == sorted([*WANTED, record.NAME])
    lines = (folder / ".env").read_text().splitlines()
    assert lines == ["HF_HUB_OFFLINE=1", f"HF_HOME='{folder}/weights'", "MEDSERVER_MODEL=4"]
    assert (folder / ".env").stat().st_mode & 0o777 == 0o600


def test_it_is_installed_from_a_folder_and_again(install, carried, alone, tmp_path, environ):
    for _ in range(2):
        done = install("--offline", carried, "--into", tmp_path / "opt/med server", before=alone, PIP_FIND_LINKS=None)
        assert done.returncode == 0, done.stderr
        installed(tmp_path / "opt/med server")
    assert "Writing: 0" in done.stderr.replace("0.0 kB of 0.0 kB", "0"), "the second time nothing had to be written"
    gone = install("--uninstall", "--into", tmp_path / "opt/med server")
    assert gone.returncode == 0 and [one.name for one in (tmp_path / "opt/med server").iterdir()] == ["weights"]


@thorough
def test_it_is_installed_by_the_script_that_came_in_it(carried, alone, environ):
    """Nothing but what was carried: no checkout."""
    done = subprocess.run(
        [*alone, "bash", carried / "install.sh"], env=environ, cwd="/", capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    installed(carried.parent / "medserver")
    assert not list(carried.rglob("__pycache__")), "the bundle is as it was"


@thorough
def test_it_is_installed_from_a_tar(install, carried, alone, tmp_path):
    with tarfile.open(tmp_path / "carried.tar", "w") as tar:
        first = carried / "medserver-bundle.json"
        for file in [first, *(one for one in sorted(carried.rglob("*")) if one.is_file() and one != first)]:
            tar.add(file, f"medserver-bundle/{file.relative_to(carried).as_posix()}")
    done = install("--offline", tmp_path / "carried.tar", "--into", tmp_path / "opt", before=alone)
    assert done.returncode == 0, done.stderr
    installed(tmp_path / "opt")
    assert not (tmp_path / "opt/.wheels").exists()


def test_it_is_installed_from_a_bare_folder_of_wheels(install, packed, checkout, alone):
    wheels = packed / "wheels"
    done = install("--offline", wheels, before=alone, PIP_FIND_LINKS=None)
    assert done.returncode == 0, done.stderr
    assert "no manifest" in done.stdout and "medserver doctor" in done.stdout
    assert told(checkout, "--version") == f"medserver {__version__}\n"
    assert not (checkout / ".env").exists(), "there are no weights, so nothing was decided"


@thorough
def test_a_checkout_is_installed_with_wheels_that_lack_its_own(install, packed, index, checkout, alone, tmp_path):
    gathered = Path(shutil.copytree(packed / "wheels", tmp_path / "the wheels"))
    next(gathered.glob("medserver-*")).unlink()
    [setuptools] = Path(index["PIP_FIND_LINKS"]).glob("setuptools-*")
    shutil.copy(setuptools, gathered)
    done = install("--offline", gathered, before=alone, PIP_FIND_LINKS=None)
    assert done.returncode == 0, done.stderr
    code = "import medserver; print(medserver.__file__)"
    where = subprocess.run([checkout / ".venv/bin/python", "-I", "-c", code], capture_output=True, text=True)
    assert where.stdout.startswith(str(checkout)), where.stderr


@pytest.mark.parametrize("missing", ["torch", pytest.param("fastapi", marks=thorough)])
def test_wheels_that_are_not_enough_are_said_by_name(install, packed, checkout, tmp_path, missing):
    gathered = Path(shutil.copytree(packed / "wheels", tmp_path / "wheels"))
    next(gathered.glob(f"{missing}-*")).unlink()
    done = install("--offline", gathered, PIP_FIND_LINKS=None)
    assert done.returncode == 1 and missing in done.stderr
    assert "Every package that MedServer needs has to be there" in done.stderr.splitlines()[-1]
    assert not (checkout / ".venv/installed").exists()


def test_a_folder_of_anything_else_is_refused(install, tmp_path):
    (tmp_path / "nothing").mkdir()
    done = install("--offline", tmp_path / "nothing")
    assert done.returncode == 1 and "neither a medserver-bundle.json nor wheels" in done.stderr


@pytest.mark.parametrize("trouble", ["changed", "missing", "added", "no manifest", "another python", "no bundle"])
def test_what_is_not_as_it_was_packed_is_not_installed(install, carried, tmp_path, trouble):
    named = {"changed": f"weights/{ONE}", "missing": "wheels/fastapi", "added": "wheels/evil.whl"}.get(trouble, "")
    if trouble == "changed":
        body = bytearray((carried / named).read_bytes())
        body[7] ^= 1
        (carried / named).write_bytes(body)
    elif trouble == "missing":
        next(carried.glob(f"{named}*")).unlink()
    elif trouble == "added":
        (carried / named).touch()
    elif trouble == "no manifest":
        (carried / "medserver-bundle.json").unlink()
    elif trouble == "another python":
        manifest = carried / "medserver-bundle.json"
        manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"python": "3.99"}))
        named = "Python 3.99 is needed"
    else:
        carried = tmp_path / "nowhere"
        named = "There is no bundle"
    done = install("--offline", carried, "--into", tmp_path / "opt")
    assert done.returncode == 1 and named in done.stderr, done.stderr
    assert "Traceback" not in done.stderr and not (tmp_path / "opt/.venv").exists()
