"""Wheels for tests: empty packages in the place of large ones, and small ones that are here as wheels again."""

import os
import platform
import re
import zipfile
from importlib import metadata
from pathlib import Path

from tests.conftest import ROOT

HERE = f"py3-none-manylinux_2_17_{platform.machine()}"


def wheel(folder: Path, name: str, number: str, *, tag: str = "py3-none-any", requires: tuple[str, ...] = ()) -> Path:
    """A package as a wheel that can be imported and holds nothing."""
    module = name.replace("-", "_")
    info = f"{module}-{number}.dist-info"
    at = folder / f"{module}-{number}-{tag}.whl"
    needs = "".join(f"Requires-Dist: {one}\n" for one in requires)
    with zipfile.ZipFile(at, "w") as made:
        made.writestr(f"{module}/__init__.py", f"__version__ = {number!r}\n")
        made.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {number}\n{needs}")
        made.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: {tag}\n")
        made.writestr(f"{info}/RECORD", "")
    return at


def needed() -> list[str]:
    """The distributions that MedServer requires without extras, as its source names them."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    [section] = re.findall(r"^dependencies = \[\n(.*?)^\]", text, re.MULTILINE | re.DOTALL)
    return re.findall(r'^ *"([\w.-]+)', section, re.MULTILINE)


def empty_index(folder: Path, *, real: tuple[str, ...] = ()) -> dict[str, str]:
    """A folder of empty packages, named and numbered as those that MedServer needs, and of `real` ones.

    Returns what lets pip see it alone.
    """
    folder.mkdir()
    for name in real:
        packed_again(folder, name)
    for name in set(needed()) - set(real):
        wheel(folder, name, metadata.version(name).split("+")[0], tag=HERE if name == "torch" else "py3-none-any")
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder), "PIP_CONFIG_FILE": os.devnull}


def can_build() -> bool:
    """Whether MedServer can be built with the setuptools that is here."""
    try:
        return int(metadata.version("setuptools").split(".")[0]) >= 77
    except metadata.PackageNotFoundError:
        return False


def packed_again(folder: Path, name: str) -> Path:
    """An installed distribution of Python alone as a wheel again, where a real one is needed and no network is."""
    here = metadata.distribution(name)
    at = folder / f"{here.name.replace('-', '_')}-{here.version}-py3-none-any.whl"
    left_out = {"..", "__pycache__", "INSTALLER", "REQUESTED", "direct_url.json"}
    with zipfile.ZipFile(at, "w") as made:
        for file in here.files:
            if not left_out & set(file.parts):
                made.write(here.locate_file(file), file.as_posix())
    return at
