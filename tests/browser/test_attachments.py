"""The images of a message before it is sent: their order and labels, and what is dragged."""

import base64
import re

import pytest

from tests.browser.films import COLOURS, add, names, plain


@pytest.fixture(scope="module")
def server(front):
    """What is done with images needs no model."""
    return front


def test_the_order_shown_is_the_order_sent_with_its_labels(page, server):
    server.plays("Seen.")
    red, green, blue = (plain(name) for name in COLOURS)
    add(page, red, green, blue)
    assert names(page) == ["red.png", "green.png", "blue.png"]
    assert "3 of 10 images" in page.locator(".attachments-figures").inner_text()

    page.get_by_role("button", name="Move image 3 earlier").focus()
    page.keyboard.press("Enter")
    assert names(page) == ["red.png", "blue.png", "green.png"]
    assert page.locator("#announcer").inner_text() == "blue.png is now image 2 of 3"
    assert page.evaluate("document.activeElement.ariaLabel") == "Move image 2 earlier", "the focus goes with the image"

    grip, first = (page.locator(".attachment-grip").nth(number).bounding_box() for number in (1, 0))
    page.mouse.move(grip["x"] + 10, grip["y"] + 10)
    page.mouse.down()
    page.mouse.move(grip["x"] - 30, grip["y"] + 10, steps=3)
    assert names(page) == ["red.png", "blue.png", "green.png"], "nothing changes before it is let go"
    page.mouse.move(first["x"] - 5, first["y"] + 10, steps=3)
    page.mouse.up()
    assert names(page) == ["blue.png", "red.png", "green.png"]

    page.get_by_label("Label of image 1", exact=True).select_option("prior")
    page.get_by_label("Label of image 3", exact=True).select_option("own")
    page.keyboard.type("left (knee)")
    page.fill("#prompt", "Compare.")
    with page.expect_request("**/api/chat") as asked:
        page.click("#send")
    [message] = asked.value.post_data_json["messages"]
    sent = [base64.b64decode(one.partition(",")[2]) for one in message["image_data"]]
    assert sent == [blue["buffer"], red["buffer"], green["buffer"]]
    assert [part.get("text", part["type"]) for part in message["content"]] == [
        "Image 1 (prior):", "image", "Image 2:", "image", "Image 3 (left knee):", "image", "Compare.",
    ]  # fmt: skip
    shown = page.locator("#transcript .turn-images").inner_text()
    assert re.findall("Image .*png", shown) == [
        "Image 1 (prior): blue.png", "Image 2: red.png", "Image 3 (left knee): green.png",
    ]  # fmt: skip


def test_a_drag_that_is_broken_off_changes_nothing_and_opens_nothing(wide):
    add(wide, plain("red"), plain("green"))
    box = wide.locator("#attachments .thumbnail").first.bounding_box()
    wide.mouse.move(box["x"] + 40, box["y"] + 40)
    wide.mouse.down()
    wide.mouse.move(box["x"] + 300, box["y"] + 40, steps=4)
    wide.keyboard.press("Escape")
    wide.mouse.up()
    assert names(wide) == ["red.png", "green.png"]
    # It glides back; until it is there, it still lies under the pointer.
    wide.wait_for_function("() => document.querySelector('#attachments').getAnimations({ subtree: true }).length === 0")
    wide.mouse.down()
    wide.mouse.up()
    assert wide.locator(".viewer-dock").is_hidden()
