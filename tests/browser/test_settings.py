"""What can be set in the page: the prompt, the numbers, the looks; and what is said before anything is sent."""

import json

import pytest

from tests.browser.conftest import SIZES, opened
from tests.browser.played import Played


@pytest.fixture(scope="module")
def server():
    """What is set needs no model."""
    with Played() as played:
        yield played


@pytest.fixture
def asked(page) -> list[dict]:
    """The bodies of the chats that the page asks for, each answered with one word."""
    bodies: list[dict] = []

    def answer(route) -> None:
        bodies.append(route.request.post_data_json)
        frames = ({"token": "Yes."}, {"finish_reason": "stop", "usage": {}, "timings": {"tokens_per_second": 40.0}})
        body = "".join(f"data: {json.dumps(frame)}\n\n" for frame in frames) + "data: [DONE]\n\n"
        route.fulfill(status=200, content_type="text/event-stream", body=body)

    page.route("**/api/chat", answer)
    return bodies


def send(page, text: str) -> None:
    page.fill("#prompt", text)
    page.click("#send")
    page.locator("#transcript article[data-role=assistant][data-phase=ended]").last.wait_for()


def test_what_is_set_is_sent_and_what_is_not_is_the_servers(page, asked):
    send(page, "First")
    assert set(asked[-1]) == {"messages", "stream", "thinking"}
    page.click("#open-settings")
    page.get_by_label("Temperature").fill("0,7")
    page.get_by_label("Longest answer").fill("99999")
    page.get_by_label("Text of the system prompt").fill("Answer in one word.")
    assert page.get_by_text("it must be between").is_visible()
    page.keyboard.press("Escape")
    send(page, "Second")
    assert (asked[-1]["temperature"], asked[-1]["system_prompt"]) == (0.7, "Answer in one word.")
    assert "max_tokens" not in asked[-1], "what is out of range is not used"


def test_the_servers_prompts_are_shown_and_follow_the_images(page, pictures):
    page.click("#open-settings")
    shown = page.get_by_label("Text of the system prompt")
    page.wait_for_function("() => document.querySelector('#prompt-text').value.includes('medical assistant')")
    page.keyboard.press("Escape")
    page.set_input_files("#image-input", pictures)
    page.click("#open-settings")
    assert "radiology" in shown.input_value()


def test_a_prompt_is_kept_found_again_and_removed(page):
    page.click("#open-settings")
    page.get_by_label("Text of the system prompt").fill("Answer briefly.")
    page.get_by_label("Name of this prompt").fill("Ward round")
    page.get_by_role("button", name="Keep", exact=True).click()
    page.reload()
    page.click("#open-settings")
    choice = page.locator("#prompt-choice")
    choice.select_option(label="Ward round")
    page.wait_for_function("() => document.querySelector('#prompt-text').value === 'Answer briefly.'")
    page.get_by_role("button", name="Remove from my prompts").click()
    page.wait_for_function("() => !document.querySelector('#prompt-choice').textContent.includes('Ward round')")


def test_what_is_typed_is_not_overwritten_by_the_servers_answers(page):
    page.click("#open-settings")
    field = page.get_by_label("Temperature")
    field.fill("1.")
    with page.expect_response("**/api/health"):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # it is asked again at once
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert field.input_value() == "1."


@pytest.mark.parametrize("theme", ["light", "contrast"])
def test_a_theme_is_put_on_and_lasts(page, theme):
    ground = "getComputedStyle(document.documentElement).getPropertyValue('--ground')"
    dark = page.evaluate(ground)
    page.click("#open-settings")
    page.locator(f"input[name=theme][value={theme}]").check()
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    assert page.evaluate(ground) != dark


def test_the_context_is_counted_before_sending(page):
    meter = page.get_by_role("meter", name="Context used")
    assert not meter.is_visible()
    page.fill("#prompt", "word " * 300)
    meter.wait_for()
    assert "tokens" in meter.inner_text()
    page.fill("#prompt", "word " * 9000)
    assert "too long" in meter.inner_text()


def test_it_is_said_that_others_could_read_along(page):
    page.get_by_text("Not encrypted").click()
    assert page.get_by_text("others on this network could read along").is_visible()


def test_what_the_server_keeps_to_itself_is_locked_with_a_hint(browser):
    with Played(allow_client_sampling_config=False) as strict:
        for page in opened(browser, strict.port, SIZES["desktop"]):
            page.click("#open-settings")
            assert page.get_by_label("Temperature").is_disabled()
            assert page.get_by_text("Set by whoever runs this server.").first.is_visible()
            assert page.get_by_label("Longest answer").is_enabled()


def test_the_notice_is_accepted_once(browser, server):
    context = browser.new_context(viewport=SIZES["phone"])
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{server.port}/")
    notice = page.get_by_role("dialog", name="Before you begin")
    notice.wait_for()
    page.keyboard.press("Escape")
    assert notice.is_visible(), "to close it is not to accept it"
    page.get_by_role("button", name="I understand").click()
    page.reload()
    page.locator("#status").get_by_text("Ready", exact=True).wait_for()
    assert not notice.is_visible()
    context.close()
