"""The stand-in Hub, and the real command as a child that knows no other."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.hub.standin import StandIn

Run = Callable[..., subprocess.CompletedProcess]


@pytest.fixture
def hub() -> Iterator[StandIn]:
    with StandIn() as standing:
        yield standing


@pytest.fixture
def environment(hub: StandIn, tmp_path: Path) -> dict[str, str]:
    """Of a person whose home is empty and whose Hub is the stand-in."""
    foreign = ("HF_", "HUGGING", "MEDSERVER_", "SSL_")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(foreign) and "PROXY" not in name.upper()
    }
    home = tmp_path / "home"
    home.mkdir()
    return kept | {"HOME": str(home), "HF_HOME": str(home / "hub"), "HF_ENDPOINT": hub.url, "NO_PROXY": "127.0.0.1"}


@pytest.fixture
def medserver(environment: dict[str, str], tmp_path: Path) -> Run:
    def run(*argv: str | Path, **changed: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-m", "medserver", *map(str, argv)],
            env=environment | changed,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run
