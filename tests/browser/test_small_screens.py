"""A page of 320 px, and one that is zoomed to 200 %: in every state nothing is cut off that cannot be scrolled to."""

import pytest

from tests.browser.played import Played
from tests.browser.walk import Walk

SCREENS = {
    "320 px": {"viewport": {"width": 320, "height": 640}, "has_touch": True, "is_mobile": True},
    "200 %": {"viewport": {"width": 640, "height": 400}, "device_scale_factor": 2},
}
# The page scrolls one way alone, and what closes a dialog or agrees to it is seen whatever the text above it is.
CUT_OFF = """() => {
  const { scrollWidth, clientWidth } = document.documentElement;
  const outside = (node) => {
    const { left, right, top, bottom } = node.getBoundingClientRect();
    return left < 0 || top < 0 || right > innerWidth + 1 || bottom > innerHeight + 1;
  };
  const last = document.querySelector('dialog.dialog[open] .dialog-row');
  return [
    ...(scrollWidth > clientWidth ? [`scrolls ${scrollWidth - clientWidth} px sideways`] : []),
    ...[...(last?.children ?? [])].filter(outside).map((one) => `${one.textContent} is out of sight`),
  ];
}"""


@pytest.fixture(scope="module")
def front():
    with Played(docs=True, rate_limit="1000/second") as played:
        yield played


@pytest.mark.parametrize("screen", SCREENS)
def test_nothing_is_cut_off(browser, front, pictures, screen):
    walk = Walk(browser, front, lambda page: page.evaluate(CUT_OFF), **SCREENS[screen])
    walk.all(pictures)
    assert "\n".join(walk.found) == ""
    assert len(walk.seen) >= 40
