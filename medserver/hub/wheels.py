"""The wheels of MedServer and all it needs, for a platform that need not be this one; pip fetches them in a child."""

import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import medserver
from medserver.hub.failures import HubFailure

_ROOT = Path(medserver.__file__).parent.parent
_QUIET = ("--disable-pip-version-check",)
_SOURCE = ("pyproject.toml", "setup.py", "README.md", "LICENSE", "NOTICE", "medserver")


def this_platform() -> str:
    """As wheels name it. For Linux the oldest C library that torch's wheels take, not this machine's."""
    if sys.platform == "linux":
        return f"manylinux_2_28_{platform.machine()}"
    return re.sub(r"[-.]", "_", sysconfig.get_platform())


def this_python() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def gather(into: Path, platform: str, python: str, extra: Sequence[str]) -> None:
    """Bring every wheel into a folder: MedServer's own, what it needs, and `extra` requirements.

    Raises:
        HubFailure: pip could not; its own words are on standard error.
    """
    into.mkdir(parents=True)
    own = _own_wheel(into)
    constraints = _ROOT / "constraints.txt"
    options = ["--constraint", str(constraints)] if constraints.is_file() else []
    for tag in tags(platform):
        options += ["--platform", tag]
    options += ["--python-version", python, "--implementation", "cp", "--only-binary", ":all:", "--dest", str(into)]
    _run("medserver.hub.target", platform, python, "download", *_QUIET, *options, str(own), *extra)


def installer(platform: str) -> dict[str, Path]:
    """The scripts that install a bundle on such a platform, by their names in it."""
    patterns = ("install.bat", "install.ps1") if platform.startswith("win") else ("install.sh", "installer/*.sh")
    return {one.relative_to(_ROOT).as_posix(): one for pattern in patterns for one in sorted(_ROOT.glob(pattern))}


def tags(platform: str) -> list[str]:
    """The platforms whose wheels run on this one; pip does not know that a newer glibc runs older wheels."""
    found = re.fullmatch(r"manylinux_2_(\d+)_(\w+)", platform)
    if not found:
        return [platform]
    newest, machine = int(found[1]), found[2]
    older = [f"manylinux_2_{minor}_{machine}" for minor in range(newest, 4, -1)]
    legacy = {"manylinux2014": 17, "manylinux2010": 12, "manylinux1": 5}
    return older + [f"{name}_{machine}" for name, minor in legacy.items() if minor <= newest]


def _own_wheel(into: Path) -> Path:
    if not (_ROOT / "pyproject.toml").is_file():
        raise HubFailure(
            "wheels", "Wheels are made from a checkout of MedServer's source. --no-wheels leaves them out."
        )
    with TemporaryDirectory() as copy:  # a build leaves files behind, which must not be in the next one
        for name in _SOURCE:
            _copy(_ROOT / name, Path(copy, name))
        _run("pip", "wheel", *_QUIET, "--no-deps", "--wheel-dir", str(into), copy)
    [own] = into.glob("medserver-*.whl")
    return own


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    elif source.is_file():
        shutil.copyfile(source, target)


def _run(module: str, *argv: str) -> None:
    command = [sys.executable, "-m", module, *argv]
    if subprocess.run(command, stdout=sys.stderr, stdin=subprocess.DEVNULL).returncode:
        raise HubFailure(
            "wheels",
            "pip could not fetch every wheel; its own words are above. Another --platform or --python may have them, "
            "PIP_EXTRA_INDEX_URL names another source, --no-wheels leaves them out.",
        )
