"""The journeys of the first page: ask with images, watch, stop, be refused."""

import json
import re

from tests.browser.conftest import SIZES, asked_with, opened
from tests.browser.played import Played
from tests.serving import question

ANSWER = "#transcript article[data-role=assistant]"


def words_of(page, index: int = -1) -> str:
    return page.locator(ANSWER).nth(index).inner_text()


def wait_for_ending(page, name: str) -> None:
    page.locator(f"{ANSWER}[data-ending={name}]").last.wait_for()


def test_two_images_are_asked_about_the_answer_streams_and_stop_stops_it(page, server, pictures):
    assert page.evaluate("isSecureContext") is False
    page.set_input_files("#image-input", pictures)
    page.locator("#attachments li").nth(1).wait_for()
    page.fill("#prompt", "Compare these two images.")
    page.click("#send")
    answer = page.locator(f"{ANSWER}[data-phase=answering], {ANSWER}[data-phase=thinking]")
    answer.wait_for()
    first = len(words_of(page))
    # The answer grows while it streams.
    longer = "([answer, first]) => [...document.querySelectorAll(answer)].at(-1).innerText.length > first"
    page.wait_for_function(longer, arg=[ANSWER, first])
    assert page.locator("#transcript article[data-role=user] img").count() == 2
    assert server.stats()["active"] == 1
    page.click("#stop")
    wait_for_ending(page, "stopped")
    server.until(lambda health: health["queue"]["active"] == 0, 5)
    assert page.locator("#send").is_visible() and not page.locator("#stop").is_visible()


def test_the_keyboard_is_enough(page):
    page.keyboard.type("First line")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("second line")
    assert page.input_value("#prompt") == "First line\nsecond line", "the page opens with the focus in the message"
    page.keyboard.press("Enter")
    page.locator("#stop").wait_for()
    page.keyboard.press("Escape")
    wait_for_ending(page, "stopped")


def test_a_thought_stands_apart_from_its_answer(page):
    asked_with(page, max_tokens=400)
    page.locator("#thinking").select_option("on")
    page.fill("#prompt", "Hello")
    page.click("#send")
    page.locator("details.thinking[open]").wait_for()
    page.locator(f"{ANSWER}[data-phase=ended]").wait_for(timeout=90_000)
    assert page.locator("details.thinking[open]").count() == 0, "it folds when the answer begins"
    assert page.locator(f"{ANSWER} .prose").last.inner_text()
    page.locator("details.thinking summary").click()
    assert page.locator("details.thinking[open]").inner_text()
    shown = page.locator("#transcript").inner_text()
    assert "<unused94>" not in shown and "<unused95>" not in shown


def test_the_demo_says_what_it_is_and_nothing_is_wider_than_the_screen(page):
    assert "not MedGemma" in page.locator("#demo-banner").inner_text()
    width = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1]
    assert re.search("FDA", page.locator("body").inner_text())


def test_what_was_typed_is_not_lost_when_the_server_refuses(browser, pictures):
    with Played(rate_limit="1/hour") as front:
        for page in opened(browser, front.port, SIZES["desktop"]):
            front.plays("Hello.")
            ask = "body => fetch('/api/chat', {method: 'POST', body}).then(response => response.text())"
            page.evaluate(ask, json.dumps(question("Hello", max_tokens=1)))
            page.set_input_files("#image-input", pictures[:1])
            page.fill("#prompt", "Do not lose me.")
            page.click("#send")
            notice = page.locator("#notice")
            notice.get_by_text(re.compile("minute|second")).wait_for()
            assert page.input_value("#prompt") == "Do not lose me."
            assert page.locator("#attachments li").count() == 1
