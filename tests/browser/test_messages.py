"""What can be done with a message, and what each ending looks like and offers, also after a reload."""

import re

import pytest

from tests.browser.conftest import SIZES
from tests.browser.reader import REPLY, ask, button, edit, ended, eventually, kept, stored, texts, watched

AT_END = """() => {
  const { scrollHeight, scrollTop, clientHeight } = document.querySelector('.reading');
  return scrollHeight - scrollTop - clientHeight < 48;
}"""
HAS_ARRIVED = stored("messages.some((one) => one.text === about)", "messages")


@pytest.fixture(params=SIZES)
def page(request, browser, front):
    yield from watched(browser, front, SIZES[request.param])


def test_an_answer_made_again_is_a_version_beside_the_first(page, front):
    front.plays("First answer.")
    ask(page, "What is seen?")
    ended(page, "finished")
    front.plays("Second answer.")
    button(page, "Regenerate answer").click()
    page.get_by_text("Version 2 of 2").wait_for()
    ended(page, "finished")
    assert texts(page) == ["What is seen?", "Second answer."]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is wider than the screen"
    button(page, "Earlier version").click()
    page.get_by_text("First answer.").wait_for()
    front.plays("Sure.")
    ask(page, "Sure?")
    page.get_by_text("Sure.", exact=True).wait_for()
    assert [one["content"] for one in front.asks[-1].messages if one["role"] == "assistant"] == ["First answer."]


def test_an_edited_question_is_asked_from_there_and_an_edited_answer_is_marked(page, front):
    front.plays("One.")
    ask(page, "Frist question")
    ended(page, "finished")
    front.plays("Two.")
    edit(page, "message")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("First question")
    page.keyboard.press("Control+Enter")
    page.get_by_text("Two.").wait_for()
    ended(page, "finished")
    assert texts(page) == ["First question", "Two."]
    edit(page, "answer")
    page.locator(".editor-text").fill("My own words.")
    page.get_by_role("button", name="Save", exact=True).click()
    ended(page, "edited")
    assert "Model, edited by you" in page.locator(REPLY).inner_text()
    kept(page)
    page.reload()
    ended(page, "edited")
    assert texts(page) == ["First question", "My own words."]


def test_a_deleted_message_can_be_brought_back(page, front):
    front.plays("Answer.")
    ask(page, "Question")
    ended(page, "finished")
    button(page, "Delete message and its answer").click()
    page.locator("#undo").wait_for()
    assert page.locator("#transcript article").count() == 0
    assert page.evaluate("document.activeElement.textContent") == "Undo", "the keyboard is where it can be taken back"
    page.keyboard.press("Enter")
    page.get_by_text("Answer.", exact=True).wait_for()


def test_a_cut_answer_says_so_after_a_reload_and_goes_on_in_the_same_answer(page, front):
    front.plays("One, two, three", reason="length", tokens=2048)
    ask(page, "Count to six.")
    ended(page, "cut")
    kept(page)
    page.reload()
    assert "Cut at 2,048 tokens." in ended(page, "cut").inner_text()
    front.plays(", four, five, six.")
    button(page, "Continue").click()
    ended(page, "finished")
    assert texts(page)[-1] == "One, two, three, four, five, six."
    assert front.asks[-1].continue_final
    assert front.asks[-1].messages[-1]["content"] == "One, two, three"


def test_repeats_are_folded_and_can_be_shown(page, front):
    front.plays("The heart is normal. ", *(["No effusion. "] * 14), reason="repetition")
    ask(page, "Describe.")
    reply = ended(page, "repetition")
    assert texts(page)[-1].count("No effusion.") == 1
    assert "repeated itself" in reply.inner_text()
    button(page, "Show the repeats").click()
    assert texts(page)[-1].count("No effusion.") > 4
    front.plays("The aorta is calcified.")
    button(page, "Continue anyway").click()
    page.get_by_text("Version 2 of 2").wait_for()
    ended(page, "finished")
    assert texts(page)[-1].startswith("The heart is normal. No effusion.")


def test_a_budget_spent_on_thinking_offers_an_answer_without(page, front):
    front.plays("<unused94>thought\nI wonder", reason="length")
    front.then_plays(reason="length")
    ask(page, "Think.")
    reply = ended(page, "cut")
    assert "spent thinking" in reply.inner_text()
    front.plays("The answer.")
    button(page, "Answer now").click()
    page.get_by_text("The answer.").wait_for()
    assert front.asks[-1].logit_bias, "thinking was off"


def test_a_reload_in_mid_stream_keeps_what_had_arrived_and_says_the_rest_is_missing(page, front):
    front.plays("What had arrived. ", 60.0, "Never seen.")
    ask(page, "Hello")
    page.get_by_text("What had arrived.").wait_for()
    eventually(page, HAS_ARRIVED, "What had arrived. ")
    page.reload()
    reply = ended(page, "interrupted")
    assert "What had arrived." in reply.inner_text()
    assert "the rest is missing" in reply.inner_text()


def test_what_had_arrived_stays_when_the_network_goes_and_says_nothing(page, front):
    page.clock.install()
    front.plays("What had arrived. ", 60.0, "Never seen.")
    ask(page, "Hello")
    page.get_by_text("What had arrived.").wait_for()
    page.clock.run_for(45_000)
    reply = ended(page, "interrupted")
    assert "What had arrived." in reply.inner_text() and "the rest is missing" in reply.inner_text()
    front.plays("The whole answer.")
    button(page, "Regenerate answer").click()
    page.get_by_text("The whole answer.").wait_for()


def test_every_ending_looks_the_same_after_a_reload(page, front):
    for script, reason, ending in (
        (["Whole."], "stop", "finished"),
        (["Cut off"], "length", "cut"),
        (["Normal. ", *["No effusion. "] * 14], "repetition", "repetition"),
        (["Half", RuntimeError("of the engine")], "stop", "failed"),
        (["Half ", 60.0], "stop", "stopped"),
    ):
        front.plays(*script, reason=reason)
        ask(page, f"To be {ending}")
        if ending == "stopped":
            page.locator(REPLY).last.get_by_text("Half").wait_for()
            page.keyboard.press("Escape")
        ended(page, ending)
    before = page.locator(REPLY).all_inner_texts()
    kept(page)
    page.reload()
    ended(page, "stopped")
    assert page.locator(REPLY).all_inner_texts() == before


def test_stopped_and_failed_look_like_what_they_are(page, front):
    front.plays("Half ", 60.0)
    ask(page, "Hello")
    page.get_by_text("Half").wait_for()
    page.keyboard.press("Escape")
    assert "Stopped by you." in ended(page, "stopped").inner_text()
    front.plays("Half ", RuntimeError("nothing of this is shown"))
    ask(page, "Again")
    reply = ended(page, "failed")
    assert "Failed." in reply.inner_text() and "nothing of this" not in reply.inner_text()


def test_a_reader_who_scrolled_up_is_left_alone_and_led_back(page, front):
    front.plays(*[f"Line {index}.\n\n" for index in range(60)], 1.0, *[f"More {index}.\n\n" for index in range(20)])
    ask(page, "Much")
    page.get_by_text("Line 59.").wait_for()
    page.locator(".reading").evaluate("node => { node.scrollTop = 0; }")
    ended(page, "finished")
    assert page.locator(".reading").evaluate("node => node.scrollTop") == 0
    button(page, "Latest").click()
    page.wait_for_function(AT_END)
    assert not page.locator(".latest").is_visible()


def test_a_download_says_what_it_is_and_leaves_the_thinking_out(page, front, tmp_path):
    front.plays("<unused94>thought\nSecret musing<unused95>The answer.")
    ask(page, "Question")
    ended(page, "finished")
    for option, ending in (("Markdown", "md"), ("HTML page for printing", "html")):
        page.click("#download")
        page.get_by_label(option).check()
        with page.expect_download() as download:
            page.locator("#downloading").get_by_role("button", name="Download", exact=True).click()
        assert re.fullmatch(rf"medserver-[\d-]+\.{ending}", download.value.suggested_filename)
        written = download.value.path().read_text()
        assert "AI-generated, not verified by a clinician" in written
        assert "not MedGemma" in written, "the demo is named"
        assert "The answer." in written and "Secret musing" not in written
