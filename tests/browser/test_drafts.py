"""What is typed and not sent is neither thrown away unasked nor lost by a reload."""

import pytest

from tests.browser.conftest import SIZES
from tests.browser.reader import (
    DRAFT_IS_KEPT,
    act,
    asked,
    empty,
    ended,
    eventually,
    images_sent,
    images_shown,
    stored,
    tab,
    watched,
)

BOTH_ARE_KEPT = stored("drafts.map((one) => one.text).sort().join() === about", "drafts")


@pytest.fixture
def page(browser, front):
    yield from watched(browser, front, SIZES["desktop"])


def test_a_draft_is_not_thrown_away_unasked(page, front):
    asked(page, front, "Before", "Answer.")
    page.fill("#prompt", "Not sent yet")
    page.click("#new-session")
    page.get_by_role("button", name="Stay here").click()
    assert page.input_value("#prompt") == "Not sent yet"
    page.click("#new-session")
    page.get_by_role("button", name="Leave", exact=True).click()
    empty(page)


def test_a_draft_outlives_a_reload_with_its_images_and_nothing_else(page, front, pictures):
    page.set_input_files("#image-input", pictures)
    page.get_by_label("Label of image 1", exact=True).select_option("prior")
    page.fill("#prompt", "Not sent yet")
    eventually(page, DRAFT_IS_KEPT, "Not sent yet")
    page.reload()
    page.locator("#attachments img").nth(1).wait_for()
    assert page.input_value("#prompt") == "Not sent yet"
    assert page.get_by_label("Label of image 1", exact=True).input_value() == "prior"
    other = tab(page.context, front)
    assert other.input_value("#prompt") == "" and other.locator("#attachments li").count() == 0
    front.plays("Both are clear.")
    page.click("#send")
    ended(page)
    assert len(images_sent(front)) == 2
    page.fill("#prompt", "And now?")
    eventually(page, DRAFT_IS_KEPT, "And now?")
    page.reload()
    page.get_by_text("Both are clear.").wait_for()
    page.wait_for_function("() => document.querySelector('#prompt').value === 'And now?'")
    assert images_shown(page) == 2
    page.click("#new-session")
    page.get_by_role("button", name="Leave", exact=True).click()
    empty(page)
    act(page, "Not sent yet", "Delete")
    page.locator("#undo").get_by_role("button", name="Dismiss").click()
    eventually(page, DRAFT_IS_KEPT, None)
    page.reload()
    page.locator("#status").get_by_text("Ready", exact=True).wait_for()
    empty(page)


def test_a_duplicated_tab_has_a_draft_of_its_own(page):
    page.fill("#prompt", "In the first")
    eventually(page, DRAFT_IS_KEPT, "In the first")
    with page.context.expect_page() as opened:
        page.evaluate("() => { window.open('/'); }")  # which copies what a tab remembers, as duplicating it does
    twin = opened.value
    twin.locator("#status").get_by_text("Ready", exact=True).wait_for()
    assert twin.evaluate("sessionStorage.tab") != page.evaluate("sessionStorage.tab")
    twin.fill("#prompt", "In the second")
    eventually(twin, BOTH_ARE_KEPT, "In the first,In the second")
    for one, text in ((page, "In the first"), (twin, "In the second")):
        one.reload()
        one.wait_for_function("(text) => document.querySelector('#prompt').value === text", arg=text)
