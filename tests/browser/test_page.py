"""The journeys of the first page: ask with images, watch, stop, be refused, lose the engine."""

import json
import re
import signal

from tests.browser.conftest import SIZES, asked_with, opened
from tests.browser.played import Played
from tests.serving import Running, question

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


def test_an_engine_that_dies_is_said_and_the_page_lives_on(browser, multimodal_checkpoint):
    with Running("-m", "demo", "--model-path", str(multimodal_checkpoint)) as running:
        running.until_ready()
        for page in opened(browser, running.port, SIZES["phone"]):
            page.fill("#prompt", "Hello")
            page.click("#send")
            page.locator(f"{ANSWER}[data-phase=answering], {ANSWER}[data-phase=thinking]").wait_for()
            running.worker().kill()
            wait_for_ending(page, "failed")
            assert "restarted" in words_of(page)
            running.until_ready()
            page.locator("#status").get_by_text("Ready", exact=True).wait_for()
            page.fill("#prompt", "Again")
            page.click("#send")
            page.locator(f"{ANSWER}").nth(1).wait_for()
            page.locator("#stop").click()
            wait_for_ending(page, "stopped")


def test_an_engine_that_hangs_is_said_and_replaced(browser, multimodal_checkpoint):
    with Running("-m", "demo", "--model-path", str(multimodal_checkpoint)) as running:
        running.until_ready()
        for page in opened(browser, running.port, SIZES["desktop"]):
            page.fill("#prompt", "Hello")
            page.click("#send")
            page.locator(f"{ANSWER}[data-phase=answering], {ANSWER}[data-phase=thinking]").wait_for()
            running.worker().send_signal(signal.SIGSTOP)
            wait_for_ending(page, "failed")
            running.until(lambda health: health["engine"]["restarts"] == 1)
            running.until_ready()
            page.locator("#status").get_by_text("Ready", exact=True).wait_for()


# Says that it holds vLLM, and ends as an engine does whose GPU is full.
FULL = """#!/bin/sh
case "$1" in
  -c) echo '[[3, 11], ["vllm"]]' ;;
  *) echo "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20 GiB"; exit 1 ;;
esac
"""


def test_an_engine_that_cannot_start_makes_room_and_the_page_says_why(browser, multimodal_checkpoint, tmp_path):
    python = tmp_path / "python"
    python.write_text(FULL)
    python.chmod(0o755)
    engine = ("--engine", "vllm", "--engine-python", str(python))
    with Running("-m", "4", "--model-path", str(multimodal_checkpoint), *engine) as running:
        assert running.until_ready().health()["engine"]["name"] == "transformers"
        for page in opened(browser, running.port, SIZES["desktop"]):
            page.click("#status summary")
            page.locator("#status").get_by_text("vllm: It ran out of memory.").wait_for()
            page.fill("#prompt", "Hello")
            page.click("#send")
            page.locator(ANSWER).wait_for()
