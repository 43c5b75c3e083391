"""Every refusal, and no server at all: the page says what happened and what to do, and nothing typed is lost."""

import json

import pytest

from tests.browser.conftest import SIZES
from tests.browser.reader import ask, asked, button, ended, images_sent, watched

REFUSALS = [
    (400, "bad_image"),
    (400, "context_overflow"),
    (403, "origin_not_allowed"),
    (413, "payload_too_large"),
    (422, "invalid_request"),
    (429, "rate_limited"),
    (429, "too_many_streams"),
    (500, "internal"),
    (503, "engine_down"),
    (503, "queue_full"),
    (507, "out_of_memory"),
]
IS_BACK = "() => document.querySelector('#prompt').value === 'Do not lose me.'"


@pytest.fixture(params=SIZES)
def page(request, browser, front):
    yield from watched(browser, front, SIZES[request.param])


def refusing(status: int, code: str):
    """Lets the request for an answer be refused so, as the server would."""

    def refuse(route) -> None:
        headers = {"Retry-After": "30"} if status in (429, 503) else {}
        body = json.dumps({"detail": f"The reason of {code}.", "code": code})
        route.fulfill(status=status, content_type="application/json", headers=headers, body=body)

    return refuse


def test_every_refusal_says_why_and_what_to_do_and_keeps_the_message(page, front, pictures):
    page.set_input_files("#image-input", pictures[:1])
    page.locator("#attachments img").wait_for()
    page.fill("#prompt", "Do not lose me.")
    for status, code in REFUSALS:
        page.route("**/api/chat", refusing(status, code))
        page.click("#send")
        notice = page.locator("#notice")
        notice.get_by_text(f"The reason of {code}.").wait_for()
        page.wait_for_function(IS_BACK)
        said = notice.inner_text()
        assert f"{status} · {code}" in said and "Your message is back in the box." in said
        assert ("Try again in" in said) == (status in (429, 503))
        assert page.locator("#attachments img").count() == 1
        assert page.locator("#transcript article").count() == 0
        page.unroute_all()
        button(page, "Dismiss").click()
    front.plays("Here it is.")
    page.click("#send")
    ended(page)
    assert len(images_sent(front)) == 1


def test_without_a_network_the_message_waits_for_it(page, front):
    asked(page, front, "Before", "Answer.")
    page.context.set_offline(True)
    ask(page, "Do not lose me.")
    page.locator("#notice").get_by_text("The server cannot be reached.").wait_for()
    page.wait_for_function(IS_BACK)
    page.context.set_offline(False)
    front.plays("Here it is.")
    page.click("#send")
    page.get_by_text("Here it is.", exact=True).wait_for()
    ended(page)
