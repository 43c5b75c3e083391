"""`python -m tests.browser.screenshots [FOLDER]`: pictures of the page with the demo model that comes with the package.

Without a folder they go into `docs/images`, small enough for a README. Look at them before they are committed.
"""

import io
import sys
from collections.abc import Callable
from pathlib import Path

import PIL.Image

from tests.browser.conftest import ARGUMENTS, HOST, NOTICE_ACCEPTED, chromium
from tests.browser.reader import ended
from tests.conftest import ROOT
from tests.serving import Running

DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
COLOURS = (192, 128, 96, 64)  # as many as fit
LARGEST = 120_000


def sample(page, text: str) -> None:
    """One of the questions that the demo model brings along, with its films, asked and answered."""
    page.get_by_role("button", name=text).first.click()
    page.wait_for_function("(text) => document.querySelector('#prompt').value === text", arg=text)
    page.click("#send")
    ended(page)


def welcome(page) -> None:
    page.locator(".suggestion img").first.wait_for()


def compared(page) -> None:
    sample(page, "What changed?")
    page.locator(".turn-images button").first.click()
    page.locator(".viewer-figure:not(:empty)").first.wait_for()
    page.keyboard.press("s")
    page.locator(".viewer-figure:not(:empty)").nth(2).wait_for()


def asked(page) -> None:
    sample(page, "Describe this film")


def light(page) -> None:
    page.click("#open-settings")
    page.locator("input[name=theme][value=light]").check()
    page.keyboard.press("Escape")
    sample(page, "Show me the normal vital signs of an adult")


SHOTS: dict[str, tuple[dict, Callable]] = {
    "welcome": (DESKTOP, welcome),
    "compared": (DESKTOP, compared),
    "light": (DESKTOP, light),
    "phone-welcome": (PHONE, welcome),
    "phone-film": (PHONE, asked),
}


def save(shot: bytes, file: Path) -> None:
    picture = PIL.Image.open(io.BytesIO(shot)).convert("RGB")
    for colours in COLOURS:
        picture.quantize(colours, dither=PIL.Image.Dither.NONE).save(file, optimize=True)
        if file.stat().st_size <= LARGEST:
            break
    else:
        raise SystemExit(f"{file.name} has {file.stat().st_size} bytes; at most {LARGEST} are meant.")


def main(folder: Path) -> None:
    from playwright.sync_api import sync_playwright

    folder.mkdir(parents=True, exist_ok=True)
    with Running("-m", "demo") as running, sync_playwright() as driver:
        running.until_ready()
        browser = driver.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        for name, (size, show) in SHOTS.items():
            phone = {"has_touch": True, "is_mobile": True} if size is PHONE else {}
            context = browser.new_context(viewport=size, **phone)
            context.add_cookies([running.cookie()])
            context.add_init_script(NOTICE_ACCEPTED)
            page = context.new_page()
            page.goto(f"http://{HOST}:{running.port}/")
            page.locator("#status").get_by_text("Ready", exact=True).wait_for()
            show(page)
            page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
            save(page.screenshot(), folder / f"{name}.png")
            context.close()
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images")
