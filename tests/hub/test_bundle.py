"""One carryable thing: packed, carried, refused where it is torn or changed, and installed without a network."""

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from medserver import __version__
from medserver.hub import manifest, record
from medserver.hub.wheels import tags
from tests.hub.standin import COMMIT, FILES, REPO, WANTED
from tests.wheels import can_build, empty_index

ONE = "weights/model-00001-of-00002.safetensors"


@pytest.fixture
def weights(hub, medserver, tmp_path) -> Path:
    assert medserver("download", "-m", "4", "--to", "fetched").returncode == 0
    return tmp_path / "fetched"


@pytest.fixture(params=["folder", "carried.tar"])
def bundle(request, weights, medserver, tmp_path) -> Path:
    done = medserver("bundle", "-m", "4", "--from", weights, "--no-wheels", "--to", request.param)
    assert done.returncode == 0, done.stderr
    return tmp_path / request.param


def unpacked(bundle: Path) -> Path:
    if bundle.is_dir():
        return bundle
    out = bundle.parent / "out"
    out.mkdir()
    subprocess.run(["tar", "-xf", bundle, "-C", out], check=True)
    return out / "medserver-bundle"


def packed_again(bundle: Path, folder: Path) -> None:
    """Put a changed folder in the bundle's place, whatever it is."""
    if bundle == folder:
        return
    with tarfile.open(bundle, "w") as tar:
        first = folder / manifest.NAME
        for file in [first, *(one for one in sorted(folder.rglob("*")) if one.is_file() and one != first)]:
            tar.add(file, f"medserver-bundle/{file.relative_to(folder).as_posix()}")


def test_it_holds_what_it_says_and_is_verified_where_it_arrives(bundle, medserver):
    done = medserver("verify", bundle, HF_HUB_OFFLINE="1")
    assert done.returncode == 0, done.stderr
    assert f"{REPO} at {COMMIT}" in done.stdout and "no wheels" in done.stdout
    folder = unpacked(bundle)
    assert all((folder / "weights" / name).read_bytes() == FILES[name] for name in WANTED)
    assert manifest.fingerprint((folder / manifest.NAME).read_bytes()) in done.stdout
    assert "medserver -m 4 --model-path weights" in (folder / "INSTALL.txt").read_text()
    assert medserver("verify", folder / "weights").returncode == 0, "its weights are a download as any other"


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="sha256sum is not on this machine")
def test_it_can_be_checked_without_medserver(bundle):
    folder = unpacked(bundle)
    assert subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=folder).returncode == 0
    (folder / "weights/config.json").write_text("{}")
    done = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 1 and "config.json" in done.stdout


def test_what_was_changed_is_missing_or_was_added_is_named(bundle, medserver):
    folder = unpacked(bundle)
    body = bytearray((folder / ONE).read_bytes())
    body[7] ^= 1
    (folder / ONE).write_bytes(body)
    (folder / "weights/config.json").unlink()
    (folder / "wheels").mkdir()
    (folder / "wheels/evil.whl").write_bytes(b"x")
    packed_again(bundle, folder)
    done = medserver("verify", bundle)
    assert (done.returncode, done.stdout) == (1, "")
    named = [line.strip() for line in done.stderr.splitlines() if line.startswith("  ")]
    assert named == ["missing: weights/config.json", f"changed: {ONE}", "not recorded: wheels/evil.whl"]
    assert "Do not install it: carry it over again." in done.stderr


def test_a_file_that_a_desktop_left_in_it_can_be_taken_away(weights, medserver, tmp_path):
    assert medserver("bundle", "-m", "4", "--from", weights, "--no-wheels", "--to", "out").returncode == 0
    (tmp_path / "out/.DS_Store").touch()
    done = medserver("verify", "out")
    assert done.returncode == 1 and "not recorded: .DS_Store" in done.stderr
    assert "Do not install it: take away what is not recorded." in done.stderr
    (tmp_path / "out/.DS_Store").unlink()
    assert medserver("verify", "out").returncode == 0


def test_a_torn_tar_is_refused_with_the_files_named(weights, medserver, tmp_path):
    assert medserver("bundle", "-m", "4", "--from", weights, "--no-wheels", "--to", "a.tar").returncode == 0
    whole = (tmp_path / "a.tar").read_bytes()
    for kept in (len(whole) // 2, 40_000):
        (tmp_path / "a.tar").write_bytes(whole[:kept])
        done = medserver("verify", "a.tar")
        assert done.returncode == 1 and "changed: weights/" in done.stderr and "Traceback" not in done.stderr, (
            done.stderr
        )
    (tmp_path / "a.tar").write_bytes(whole[:600])
    assert medserver("verify", "a.tar").returncode == 24


def test_a_second_file_of_a_name_and_one_that_leads_elsewhere_are_refused(weights, medserver, tmp_path):
    assert medserver("bundle", "-m", "4", "--from", weights, "--no-wheels", "--to", "a.tar").returncode == 0
    with tarfile.open(tmp_path / "a.tar", "a") as tar:
        tar.add(weights / "config.json", "medserver-bundle/weights/config.json")
        tar.add(weights / "config.json", "medserver-bundle/../../escaped")
    done = medserver("verify", "a.tar")
    assert done.returncode == 1
    assert "not recorded: weights/config.json" in done.stderr and "not recorded: ../../escaped" in done.stderr


@pytest.mark.parametrize("text", [b"", b"[]", b'{"format": 1, "files": [{"path": "/x", "size": 1, "sha256": ""}]}'])
def test_a_manifest_that_cannot_be_read_is_refused(text, medserver, tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / manifest.NAME).write_bytes(text)
    done = medserver("verify", "b")
    assert done.returncode == 24 and "Traceback" not in done.stderr


def test_weights_that_are_not_whole_are_not_packed(weights, medserver, tmp_path):
    shard = weights / Path(ONE).name
    body = bytearray(shard.read_bytes())
    body[-1] ^= 1
    shard.write_bytes(body)
    done = medserver("bundle", "-m", "4", "--from", weights, "--no-wheels", "--to", "out")
    assert done.returncode == 23 and f"changed: {ONE}" in done.stderr
    os.truncate(shard, 10)
    done = medserver("bundle", "-m", "4", "--from", weights, "--no-wheels", "--to", "out")
    assert done.returncode == 23 and shard.name in done.stderr
    assert not [one.name for one in tmp_path.iterdir() if one.name.startswith(("out", ".medserver"))]


def test_nothing_is_overwritten(weights, medserver, tmp_path):
    (tmp_path / "there").mkdir()
    done = medserver("bundle", "-m", "4", "--from", weights, "--no-wheels", "--to", "there")
    assert done.returncode == 22 and "there already" in done.stderr


def test_weights_that_are_not_here_are_asked_for(medserver):
    done = medserver("bundle", "-m", "27t", "--no-wheels", "--to", "out")
    assert done.returncode == 24 and "medserver download -m 27t" in done.stderr


@pytest.fixture
def index(tmp_path) -> dict[str, str]:
    """What makes pip see only a folder of empty packages."""
    # The last is pip's way to say: build with the setuptools that is here.
    return {**empty_index(tmp_path / "index"), "PIP_NO_BUILD_ISOLATION": "0"}


@pytest.mark.skipif(not can_build(), reason="building MedServer's own wheel here needs setuptools 77")
def test_a_platform_without_wheels_is_said(weights, medserver, index, tmp_path):
    done = medserver("bundle", "-m", "4", "--from", weights, "--platform", "win_arm64", "--to", "out", **index)
    assert done.returncode == 26 and "torch" in done.stderr and "--no-wheels" in done.stderr
    assert not [one.name for one in tmp_path.iterdir() if one.name.startswith(("out", ".medserver"))]


@pytest.mark.skipif(not can_build() or sys.platform != "linux", reason="needs setuptools 77, on Linux")
def test_wheels_come_along_and_install_where_there_is_no_network(weights, medserver, index, environment, tmp_path):
    """The wheel of MedServer is the real one; what it needs are empty packages, so only its shell runs."""
    done = medserver("bundle", "-m", "4", "--from", weights, "--to", "out", **index)
    assert done.returncode == 0, done.stderr
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert f"Python {here} is needed" in (tmp_path / "out/INSTALL.txt").read_text()
    assert (tmp_path / "out/install.sh").is_file() and (tmp_path / "out/installer/bundle.sh").is_file()
    names = {one.name.split("-")[0] for one in (tmp_path / "out/wheels").iterdir()}
    assert {"medserver", "torch", "fastapi", "huggingface_hub"} <= names
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    pip = [sys.executable, "-m", "pip", "--python", str(tmp_path / "env/bin/python"), "install", "--quiet"]
    done = subprocess.run(
        [*pip, "--no-index", "--find-links", "wheels", "medserver"],
        cwd=tmp_path / "out",
        env=environment | {"PIP_CONFIG_FILE": os.devnull},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    told = subprocess.run([tmp_path / "env/bin/medserver", "--version"], capture_output=True, text=True, cwd=tmp_path)
    assert told.stdout == f"medserver {__version__}\n"
    assert list((tmp_path / "env").rglob("medserver/static/index.html")), "the page is in the wheel"
    next((tmp_path / "out/wheels").glob("torch-*")).write_bytes(b"another torch")
    done = medserver("verify", "out")
    assert done.returncode == 1 and "changed: wheels/torch-" in done.stderr


def test_a_newer_c_library_runs_older_wheels():
    found = tags("manylinux_2_28_x86_64")
    assert found[0] == "manylinux_2_28_x86_64" and "manylinux2014_x86_64" in found and "manylinux_2_17_x86_64" in found
    assert "manylinux2014_x86_64" not in tags("manylinux_2_12_x86_64")
    assert tags("win_amd64") == ["win_amd64"]


def test_the_steps_for_windows_are_for_its_shell():
    said = manifest.steps("4", "win_amd64", "3.12").decode()
    assert "Get-FileHash" in said and "install.bat --into ../medserver" in said and "Scripts/medserver" in said


def test_a_bundle_is_unpacked_to_where_a_server_finds_it(bundle, hub, medserver, environment):
    hub.asked.clear()
    done = medserver("unpack", bundle)
    assert done.returncode == 0, done.stderr
    [folder] = Path(environment["HF_HOME"]).glob(f"hub/*/snapshots/{COMMIT}")
    assert str(folder) in done.stdout and all((folder / name).read_bytes() == FILES[name] for name in WANTED)
    assert not (folder / record.PARTIAL).exists()
    assert medserver("verify", "-m", "4").returncode == 0 and not hub.asked
    (folder / Path(ONE).name).write_bytes(b"short")
    (folder / record.NAME).unlink()
    again = medserver("unpack", bundle)
    assert again.returncode == 0 and (folder / Path(ONE).name).read_bytes() == FILES[Path(ONE).name]
    assert "Writing: 3.0 MB of 3.0 MB" in again.stderr, "only what was not right"


def test_nothing_torn_or_changed_is_unpacked(bundle, medserver, tmp_path):
    folder = unpacked(bundle)
    body = bytearray((folder / ONE).read_bytes())
    body[7] ^= 1
    (folder / ONE).write_bytes(body)
    packed_again(bundle, folder)
    done = medserver("unpack", bundle, "--to", "there")
    assert done.returncode == 23 and ONE in done.stderr and "Carry" in done.stderr
    assert not (tmp_path / "there" / Path(ONE).name).exists() and not (tmp_path / "there" / record.NAME).exists()
    (folder / ONE).unlink()
    packed_again(bundle, folder)
    done = medserver("unpack", bundle, "--to", "there")
    assert done.returncode == 23 and f"{ONE} is missing" in done.stderr
