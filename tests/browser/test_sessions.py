"""What this device keeps: over a reload, in a list, between tabs, in a file; and what is left of it at the end."""

import json

import pytest

from tests.browser.conftest import SIZES
from tests.browser.played import Played
from tests.browser.reader import ask, asked, button, ended, eventually, kept, tab, texts, watched

# A disk that is full until the test says otherwise.
FULL = """
  const put = IDBObjectStore.prototype.put;
  IDBObjectStore.prototype.put = function (...record) {
    if (!window.emptied) throw new DOMException('no room', 'QuotaExceededError');
    return put.apply(this, record);
  };
"""
CAN_BE_SEEN = """(address) => new Promise((done) => {
  const image = new Image();
  image.onload = () => done(true);
  image.onerror = () => done(false);
  image.src = address;
})"""
LEFT = """async () => ({
  databases: (await indexedDB.databases()).length, local: Object.keys(localStorage), visit: Object.keys(sessionStorage),
})"""


@pytest.fixture(scope="module")
def front():
    with Played() as played:
        yield played


@pytest.fixture
def page(browser, front):
    yield from watched(browser, front, SIZES["desktop"])


@pytest.fixture(params=SIZES)
def sized(request, browser, front):
    yield from watched(browser, front, SIZES[request.param])


def listed(page) -> list[str]:
    """The titles of the sessions, in their order; on a phone they lie in a sheet."""
    if not page.get_by_role("searchbox", name="Search sessions").is_visible():
        page.click("#show-sessions")
    return page.locator(".session-title").all_inner_texts()


def act(page, title: str, action: str) -> None:
    """One of the actions of a session."""
    listed(page)
    more = page.get_by_role("button", name=f"Actions for {title}", exact=True)
    if more.get_attribute("aria-expanded") == "false":
        more.click()
    page.locator(".session").filter(has_text=title).get_by_role("button", name=action, exact=True).click()


def until(page, titles: list[str]) -> None:
    """Until the list is this."""
    listed(page)
    page.wait_for_function(
        """(wanted) => {
          const titles = [...document.querySelectorAll('.session-title')].map((one) => one.textContent);
          return titles.length === wanted.length && titles.every((one, index) => one === wanted[index]);
        }""",
        arg=titles,
    )


def empty(page) -> None:
    page.wait_for_function("() => document.querySelectorAll('#transcript article').length === 0")
    assert page.input_value("#prompt") == ""


def images_shown(page) -> int:
    page.wait_for_function(
        "() => [...document.querySelectorAll('.turn-images img')].every((one) => one.naturalWidth > 0)"
    )
    return page.locator(".turn-images img").count()


def images_sent(front) -> list[str]:
    parts = [one["content"] for one in front.asks[-1].messages if isinstance(one["content"], list)]
    return [part["image_url"]["url"] for content in parts for part in content if part["type"] == "image_url"]


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


def test_a_draft_is_not_thrown_away_unasked(page, front):
    asked(page, front, "Before", "Answer.")
    page.fill("#prompt", "Not sent yet")
    page.click("#new-session")
    page.get_by_role("button", name="Stay here").click()
    assert page.input_value("#prompt") == "Not sent yet"
    page.click("#new-session")
    page.get_by_role("button", name="Leave", exact=True).click()
    empty(page)


DRAFT_IS_KEPT = """async (text) => {
  const result = (asked) => new Promise((done, failed) => {
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => failed(asked.error);
  });
  const database = await result(indexedDB.open('medserver'));
  const drafts = await result(database.transaction('drafts').objectStore('drafts').getAll());
  const images = await result(database.transaction('images').objectStore('images').getAll());
  database.close();
  return text === null ? drafts.length + images.length === 0 : drafts.length === 1 && drafts[0].text === text;
}"""


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
    asked(page, front, "First", "One.")
    kept(page)
    other = tab(page.context, front)
    until(other, ["First"])
    other.locator(".session-open").click()
    other.get_by_text("One.", exact=True).wait_for()
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
        asked(page, front, "First", "One.")
        kept(page)
        other = tab(page.context, front)
        until(other, ["First"])
        other.locator(".session-open").click()
        other.get_by_text("One.", exact=True).wait_for()
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
    asked(page, front, "First", "One.")
    kept(page)
    other = tab(page.context, front)
    until(other, ["First"])
    other.locator(".session-open").click()
    other.get_by_text("One.", exact=True).wait_for()
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


def test_a_full_disk_is_said_the_chat_goes_on_and_what_was_said_is_kept_later(browser, front):
    for page in watched(browser, front, SIZES["desktop"], script=FULL):
        asked(page, front, "First", "One.")
        keeping = page.locator("#keeping")
        keeping.get_by_text("Not saved: the storage of this browser is full.").wait_for()
        asked(page, front, "Second", "Two.")
        assert texts(page) == ["First", "One.", "Second", "Two."]
        page.click("#new-session")
        page.get_by_text("It is lost when you leave it.").wait_for()
        page.get_by_role("button", name="Stay here").click()
        page.evaluate("window.emptied = true")
        keeping.get_by_role("button", name="Try again").click()
        keeping.wait_for(state="hidden")
        kept(page)
        page.reload()
        page.get_by_text("Two.", exact=True).wait_for()
        assert texts(page) == ["First", "One.", "Second", "Two."]


def test_a_browser_that_stores_nothing_is_said_and_the_chat_goes_on(browser, front):
    forbidden = """
      IDBFactory.prototype.open = () => { throw new DOMException('no', 'SecurityError'); };
      for (const name of ['localStorage', 'sessionStorage']) {
        Object.defineProperty(window, name, { get() { throw new DOMException('no', 'SecurityError'); } });
      }
    """
    for page in watched(browser, front, SIZES["desktop"], script=forbidden):
        asked(page, front, "First", "One.")
        page.get_by_text("Not saved: this browser does not let the page store anything.").first.wait_for()
        asked(page, front, "Second", "Two.")
        assert texts(page) == ["First", "One.", "Second", "Two."]


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
