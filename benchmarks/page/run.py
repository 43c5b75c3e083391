"""The real front before an engine that says a report, and a browser that goes through one scenario after the other."""

import json
import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.figures import short
from benchmarks.front import front_before
from benchmarks.page.scenarios import SCENARIOS, report

STEP_MS = 5.0  # 200 tokens a second
SIZE = {"width": 1440, "height": 900}
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


def run(folder: Path, only: Sequence[str], say: Callable[[str], None]) -> None:
    from playwright.sync_api import sync_playwright

    words = folder / "report.json"
    words.write_text(json.dumps(report()), encoding="utf-8")
    with ExitStack() as stack:
        _, url = front_before(stack, folder, STEP_MS, words)
        driver = stack.enter_context(sync_playwright())
        browser = driver.chromium.launch(executable_path=_chromium(), args=ARGUMENTS)
        stack.callback(browser.close)
        for name, scenario in SCENARIOS.items():
            if only and name not in only:
                continue
            context = browser.new_context(viewport=SIZE)
            page = context.new_page()
            page.goto(url)
            page.get_by_role("button", name="I understand").click()
            page.locator("#status").get_by_text("Ready", exact=True).wait_for()
            for figure, value in scenario(page, folder).items():
                say(f"{name}, {figure}: {short(value)}")
            context.close()


def _chromium() -> str | None:
    """This machine's own, or None for the driver's."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
