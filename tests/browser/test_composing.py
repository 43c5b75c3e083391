"""How a message comes to be: images from wherever they are, words from any keyboard."""

import base64

import pytest

from tests.browser.conftest import SIZES
from tests.browser.films import names, plain
from tests.browser.reader import ask, button, ended, watched

HANDED_OVER = """([type, name, bytes]) => {
  const data = new DataTransfer();
  data.items.add(new File([Uint8Array.from(atob(bytes), (one) => one.charCodeAt(0))], name, { type: 'image/png' }));
  const told = { bubbles: true, cancelable: true, clipboardData: data, dataTransfer: data };
  const [Told, target] = type === 'paste' ? [ClipboardEvent, '#prompt'] : [DragEvent, 'body'];
  document.querySelector(target).dispatchEvent(new Told(type, told));
}"""


@pytest.fixture(params=SIZES)
def page(request, browser, front):
    yield from watched(browser, front, SIZES[request.param])


def handed_over(page, how: str, picture: dict) -> None:
    page.evaluate(HANDED_OVER, [how, picture["name"], base64.b64encode(picture["buffer"]).decode()])


def chosen(page, opener: str, picture: dict):
    """A file chosen in the browser's own dialog, which is returned."""
    with page.expect_file_chooser() as asked:
        page.click(opener)
    asked.value.set_files(picture)
    return asked.value


def test_images_come_by_button_drop_and_paste(page):
    assert chosen(page, "#attach", plain("red")).is_multiple()
    handed_over(page, "drop", plain("green"))
    page.locator("#attachments > li").nth(1).wait_for()
    handed_over(page, "paste", plain("blue"))
    page.locator("#attachments > li").nth(2).wait_for()
    assert names(page) == ["red.png", "green.png", "blue.png"]


def test_a_phone_takes_a_photograph(phone):
    camera = chosen(phone, "#camera", plain("red"))
    assert camera.element.get_attribute("capture") == "environment"
    phone.locator("#attachments > li").wait_for()


def test_enter_ends_a_word_in_an_input_method_and_only_then_a_message(page, front):
    front.plays("Neko.")
    page.focus("#prompt")
    method = page.context.new_cdp_session(page)
    method.send("Input.imeSetComposition", {"text": "ねこ", "selectionStart": 2, "selectionEnd": 2})
    # The key as a page sees it whose input method keeps it to itself: pressed, without a character.
    method.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", "key": "Enter", "windowsVirtualKeyCode": 13})
    method.send("Input.insertText", {"text": "猫"})
    assert page.input_value("#prompt") == "猫", "nothing was sent"
    page.keyboard.press("Enter")
    ended(page)
    assert front.asks[-1].messages[-1]["content"] == "猫"


def test_an_answer_is_copied_as_it_was_written(page, front):
    written = "The **dose** is 5*10^9/L.\n\n- first\n- second"
    front.plays(written)
    ask(page, "Copy me")
    ended(page)
    assert page.evaluate("navigator.clipboard === undefined"), "as on a ward's network, this is no secure context"
    button(page, "Copy answer").click()
    page.focus("#prompt")
    page.keyboard.press("ControlOrMeta+v")
    assert page.input_value("#prompt") == written
