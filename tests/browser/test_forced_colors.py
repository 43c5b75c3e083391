"""Where the reader's own colours rule, a film still stands on black and every sign is seen."""

import pytest

from tests.browser.conftest import WIDE, opened
from tests.browser.films import add, target, view

COLOURS = """([node, ...names]) => {
  const style = getComputedStyle(document.querySelector(node));
  return names.map((name) => style[name]);
}"""


@pytest.fixture
def page(browser, front):
    yield from opened(browser, front.port, WIDE, forced_colors="active")


def colours(page, node: str, *names: str) -> list[str]:
    return page.evaluate(COLOURS, [node, *names])


def test_a_film_stands_on_black(page):
    add(page, target())
    view(page)
    for node in (".viewer-stage", "#attachments .thumbnail"):
        assert colours(page, node, "backgroundColor") == ["rgb(0, 0, 0)"]


def test_signs_and_words_have_the_colours_of_the_system(page):
    [text] = colours(page, "body", "color")
    assert colours(page, "#status summary .icon", "stroke") == [text]
    ground, sign = colours(page, "#send", "backgroundColor", "color")
    assert ground not in (sign, colours(page, "body", "backgroundColor")[0]), "what is to be done next is set apart"
