"""What axe finds on every state of the page, in each theme, on a desktop and on a phone: nothing."""

import importlib.util
from pathlib import Path

import pytest

from tests.browser.conftest import SIZES
from tests.browser.played import Played
from tests.browser.walk import Walk

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# One theme is looked at whole; the others differ in their colours alone. At which depth a model begins its headings is
# its own.
RUN = """async ([tags]) => {
  const found = [];
  const look = async (theme, runOnly, rules = {}) => {
    document.documentElement.dataset.theme = theme;
    const { violations } = await axe.run(document, { runOnly, rules, resultTypes: ['violations'] });
    for (const { id, nodes } of violations) {
      for (const { target, any } of nodes) found.push([theme, id, target.join(' '), any[0]?.message ?? ''].join(' · '));
    }
  };
  await look('light', { type: 'rule', values: ['color-contrast'] });
  await look('contrast', { type: 'rule', values: ['color-contrast'] });
  await look('dark', { type: 'tag', values: tags }, { 'heading-order': { enabled: false } });
  return found;
}"""
TOUCH = {"has_touch": True, "is_mobile": True}


@pytest.fixture(scope="module")
def axe():
    """What axe finds on a page."""
    found = importlib.util.find_spec("axe_playwright_python")
    if found is None:
        pytest.skip("axe-playwright-python, which brings axe, is not installed")
    script = Path(found.submodule_search_locations[0], "axe.min.js").read_text(encoding="utf-8")

    def look(page) -> list[str]:
        if not page.evaluate("'axe' in window"):
            page.evaluate(script)
        return page.evaluate(RUN, [RULES])

    return look


@pytest.fixture(scope="module")
def front():
    with Played(docs=True, rate_limit="1000/second") as played:
        yield played


@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing_in_any_state(browser, front, axe, pictures, size):
    walk = Walk(browser, front, axe, SIZES[size], **(TOUCH if size == "phone" else {}))
    walk.all(pictures)
    assert "\n".join(walk.found) == ""
    assert len(set(walk.seen)) == len(walk.seen) >= 40
