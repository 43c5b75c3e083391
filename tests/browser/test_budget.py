"""What the page may cost: bytes of the first load, time while an answer streams, room on the device."""

import io
import json

import numpy as np
import PIL.Image
import pytest

from tests.browser.conftest import HOST, SIZES
from tests.browser.played import Played
from tests.browser.reader import REPLY, ask, ended, kept, tab, watched

FIRST_LOAD = 150_000  # bytes, compressed
PIECE = (
    "## Part {}\n\nThe *heart* is **normal**, 5*10^9/L.\n\n- one\n- two\n\n| Test | Value |\n|---|---:|\n"
    "| Na | {} |\n\nSo $x_{}^2$ holds.\n\n"
)
# The blocks that later text can no longer change: the last piece has three at most.
EARLY = "() => { window.early = [...document.querySelector('.prose').children].slice(0, -3); return early.length; }"
# Formulas are set a few at a time.
ALL_SET = "() => document.querySelectorAll('.maths:not(:has(math))').length === 0"
# Tasks of more than 50 ms, as the browser itself counts them.
OBSERVED = """
  window.tasks = [];
  new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration)))
    .observe({ type: 'longtask', buffered: true });
"""
# How many rows of sessions have come to the page at once.
ROWS = """
  window.rows = [];
  new MutationObserver((changes) => {
    const added = changes.flatMap(({ addedNodes }) => [...addedNodes]).filter((node) => node.matches?.('.session'));
    if (added.length > 0) rows.push(added.length);
  }).observe(document, { childList: true, subtree: true });
"""


@pytest.fixture(scope="module")
def front():
    with Played(loop_guard=0, rate_limit="1000/second", max_conversation_length=1_000_000) as played:
        yield played


@pytest.fixture
def page(browser, front):
    yield from watched(browser, front, SIZES["desktop"])


def test_the_first_load_is_small_and_formulas_come_with_the_first_one(browser, front):
    context = browser.new_context(viewport=SIZES["desktop"])
    page = context.new_page()
    sizes: dict[str, int] = {}
    page.on("response", lambda got: sizes.update({got.url: int(got.headers.get("content-length", 0))}))
    page.goto(f"http://{HOST}:{front.port}/")
    page.get_by_role("button", name="I understand").click()
    page.locator("#status").get_by_text("Ready", exact=True).wait_for()
    page.wait_for_load_state("networkidle")
    pages = {url: size for url, size in sizes.items() if "/api/" not in url}
    assert len(pages) > 50 and all(pages.values()), "the modules were seen"
    print(f"first load: {len(pages)} files, {sum(pages.values())} bytes")
    assert sum(pages.values()) <= FIRST_LOAD
    assert not [url for url in pages if "katex" in url or "views/viewer/viewer.js" in url]
    front.plays("So $x^2$ is.")
    ask(page, "Formula?")
    page.locator(".maths math").wait_for()
    assert [url for url in sizes if "katex" in url]
    context.close()


def test_a_long_answer_streams_without_holding_up_the_page_and_ends_as_if_it_came_at_once(browser, front):
    for page in watched(browser, front, SIZES["desktop"], script=OBSERVED):
        text = "".join(PIECE.format(number, 130 + number, number) for number in range(140))
        tokens = [text[at : at + 4] for at in range(0, len(text), 4)][:4000]
        # Two hundred a second for as long as the text is at its longest; what went before only has to be there.
        paced = [step for token in tokens[-800:] for step in (0.005, token)]
        front.plays(*tokens[:-800], 0.5, *paced, tokens=len(tokens))
        ask(page, "Much")
        page.locator(".maths math").first.wait_for()
        assert page.evaluate(EARLY) > 0
        page.evaluate("window.tasks.length = 0; window.began = performance.now()")
        ended(page)
        tasks, spent = page.evaluate("[window.tasks, performance.now() - window.began]")
        print(f"{len(tasks)} tasks over 50 ms in {spent:.0f} ms, the longest {max(tasks, default=0):.0f} ms")
        # How long they take is the machine's affair, and what `python -m benchmarks page` is for.
        assert page.evaluate("window.early.every((one) => one.isConnected)"), "what is over is never built again"
        page.wait_for_function(ALL_SET)
        streamed = page.locator(f"{REPLY} .prose").inner_html()
        kept(page)
        page.reload()
        ended(page)
        page.locator(".maths math").last.wait_for()
        page.wait_for_function(ALL_SET)
        assert page.locator(f"{REPLY} .prose").inner_html() == streamed
        assert len(streamed) > 4 * 4000


def noise(size: int, seed: int) -> bytes:
    """A picture whose file has about `size` bytes, because nothing in it can be compressed."""
    side = int((size / 3) ** 0.5)
    out = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)
    PIL.Image.fromarray(pixels).save(out, "PNG", compress_level=1)
    return out.getvalue()


def many_sessions(count: int) -> str:
    sessions = [
        {
            "session": {"id": f"s{at}", "title": f"Case {at}", "named": False, "pinned": False, "created": at,
                        "changed": at, "chosen": {}, "settings": {}},
            "messages": [
                {"id": "q", "parent": "", "branch": "q", "role": "user", "at": at, "text": f"Question {at}",
                 "images": []},
                {"id": "a", "parent": "q", "branch": "a", "role": "assistant", "at": at, "text": f"Answer {at}. " * 40,
                 "thinking": "", "made": None, "edited": False, "ending": {"kind": "finished"}},
            ],
            "images": {},
        }
        for at in range(1, count + 1)
    ]  # fmt: skip
    return json.dumps({"format": "medserver-backup", "version": 1, "sessions": sessions})


def test_ten_large_images_and_five_hundred_sessions_are_kept_and_found(page, front, tmp_path):
    backup = tmp_path / "backup.json"
    backup.write_text(many_sessions(500))
    page.locator("input[type=file][accept*=json]").set_input_files(backup)
    page.get_by_text("500 sessions restored.").first.wait_for()
    files = []
    for number in range(10):
        files.append(tmp_path / f"film-{number}.png")
        files[-1].write_bytes(noise(10_000_000, number))
    page.set_input_files("#image-input", files)
    page.locator("#attachments img").nth(9).wait_for()
    front.plays("All ten are noise.")
    ask(page, "Look at them")
    ended(page)
    kept(page)
    page.add_init_script(ROWS)
    page.reload()
    page.locator(".session").nth(500).wait_for()
    assert max(page.evaluate("window.rows")) == 60, "a few in each frame"
    page.wait_for_function(
        "() => document.querySelectorAll('.turn-images img').length === 10"
        " && [...document.querySelectorAll('.turn-images img')].every((one) => one.naturalWidth > 1000)"
    )
    page.get_by_role("searchbox", name="Search sessions").fill("Answer 321.")
    page.wait_for_function("() => document.querySelectorAll('.session').length === 1")
    assert page.locator(".session-title").inner_text() == "Case 321"
    page.locator(".session-open").click()
    page.get_by_text("Question 321").last.wait_for()
    tab(page.context, front).locator(".session").nth(500).wait_for()
