"""Two tabs of one browser: they add up, hear of each other, and are wiped together."""

import pytest

from tests.browser.conftest import SIZES
from tests.browser.reader import (
    DRAFT_IS_KEPT,
    act,
    ask,
    asked,
    button,
    empty,
    ended,
    eventually,
    kept,
    listed,
    tab,
    texts,
    until,
    watched,
)

LEFT = """async () => ({
  databases: (await indexedDB.databases()).length, local: Object.keys(localStorage), visit: Object.keys(sessionStorage),
})"""


@pytest.fixture(params=SIZES)
def page(request, browser, front):
    yield from watched(browser, front, SIZES[request.param])


def beside(page, front):
    """Another tab on the session in which `page` has asked its first question."""
    asked(page, front, "First", "One.")
    kept(page)
    other = tab(page.context, front)
    until(other, ["First"])
    other.locator(".session-open").click()
    other.get_by_text("One.", exact=True).wait_for()
    return other


def test_a_wiped_device_is_empty_in_every_tab(page, front, pictures):
    page.set_input_files("#image-input", pictures[:1])
    asked(page, front, "Wipe me", "Answer.")
    kept(page)
    page.fill("#prompt", "Wipe me as well")
    eventually(page, DRAFT_IS_KEPT, "Wipe me as well")
    other = tab(page.context, front)
    until(other, ["Wipe me"])
    other.locator(".session-open").click()
    other.get_by_text("Answer.", exact=True).wait_for()
    assert page.evaluate(LEFT)["databases"] == 1 and page.evaluate(LEFT)["local"] and page.evaluate(LEFT)["visit"]
    listed(page)  # on a phone it stands below them
    button(page, "Wipe this device").click()
    page.get_by_role("dialog").get_by_role("button", name="Wipe this device").click()
    for one in (page, other):
        one.get_by_text("This device is empty.").first.wait_for()
        assert texts(one) == [] and one.locator(".session").count() == 0
        assert one.evaluate(LEFT) == {"databases": 0, "local": [], "visit": []}
    asked(page, front, "After it", "It works.")
    until(page, ["After it"])
    until(other, ["After it"])


def test_two_tabs_on_one_session_add_up(page, front):
    other = beside(page, front)
    asked(other, front, "Second", "Two.")
    page.get_by_text("Two.", exact=True).wait_for()
    asked(page, front, "Third", "Three.")
    other.get_by_text("Three.", exact=True).wait_for()
    whole = ["First", "One.", "Second", "Two.", "Third", "Three."]
    for one in (page, other):
        one.reload()
        one.get_by_text("Three.", exact=True).wait_for()
        assert texts(one) == whole


def test_two_tabs_that_do_not_hear_each_other_overwrite_nothing(browser, front):
    for page in watched(browser, front, SIZES["desktop"], script="delete window.BroadcastChannel;"):
        other = beside(page, front)
        asked(page, front, "Here?", "From here.")
        asked(other, front, "There?", "From there.")
        kept(other)
        page.reload()
        page.get_by_text("Version 2 of 2").wait_for()
        assert texts(page) == ["First", "One.", "There?", "From there."]
        button(page, "Earlier version").click()
        page.get_by_text("From here.").wait_for()
        assert texts(page) == ["First", "One.", "Here?", "From here."]


def test_an_answer_in_another_tab_is_followed_and_can_be_stopped_from_here(page, front):
    other = beside(page, front)
    front.plays("Growing ", 60.0, "never")
    ask(page, "Second")
    other.get_by_text("Growing").wait_for()
    other.click("#stop")
    ended(page, "stopped")
    ended(other, "stopped")


def test_a_session_deleted_elsewhere_is_gone_here_and_does_not_come_back(page, front):
    asked(page, front, "Shared", "One.")
    kept(page)
    other = tab(page.context, front)
    act(other, "Shared", "Delete")
    page.get_by_text("This session was deleted in another tab.").first.wait_for()
    empty(page)
    asked(page, front, "Another", "Two.")
    until(other, ["Another"])
