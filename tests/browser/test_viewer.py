"""The viewer as a part of the page: docked or over it, its keys and its focus."""

import pytest

from tests.browser.conftest import SIZES, WIDE, opened
from tests.browser.films import STAGE, add, plain, settle, spoken, target, view, zoom


def test_docked_the_keys_work_on_the_film_and_only_there(wide):
    add(wide, target(), plain("green"))
    view(wide)
    assert wide.locator(".viewer-dock").is_visible() and wide.locator("dialog[open]").count() == 0
    fitted = zoom(wide)
    for key in ("+", "+", "i", "h", "r"):
        wide.keyboard.press(key)
    assert zoom(wide) == pytest.approx(fitted * 1.25**2, abs=0.2)
    assert wide.locator(".viewer-flipped").first.inner_text() == "Flipped horizontally"
    # A turn by a quarter under a flip is laid the other way round; what is said is how the file lies.
    spoken(wide, r"^Image 1 of 2, [\d.]+ %, turned 90° anticlockwise, flipped horizontally, inverted$")
    wide.keyboard.press("ArrowRight")
    spoken(wide, "Image 2 of 2")
    wide.keyboard.press("ArrowLeft")
    spoken(wide, "^Image 1 .*flipped")  # coming back loses nothing
    wide.keyboard.press("Space")
    assert zoom(wide) == fitted
    spoken(wide, "^(?!.*flipped)")

    wide.fill("#prompt", "")
    wide.locator("#prompt").press_sequentially("hiv +")
    assert wide.input_value("#prompt") == "hiv +" and zoom(wide) == fitted
    wide.locator(STAGE).focus()
    wide.keyboard.press("Escape")
    wide.locator(".viewer-dock").wait_for(state="hidden")
    assert wide.evaluate("document.activeElement.matches('.thumbnail')"), "the focus goes back to what opened it"


def test_help_names_every_key_and_gives_the_focus_back(wide):
    add(wide, target())
    view(wide)
    wide.keyboard.press("?")
    sheet = wide.locator(".viewer-help")
    sheet.wait_for()
    for word in ("Invert", "Flip horizontally", "Fit to the pane", "Next image", "DICOM PS3.3"):
        assert word in sheet.inner_text()
    wide.keyboard.press("Escape")
    sheet.wait_for(state="hidden")
    assert wide.locator(".viewer-dock").is_visible(), "one Esc closes one thing"
    assert wide.evaluate("document.activeElement.matches('.viewer-stage')")


def test_the_lightbox_keeps_the_focus_and_gives_it_back(phone):
    add(phone, plain("red"), plain("green"))
    view(phone)
    assert phone.locator(".viewer-lightbox").evaluate("(box) => box.matches(':modal')")
    assert phone.locator(".viewer-lightbox").bounding_box() == {"x": 0, "y": 0, **SIZES["phone"]}
    drawn, stage = (phone.locator(one).first.bounding_box() for one in (".viewer-canvas", ".viewer-stage"))
    border = 4
    assert drawn["width"] == pytest.approx(stage["width"] - border, abs=1), "in the pixels of a dense screen too"
    stops = set()
    for _ in range(60):
        phone.keyboard.press("Tab")
        inside, name = phone.evaluate(
            "[Boolean(document.activeElement.closest('dialog')) || document.activeElement === document.body,"
            " document.activeElement.ariaLabel]"
        )
        assert inside
        stops.add(name)
    assert {"Zoom in", "Flip horizontally", "Invert", "Two images side by side", "Close the viewer"} <= stops
    small = phone.evaluate(
        "[...document.querySelectorAll('dialog[open] button, dialog[open] select, dialog[open] input')]"
        ".map((one) => [one.ariaLabel, one.getBoundingClientRect()]).filter(([, box]) => box.width > 0)"
        ".filter(([, box]) => box.width < 44 || box.height < 44).map(([name]) => name)"
    )
    assert small == []
    phone.keyboard.press("Escape")
    phone.locator(".viewer-lightbox").wait_for(state="hidden")
    assert phone.evaluate("document.activeElement.matches('.thumbnail')")


def test_nothing_is_wider_than_a_narrow_screen(browser, front):
    for page in opened(browser, front.port, {"width": 320, "height": 640}, has_touch=True):
        add(page, plain("red"), plain("green"))
        view(page)
        page.keyboard.press("s")
        page.keyboard.press("h")
        settle(page)
        wider = page.evaluate(
            "[...document.querySelectorAll('dialog[open] *')].filter((one) => one.checkVisibility())"
            ".filter((one) => one.getBoundingClientRect().right > innerWidth + 1).map((one) => one.className)"
        )
        assert wider == []
        assert page.locator(STAGE).first.bounding_box()["height"] > 60


def test_the_film_goes_along_when_the_screen_becomes_narrow(wide):
    add(wide, target())
    view(wide)
    wide.keyboard.press("h")
    wide.set_viewport_size({"width": 900, "height": 900})
    wide.locator(".viewer-lightbox").wait_for()
    assert wide.locator(".viewer-flipped").first.is_visible()
    wide.set_viewport_size(WIDE)
    wide.locator(".viewer-dock").wait_for()
    wide.keyboard.press("f")
    wide.locator(".viewer-lightbox").wait_for()
    wide.keyboard.press("f")
    wide.locator(".viewer-dock").wait_for()
