"""The images of a message and the viewer: their order, what is seen of them, keys, pointers and fingers, and memory."""

import base64
import io
import re

import numpy as np
import PIL.Image
import pytest

from tests.browser.conftest import SIZES, opened
from tests.browser.played import Played

WIDE = {"width": 1440, "height": 900}
STAGE = ".viewer-stage >> visible=true"
COLOURS = {"red": (200, 40, 40), "green": (40, 180, 60), "blue": (50, 70, 210)}

# Counts what is decoded and what is let go of again.
COUNTING = """() => {
  window.bitmaps = { made: 0, closed: 0 };
  const make = window.createImageBitmap;
  window.createImageBitmap = async (...asked) => {
    const made = await make(...asked);
    window.bitmaps.made += 1;
    return made;
  };
  const close = ImageBitmap.prototype.close;
  ImageBitmap.prototype.close = function () { window.bitmaps.closed += 1; close.call(this); };
}"""

# Four hundred moves of a pointer at once, as a fast mouse sends them between two frames.
DRAGGING = """() => {
  window.drawn = { frames: 0, draws: 0 };
  const draw = CanvasRenderingContext2D.prototype.drawImage;
  CanvasRenderingContext2D.prototype.drawImage = function (...given) {
    window.drawn.draws += 1;
    draw.apply(this, given);
  };
  const count = () => { window.drawn.frames += 1; requestAnimationFrame(count); };
  requestAnimationFrame(count);
  const stage = document.querySelector('.viewer-stage');
  stage.setPointerCapture = () => {};
  const send = (type, clientX) => stage.dispatchEvent(new PointerEvent(type, { pointerId: 1, clientX, clientY: 400 }));
  send('pointerdown', 900);
  for (let step = 1; step <= 400; step += 1) send('pointermove', 900 + step % 51);
  send('pointerup', 900);
}"""


def picture(name: str, pixels: np.ndarray) -> dict:
    out = io.BytesIO()
    PIL.Image.fromarray(pixels).save(out, "PNG")
    return {"name": name, "mimeType": "image/png", "buffer": out.getvalue()}


def plain(name: str, size: tuple[int, int] = (90, 120)) -> dict:
    return picture(f"{name}.png", np.full((*size, 3), COLOURS[name], np.uint8))


def ramp() -> dict:
    """Each of the 256 values as a column of its own, 100 pixels high."""
    return picture("ramp.png", np.tile(np.arange(256, dtype=np.uint8), (100, 1)))


def target() -> dict:
    """A white spot, off the middle, on grey."""
    pixels = np.full((400, 600, 3), 90, np.uint8)
    pixels[60:140, 420:500] = 255
    return picture("target.png", pixels)


@pytest.fixture(scope="module")
def server():
    """What is seen of an image needs no model."""
    with Played() as played:
        yield played


@pytest.fixture
def wide(browser, server):
    yield from opened(browser, server.port, WIDE)


@pytest.fixture
def phone(browser, server):
    yield from opened(browser, server.port, SIZES["phone"], has_touch=True, is_mobile=True, device_scale_factor=2)


def add(page, *pictures: dict) -> None:
    page.set_input_files("#image-input", list(pictures))
    page.locator("#attachments > li").nth(len(pictures) - 1).wait_for()


def view(page, number: int = 1) -> None:
    """Open an image of the draft and wait until it is drawn."""
    page.locator("#attachments .thumbnail").nth(number - 1).click()
    page.locator(".viewer-figure:not(:empty)").first.wait_for()


def settle(page) -> None:
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def zoom(page, pane: int = 0) -> float:
    settle(page)
    return float(page.locator(".viewer-pane").nth(pane).locator(".viewer-figure").first.inner_text().removesuffix(" %"))


def names(page) -> list[str]:
    return page.locator("#attachments .attachment-name").all_inner_texts()


def spoken(page, pattern: str) -> None:
    """Until a screen reader is told this."""
    page.wait_for_function(
        "(pattern) => new RegExp(pattern).test(document.querySelector('.viewer-status').textContent)", arg=pattern
    )


def pixel(page, x: float, y: float) -> tuple[int, ...]:
    """The colour on the screen, as it is composed."""
    settle(page)
    shot = PIL.Image.open(io.BytesIO(page.screenshot(clip={"x": x, "y": y, "width": 1, "height": 1}))).convert("RGB")
    return shot.getpixel((0, 0))


def film(page) -> np.ndarray:
    """The film as it is on the screen, pixel by pixel; its corner lies on a whole one, though the layout may not."""
    settle(page)
    clip = page.locator(".viewer-canvas").first.evaluate(
        "(canvas) => { const { x, y } = canvas.getBoundingClientRect();"
        " return { x: Math.round(x), y: Math.round(y), width: canvas.width, height: canvas.height }; }"
    )
    return np.asarray(PIL.Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB"))


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
    wide.mouse.down()
    wide.mouse.up()
    assert wide.locator(".viewer-dock").is_hidden()


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


def test_the_wheel_zooms_to_the_pointer_however_the_film_lies(wide):
    add(wide, target())
    view(wide)
    box = wide.locator(STAGE).bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    for keys in ([], ["r"], ["h"], ["r", "v"], ["l", "h"]):
        wide.keyboard.press("Space")
        for key in keys:
            wide.keyboard.press(key)
        ys, xs = np.nonzero(film(wide)[:, :, 0] > 240)
        spot = (box["x"] + 2 + xs.mean(), box["y"] + 2 + ys.mean())
        assert abs(spot[0] - middle[0]) + abs(spot[1] - middle[1]) > 40, "not in the middle, where every zoom holds"
        wide.mouse.move(*spot)
        before = zoom(wide)
        for _ in range(8):
            wide.mouse.wheel(0, -120)
        assert zoom(wide) > 4 * before
        assert pixel(wide, *spot) == (255, 255, 255), keys


def test_window_and_level_show_exactly_the_values_of_the_linear_function(wide):
    add(wide, ramp())
    view(wide)
    wide.keyboard.press("0")
    assert zoom(wide) == 100

    def shown() -> np.ndarray:
        shot = film(wide)
        row = shot[shot.shape[0] // 2].astype(int)
        assert (row[:, 0] == row[:, 1]).all() and (row[:, 0] == row[:, 2]).all()
        assert row[0, 0] == 0 and row[-1, 0] == 0, "the ground stays black"
        start = (len(row) - 256 + 1) // 2
        return row[start : start + 256, 0]

    def expected(width: int, level: int) -> np.ndarray:
        values = np.arange(256)
        return np.floor((((values - (level - 0.5)) / (width - 1) + 0.5) * 255).clip(0, 255) + 0.5).astype(int)

    assert (shown() == np.arange(256)).all()
    wide.get_by_label("Window", exact=True).fill("100")
    wide.get_by_label("Level", exact=True).fill("80")
    assert np.abs(shown() - expected(100, 80)).max() == 0
    assert "W 100 L 80" in wide.locator(".viewer-seen").first.inner_text()
    wide.locator(STAGE).focus()
    wide.keyboard.press("i")
    assert np.abs(shown() - (255 - expected(100, 80))).max() == 0
    spoken(wide, "inverted, window 100, level 80")
    wide.keyboard.press("1")
    assert (shown() == 255 - np.arange(256)).all()


def test_the_right_button_drags_the_window_and_the_tool_makes_the_left_one_do_so(wide):
    add(wide, ramp())
    view(wide)
    box = wide.locator(STAGE).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def drag(button: str) -> str:
        wide.mouse.move(x, y)
        wide.mouse.down(button=button)
        wide.mouse.move(x - 56, y - 28, steps=4)
        wide.mouse.up(button=button)
        settle(wide)
        return wide.locator(".viewer-figure").nth(1).inner_text()

    assert drag("left") == "W 256 L 128"
    assert drag("right") == "W 200 L 100"
    wide.keyboard.press("w")
    assert drag("left") == "W 144 L 72"
    assert wide.get_by_label("Window", exact=True).input_value() == "144"
    assert wide.get_by_label("Window preset").input_value() == "own"


def test_two_stand_side_by_side_and_move_as_one_until_they_are_parted(wide):
    add(wide, plain("red", (300, 400)), plain("green", (600, 800)))
    view(wide)
    wide.keyboard.press("s")
    wide.locator(".viewer-figure:not(:empty)").nth(2).wait_for()
    assert zoom(wide, 1) == pytest.approx(zoom(wide, 0) / 2, rel=0.01)
    wide.keyboard.press("0")
    assert (zoom(wide, 0), zoom(wide, 1)) == pytest.approx((100, 50), rel=0.01)
    wide.keyboard.press("r")
    wide.keyboard.press("k")
    wide.keyboard.press("o")
    wide.keyboard.press("0")
    assert (zoom(wide, 0), zoom(wide, 1)) == (100, 100)
    seen = wide.locator(".viewer-seen").all_inner_texts()
    assert "Turned 90° clockwise" in seen[0] and "Turned" not in seen[1], "turns are each film's own"
    spoken(wide, "Image 2 of 2")
    wide.keyboard.press("s")
    settle(wide)
    assert wide.locator(".viewer-pane >> visible=true").count() == 1


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


def test_two_fingers_zoom_and_a_double_tap_goes_near_and_back(phone):
    add(phone, target())
    view(phone)
    box = phone.locator(STAGE).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    hands = phone.context.new_cdp_session(phone)
    began = phone.evaluate("Date.now() / 1000")

    def touch(at: float, kind: str, *points: tuple[float, float]) -> None:
        """`at` in milliseconds: when the fingers did it, however late a slow machine comes to it."""
        fingers = [{"x": px, "y": py, "id": number} for number, (px, py) in enumerate(points)]
        sent = {"type": kind, "touchPoints": fingers, "timestamp": began + at / 1000}
        hands.send("Input.dispatchTouchEvent", sent)

    fitted = zoom(phone)
    touch(0, "touchStart", (x - 20, y))
    touch(10, "touchStart", (x - 20, y), (x + 20, y))
    for step in (30, 40, 50, 60):
        touch(10 + step, "touchMove", (x - step, y), (x + step, y))
    touch(100, "touchEnd")
    assert zoom(phone) == pytest.approx(3 * fitted, rel=0.02)
    for number, expected in enumerate((fitted, max(100, 2 * fitted), fitted), 1):
        for at in (0, 80):
            touch(1000 * number + at, "touchStart", (x, y))
            touch(1000 * number + at + 20, "touchEnd")
        assert zoom(phone) == pytest.approx(expected, rel=0.02)
    for at in (0, 400):
        touch(9000 + at, "touchStart", (x, y))
        touch(9000 + at + 20, "touchEnd")
    assert zoom(phone) == pytest.approx(fitted, rel=0.02), "two taps, and no double one"


def test_nothing_is_wider_than_a_narrow_screen(browser, server):
    for page in opened(browser, server.port, {"width": 320, "height": 640}, has_touch=True):
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


def test_what_leaves_the_message_leaves_the_memory(wide):
    wide.evaluate(COUNTING)
    add(wide, plain("red"), plain("green"), plain("blue"))
    view(wide)
    canvas = wide.locator(".viewer-canvas").first.element_handle()
    assert canvas.evaluate("(canvas) => canvas.width") > 0
    wide.keyboard.press("ArrowRight")
    settle(wide)
    while wide.locator(".attachment-remove").count():
        wide.locator(".attachment-remove").first.click()
    wide.locator(".viewer-dock").wait_for(state="hidden")
    wide.wait_for_function("() => bitmaps.made > 0 && bitmaps.closed === bitmaps.made")
    assert canvas.evaluate("(canvas) => canvas.width") == 0, "nor stays on a canvas that nobody sees"


def test_a_film_is_drawn_once_for_each_frame_at_most(wide):
    pixels = np.random.default_rng(0).integers(0, 255, (2500, 3000), np.uint8)
    add(wide, picture("large.png", pixels))
    view(wide)
    wide.evaluate(DRAGGING)
    settle(wide)
    counted = wide.evaluate("window.drawn")
    assert 1 <= counted["draws"] <= counted["frames"]


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
