"""What is seen of films in the viewer: their values, two side by side, and nothing of those that are gone."""

import numpy as np
import pytest

from tests.browser.films import STAGE, add, film, plain, ramp, settle, spoken, view, zoom

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
