"""The viewer under a mouse, a wheel and fingers."""

import numpy as np
import pytest

from tests.browser.films import STAGE, add, film, picture, pixel, ramp, settle, target, view, zoom

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


def test_a_film_is_drawn_once_for_each_frame_at_most(wide):
    pixels = np.random.default_rng(0).integers(0, 255, (2500, 3000), np.uint8)
    add(wide, picture("large.png", pixels))
    view(wide)
    wide.evaluate(DRAGGING)
    settle(wide)
    counted = wide.evaluate("window.drawn")
    assert 1 <= counted["draws"] <= counted["frames"]
