"""Environments in which the peers run, each apart from the project's own; it starts none of them.

It takes some minutes and 9 GB for all three. A folder that is there already is left as it is.
"""

import subprocess
import sys
import venv
from importlib.metadata import version
from pathlib import Path

from benchmarks.peers import FOLDERS

HERE = Path(__file__).parent
ENGINES = HERE.parent / "tests" / "engines" / "environments" / "make.py"


def python_of(directory: Path, name: str) -> Path:
    return directory / FOLDERS[name] / "bin" / "python"


def known(directory: Path | None) -> dict[str, Path]:
    """The interpreters that are there, by the peers' names."""
    if directory is None:
        return {}
    return {name: python for name in FOLDERS if (python := python_of(directory, name)).exists()}


def make(directory: Path) -> None:
    for name in FOLDERS:
        python = python_of(directory, name)
        if python.exists():
            print(f"{name}: {python} is there")
        elif name == "transformers serve":
            _serve(python)
        else:
            subprocess.run([sys.executable, str(ENGINES), FOLDERS[name], str(python.parent.parent)], check=True)


def _serve(python: Path) -> None:
    """`transformers serve` with our own versions of torch and transformers, so that only the serving differs."""
    venv.create(python.parent.parent, with_pip=True)
    pip = [str(python), "-m", "pip", "--quiet", "install"]
    subprocess.run([*pip, f"torch=={version('torch')}"], check=True)
    subprocess.run([*pip, f"transformers[serving]=={version('transformers')}", "pillow", "typer"], check=True)
