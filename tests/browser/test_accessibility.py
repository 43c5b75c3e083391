"""What axe finds on every state of the page, in each theme, on a desktop and on a phone: nothing."""

import importlib.util
from pathlib import Path

import pytest

from tests.browser.conftest import SIZES
from tests.browser.played import Played
from tests.browser.walk import Walk


@pytest.fixture(scope="module")
def axe() -> str:
    found = importlib.util.find_spec("axe_playwright_python")
    if found is None:
        pytest.skip("axe-playwright-python, which brings axe, is not installed")
    return Path(found.submodule_search_locations[0], "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def front():
    with Played(docs=True, rate_limit="1000/second") as played:
        yield played


@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing_in_any_state(browser, front, axe, pictures, size):
    walk = Walk(browser, front, axe, size)
    walk.first_visit()
    walk.answers()
    walk.endings()
    walk.changes()
    walk.draft(pictures)
    walk.viewer()
    walk.dialogs()
    walk.settings()
    walk.sessions()
    walk.troubles()
    walk.other_pages()
    walk.context.close()
    assert "\n".join(walk.found) == ""
    assert len(set(walk.seen)) == len(walk.seen) >= 36
