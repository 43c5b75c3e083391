"""What somebody does at the page; each gives named figures, and knows the page but not who serves it."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

from benchmarks.page import trace

TOKENS = 4000
PIECE = (
    "## Part {0}\n\nThe *heart* is **normal** in size, 5*10^9/L, and the lungs are clear in every zone.\n\n"
    "- one finding of the left lung\n- another of the right\n\n| Test | Value |\n|---|---:|\n| Na | {1} |\n\n"
    "So $x_{0}^2$ holds.\n\n"
)
FILM = (3000, 2500)
DRAGS = 240
SESSIONS = 500
QUERY = "answer 4"

Figures = dict[str, float]


def report() -> list[str]:
    """A long answer as a model gives it, in pieces of the size of a token."""
    text = "".join(PIECE.format(number, 130 + number) for number in range(150))
    return [text[at : at + 4] for at in range(0, len(text), 4)][:TOKENS]


def streaming(page: Any, folder: Path) -> Figures:
    """An answer of 4,000 tokens, its end and its keeping included.

    What it costs goes by the frames drawn, of which a busy machine draws fewer: two runs are compared by frame.
    """
    ask(page, "How?", TOKENS)
    page.locator(".maths math").first.wait_for()  # KaTeX is fetched once
    with trace.traced(page) as tasks:
        ended(page, 300)
        page.wait_for_timeout(1500)  # until it is kept
    shown = page.locator("#transcript .prose").last.evaluate("node => node.textContent.length")
    frames = max(1, trace.frames(tasks()))
    return _figures(tasks()) | {
        "script ms per 1,000 tokens": trace.total(tasks(), "script") / TOKENS * 1000,
        "frames": frames,
        "script ms per frame": trace.total(tasks(), "script") / frames,
        "rendering ms per frame": trace.total(tasks(), "rendering") / frames,
        "last quarter over second ×": trace.growth(tasks()),
        "characters": shown,
    }


def dragging(page: Any, folder: Path) -> Figures:
    """A film of 7.5 million pixels: window and level, moved, zoomed."""
    film = folder / "film.png"
    film.write_bytes(_film())
    page.set_input_files("#image-input", film)
    page.locator("#attachments .thumbnail").click()
    page.locator(".viewer-figure:not(:empty)").first.wait_for()
    figures: Figures = {}
    for name, key, button in (("window", "w", "left"), ("move", "p", "left")):
        page.keyboard.press(key)
        page.keyboard.press("+")
        with trace.traced(page) as tasks:
            frames = _drag(page, button)
        figures |= {f"{name}: {what}": value for what, value in _per_frame(tasks(), frames).items()}
    with trace.traced(page) as tasks:
        frames = _wheel(page)
    return figures | {f"zoom: {what}": value for what, value in _per_frame(tasks(), frames).items()}


def searching(page: Any, folder: Path) -> Figures:
    """Five hundred sessions are listed, and searched letter by letter."""
    backup = folder / "backup.json"
    backup.write_text(_sessions(SESSIONS), encoding="utf-8")
    page.locator("input[type=file][accept*=json]").set_input_files(backup)
    page.get_by_text(f"{SESSIONS} sessions restored.").first.wait_for()
    with trace.traced(page) as tasks:
        page.reload()
        page.locator(".session").nth(SESSIONS - 1).wait_for(state="attached")
    figures = {f"list: {name}": value for name, value in _figures(tasks()).items()}
    search = page.get_by_role("searchbox", name="Search sessions")
    search.click()
    with trace.traced(page) as tasks:
        for letter in QUERY:
            page.keyboard.press(letter if letter != " " else "Space")
            page.wait_for_timeout(400)  # a pause, so that every letter is searched for
    keys = len(QUERY)
    return figures | {
        "search: script ms per key": trace.total(tasks(), "script") / keys,
        "search: CPU ms per key": trace.total(tasks()) / keys,
        "search: longest task ms": trace.longest(tasks()),
    }


def ask(page: Any, text: str, tokens: int) -> None:
    def more(route: Any) -> None:
        route.continue_(post_data=json.dumps({**route.request.post_data_json, "max_tokens": tokens, "loop_guard": 0}))

    page.route("**/api/chat", more)
    page.fill("#prompt", text)
    page.click("#send")


def ended(page: Any, seconds: float) -> None:
    page.locator("#transcript article[data-role=assistant][data-phase=ended]").last.wait_for(timeout=seconds * 1000)


def _figures(tasks: list[trace.Task]) -> Figures:
    return {
        "longest task ms": trace.longest(tasks),
        f"tasks over {trace.LONG_MS:.0f} ms": trace.over(tasks),
        "CPU ms": trace.total(tasks),
    }


def _per_frame(tasks: list[trace.Task], frames: int) -> Figures:
    return {
        "script ms per frame": trace.total(tasks, "script") / frames,
        "CPU ms per frame": trace.total(tasks) / frames,
        "longest task ms": trace.longest(tasks),
    }


_COUNTED = """() => {
  window.frames_seen = 0;
  const count = () => { window.frames_seen += 1; window.counting = requestAnimationFrame(count); };
  count();
}"""


def _drag(page: Any, button: str) -> int:
    box = page.locator(".viewer-stage").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.evaluate(_COUNTED)
    page.mouse.move(x, y)
    page.mouse.down(button=button)
    for step in range(DRAGS):
        page.mouse.move(x + (step % 60) - 30, y + (step % 40) - 20)
    page.mouse.up(button=button)
    return page.evaluate("() => { cancelAnimationFrame(window.counting); return window.frames_seen; }")


def _wheel(page: Any) -> int:
    page.evaluate(_COUNTED)
    for step in range(DRAGS // 2):
        page.mouse.wheel(0, -40 if step % 40 < 20 else 40)
    return page.evaluate("() => { cancelAnimationFrame(window.counting); return window.frames_seen; }")


def _film() -> bytes:
    width, height = FILM
    drawn = np.random.default_rng(1)
    small = drawn.integers(0, 256, (height // 50, width // 50), np.uint8)
    out = io.BytesIO()
    PIL.Image.fromarray(small).resize(FILM, PIL.Image.Resampling.BICUBIC).save(out, "PNG", compress_level=1)
    return out.getvalue()


def _sessions(count: int) -> str:
    sessions = []
    for at in range(1, count + 1):
        session = {"id": f"s{at}", "title": f"Case {at}", "named": False, "pinned": False, "created": at,
                   "changed": at * 40_000_000, "chosen": {}, "settings": {}}  # fmt: skip
        question = {"id": "q", "parent": "", "branch": "q", "role": "user", "at": at, "text": f"Question {at}",
                    "images": []}  # fmt: skip
        answer = {"id": "a", "parent": "q", "branch": "a", "role": "assistant", "at": at, "thinking": "", "made": None,
                  "text": f"The **answer** {at} is about 5 °C, and it is long. " * 40, "edited": False,
                  "ending": {"kind": "finished"}}  # fmt: skip
        sessions.append({"session": session, "messages": [question, answer], "images": {}})
    return json.dumps({"format": "medserver-backup", "version": 1, "sessions": sessions})


SCENARIOS = {"streaming": streaming, "dragging": dragging, "searching": searching}
