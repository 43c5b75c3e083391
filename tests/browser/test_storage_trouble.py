"""A device that keeps nothing, or has no room: it is said, and the chat goes on."""

import pytest

from tests.browser.conftest import SIZES
from tests.browser.reader import asked, kept, texts, watched

# A disk that is full until the test says otherwise.
FULL = """
  const put = IDBObjectStore.prototype.put;
  IDBObjectStore.prototype.put = function (...record) {
    if (!window.emptied) throw new DOMException('no room', 'QuotaExceededError');
    return put.apply(this, record);
  };
"""


@pytest.mark.parametrize("size", SIZES)
def test_a_full_disk_is_said_the_chat_goes_on_and_what_was_said_is_kept_later(browser, front, size):
    for page in watched(browser, front, SIZES[size], script=FULL):
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


@pytest.mark.parametrize("size", SIZES)
def test_a_browser_that_stores_nothing_is_said_and_the_chat_goes_on(browser, front, size):
    forbidden = """
      IDBFactory.prototype.open = () => { throw new DOMException('no', 'SecurityError'); };
      for (const name of ['localStorage', 'sessionStorage']) {
        Object.defineProperty(window, name, { get() { throw new DOMException('no', 'SecurityError'); } });
      }
    """
    for page in watched(browser, front, SIZES[size], script=forbidden):
        asked(page, front, "First", "One.")
        page.get_by_text("Not saved: this browser does not let the page store anything.").first.wait_for()
        asked(page, front, "Second", "Two.")
        assert texts(page) == ["First", "One.", "Second", "Two."]
