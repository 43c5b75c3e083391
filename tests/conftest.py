"""Fixtures that every level of tests shares."""

import sys
from pathlib import Path

import pytest

import medserver.worker  # noqa: F401  (sets how torch's threads wait, before anything imports torch)

ROOT = Path(__file__).parent.parent
# The tools that make checkpoints live in the repository and are not installed.
sys.path.insert(0, str(ROOT))

LONGEST = ROOT / "tests" / "safety" / "test_long_load.py"


def pytest_collection_modifyitems(items):
    """What takes ten minutes and hardly any time of the machine comes first: all else is done beside it."""
    items.sort(key=lambda item: item.path != LONGEST)


@pytest.fixture(scope="session")
def multimodal_checkpoint(tmp_path_factory) -> Path:
    from tests import checkpoints

    return checkpoints.make(tmp_path_factory.mktemp("multimodal"), images=True)


@pytest.fixture(scope="session")
def text_checkpoint(tmp_path_factory) -> Path:
    from tests import checkpoints

    return checkpoints.make(tmp_path_factory.mktemp("text"), images=False)


@pytest.fixture(scope="session")
def server(multimodal_checkpoint):
    """A real server with a real worker, generous limits, shared by tests that leave it as they found it."""
    from tests.serving import Running

    with Running("-m", "demo", "--model-path", str(multimodal_checkpoint), "--rate-limit", "10000/minute",
                 "--max-user-streams", "128") as running:  # fmt: skip
        yield running.until_ready()
