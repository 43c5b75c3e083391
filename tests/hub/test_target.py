"""Wheels for a machine that this one is not: its requirements are gathered, and not this one's."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from medserver.hub.target import differences
from medserver.hub.wheels import this_python
from tests.wheels import wheel


@pytest.mark.parametrize(
    ("platform", "said"),
    [
        ("win_amd64", ("nt", "win32", "Windows", "AMD64")),
        ("win_arm64", ("nt", "win32", "Windows", "ARM64")),
        ("win32", ("nt", "win32", "Windows", "x86")),
        ("macosx_11_0_arm64", ("posix", "darwin", "Darwin", "arm64")),
        ("manylinux_2_28_x86_64", ("posix", "linux", "Linux", "x86_64")),
        ("manylinux2014_aarch64", ("posix", "linux", "Linux", "aarch64")),
        ("musllinux_1_2_x86_64", ("posix", "linux", "Linux", "x86_64")),
        ("linux_x86_64", ("posix", "linux", "Linux", "x86_64")),
    ],
)
def test_a_platform_says_what_markers_ask(platform, said):
    found = differences(platform, "3.99")
    assert tuple(found[name] for name in ("os_name", "sys_platform", "platform_system", "platform_machine")) == said
    assert (found["python_version"], found["python_full_version"]) == ("3.99", "3.99.0")


def test_the_same_python_keeps_its_last_number():
    assert "python_full_version" not in differences("win_amd64", this_python())


MARKERS = {
    "for-windows": 'sys_platform == "win32"',
    "for-linux": 'platform_system == "Linux"',
    "for-arm": 'platform_machine == "aarch64"',
    "for-old": 'python_version < "3.11"',
    "for-new": 'python_version >= "3.14"',
}


@pytest.mark.parametrize(
    ("platform", "python", "expected", "pinned"),
    [
        ("win_amd64", "3.10", {"for_windows", "for_old"}, "1"),
        ("manylinux_2_28_x86_64", "3.10", {"for_linux", "for_old"}, "1"),
        ("manylinux_2_28_aarch64", "3.14", {"for_linux", "for_arm", "for_new"}, "2"),
    ],
)
def test_pip_gathers_what_that_machine_needs_in_the_versions_pinned_for_it(
    platform, python, expected, pinned, tmp_path
):
    index: Path = tmp_path / "index"
    index.mkdir()
    for name in MARKERS:
        wheel(index, name, "1")
    for number in ("1", "2"):
        wheel(index, "pinned", number)
    wheel(index, "outer", "1", requires=("pinned", *(f"{name}; {marker}" for name, marker in MARKERS.items())))
    (tmp_path / "constraints.txt").write_text(
        'pinned==1; python_version < "3.11"\npinned==2; python_version >= "3.11"\n'
    )
    argv = ["download", "--quiet", "--no-index", "--find-links", str(index), "--constraint", "constraints.txt"]
    argv += ["--platform", platform, "--python-version", python, "--only-binary", ":all:", "--dest", "out", "outer"]
    done = subprocess.run(
        [sys.executable, "-m", "medserver.hub.target", platform, python, *argv],
        cwd=tmp_path,
        env=os.environ | {"PIP_CONFIG_FILE": os.devnull},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = {one.name.split("-")[0]: one.name.split("-")[1] for one in (tmp_path / "out").iterdir()}
    assert found == {"outer": "1", "pinned": pinned} | dict.fromkeys(expected, "1")
