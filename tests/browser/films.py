"""Pictures for the tests of the viewer, and how they are opened and looked at; knows the page, not what is tested."""

import io

import numpy as np
import PIL.Image

STAGE = ".viewer-stage >> visible=true"
COLOURS = {"red": (200, 40, 40), "green": (40, 180, 60), "blue": (50, 70, 210)}


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
