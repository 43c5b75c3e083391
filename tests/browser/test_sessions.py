"""What this device keeps: over a reload, in a list, in a file; and what is left of it in a new session."""

import json

import pytest

from tests.browser.conftest import SIZES
from tests.browser.reader import (
    act,
    asked,
    button,
    empty,
    ended,
    images_sent,
    images_shown,
    kept,
    listed,
    tab,
    texts,
    until,
    watched,
)

CAN_BE_SEEN = """(address) => new Promise((done) => {
  const image = new Image();
  image.onload = () => done(true);
  image.onerror = () => done(false);
  image.src = address;
})"""


@pytest.fixture
def page(browser, front):
    yield from watched(browser, front, SIZES["desktop"])


@pytest.fixture(params=SIZES)
def sized(request, browser, front):
    yield from watched(browser, front, SIZES[request.param])


def test_a_reload_keeps_the_session_with_its_images_and_sends_the_same_ones_again(page, front, pictures):
    page.set_input_files("#image-input", pictures)
    asked(page, front, "Compare these.", "The second is brighter.")
    sent = images_sent(front)
    kept(page)
    page.reload()
    page.get_by_text("The second is brighter.").wait_for()
    assert texts(page) == ["Compare these.", "The second is brighter."]
    assert images_shown(page) == len(sent) == 2
    asked(page, front, "Are you sure?", "Yes.")
    assert images_sent(front) == sent
    until(page, ["Compare these."])


def test_a_new_session_leaves_nothing_of_the_one_before(page, front, pictures):
    page.set_input_files("#image-input", pictures[:1])
    asked(page, front, "About the first patient.", "First answer.")
    address = page.locator(".turn-images img").get_attribute("src")
    assert page.evaluate(CAN_BE_SEEN, address)
    kept(page)
    page.click("#new-session")
    empty(page)
    assert not page.evaluate(CAN_BE_SEEN, address), "the page has let go of the image"
    page.reload()
    page.locator("#status").get_by_text("Ready", exact=True).wait_for()
    assert texts(page) == []
    asked(page, front, "About the second patient.", "Second answer.")
    said = json.dumps(front.asks[-1].messages)
    assert "first patient" not in said and "image_url" not in said
    other = tab(page.context, front)
    assert texts(other) == [], "a new tab begins with nothing"


def test_sessions_are_named_pinned_found_and_opened(sized, front):
    page = sized
    for number in ("one", "two", "three"):
        if texts(page):
            page.click("#new-session")
        asked(page, front, f"Question {number}", f"Réponse {number}.")
    until(page, ["Question three", "Question two", "Question one"])
    act(page, "Question one", "Rename")
    page.get_by_role("textbox", name="Title", exact=True).fill("Bed 12, chest film")
    page.keyboard.press("Enter")
    until(page, ["Question three", "Question two", "Bed 12, chest film"])
    act(page, "Question two", "Pin")
    until(page, ["Question two", "Question three", "Bed 12, chest film"])
    assert page.locator(".session-group").first.inner_text() == "Pinned"
    search = page.get_by_role("searchbox", name="Search sessions")
    search.fill("reponse ONE")
    until(page, ["Bed 12, chest film"])
    assert page.locator(".session mark").inner_text() in ("Réponse", "one")
    search.fill("nowhere")
    page.get_by_text("Nothing found for “nowhere”.").wait_for()
    search.fill("bed 12")
    until(page, ["Bed 12, chest film"])
    page.locator(".session-open").click()
    page.get_by_text("Réponse one.").wait_for()
    assert texts(page) == ["Question one", "Réponse one."]


def test_of_two_sessions_that_are_asked_for_in_a_row_the_last_one_opens(page, front):
    for number in ("one", "two"):
        asked(page, front, f"Question {number}", f"Answer {number}.")
        until(page, ["Question one"] if number == "one" else ["Question two", "Question one"])
        page.click("#new-session")
    empty(page)
    page.evaluate("document.querySelectorAll('.session-open').forEach((one) => one.click())")
    page.get_by_text("Answer one.").wait_for()
    assert texts(page) == ["Question one", "Answer one."]


def test_a_deleted_session_can_be_brought_back_whole(sized, front, pictures):
    page = sized
    page.set_input_files("#image-input", pictures[:1])
    asked(page, front, "With an image", "Answer.")
    until(page, ["With an image"])
    act(page, "With an image", "Delete")
    page.locator("#undo").get_by_text("The session “With an image” was deleted.").wait_for()
    assert texts(page) == [] and page.locator(".session").count() == 0
    page.locator("#undo").get_by_role("button", name="Undo").click()
    until(page, ["With an image"])
    page.locator(".session-open").click()
    page.get_by_text("Answer.", exact=True).wait_for()
    assert images_shown(page) == 1


def test_a_backup_brings_everything_back(page, front, pictures, tmp_path):
    page.set_input_files("#image-input", pictures)
    asked(page, front, "Compare", "First answer.")
    front.plays("Second answer.")
    button(page, "Regenerate answer").click()
    page.get_by_text("Version 2 of 2").wait_for()
    ended(page)
    until(page, ["Compare"])
    with page.expect_download() as download:
        button(page, "Back up all").click()
    assert download.value.suggested_filename.endswith(".json")
    file = tmp_path / "backup.json"
    download.value.save_as(file)
    act(page, "Compare", "Delete")
    page.locator("#undo").get_by_role("button", name="Dismiss").click()
    restore = page.locator("input[type=file][accept*=json]")
    restore.set_input_files(file)
    page.get_by_text("1 session restored.").first.wait_for()
    until(page, ["Compare"])
    page.locator(".session-open").click()
    page.get_by_text("Second answer.").wait_for()
    assert texts(page) == ["Compare", "Second answer."] and images_shown(page) == 2
    button(page, "Earlier version").click()
    page.get_by_text("First answer.").wait_for()
    restore.set_input_files(file)
    page.get_by_text("Nothing to restore.").first.wait_for()
    file.write_text(file.read_text()[:-40])
    restore.set_input_files(file)
    page.get_by_text("This file is not a backup of MedServer.").first.wait_for()
    assert listed(page) == ["Compare"]
