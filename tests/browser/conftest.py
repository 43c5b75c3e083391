"""A real browser on the real page, at an address that is no secure context, as on a ward's network."""

import io
import json
import re
import shutil
from pathlib import Path

import PIL.Image
import pytest

import medserver
from tests.browser.played import Played
from tests.serving import LAN_HOST, Running

HOST = LAN_HOST
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A name that is not localhost takes the secure context away, and the traffic stays on this machine.
    f"--host-resolver-rules=MAP {HOST} 127.0.0.1",
]
WORDS = (Path(medserver.__file__).parent / "static" / "js" / "words" / "about.js").read_text(encoding="utf-8")
# Somebody who has been here before; one test meets the notice for the first time.
NOTICE_ACCEPTED = f"""localStorage.setItem('medserver.notice', '"{re.search("version: '(.+?)'", WORDS)[1]}"')"""
SIZES = {"desktop": {"width": 1280, "height": 800}, "phone": {"width": 375, "height": 812}}
WIDE = {"width": 1440, "height": 900}  # where the viewer stands beside the words


def chromium() -> str | None:
    """Where this machine's own Chromium is."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


# Per module and not per session: the driver keeps an event loop running in this thread, and the tests of other
# modules run loops of their own.
@pytest.fixture(scope="module")
def browser():
    executable = chromium()
    if executable is None:
        pytest.skip("no Chromium was found on this machine")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(params=SIZES)
def page(request, browser, server):
    """The opened page; afterwards it must have complained about nothing and asked nobody else."""
    yield from opened(browser, server.port, SIZES[request.param])


@pytest.fixture(scope="module")
def front():
    """The real front over an engine that says what a test tells it to."""
    with Played() as played:
        yield played


@pytest.fixture
def wide(browser, front):
    yield from opened(browser, front.port, WIDE)


@pytest.fixture
def phone(browser, front):
    yield from opened(browser, front.port, SIZES["phone"], has_touch=True, is_mobile=True, device_scale_factor=2)


def asked_with(page, **fields) -> None:
    """Let the page's requests carry these fields, and be greedy: what a random model draws may end at any token."""

    def more(route) -> None:
        route.continue_(post_data=json.dumps({**route.request.post_data_json, "temperature": 0, **fields}))

    page.route("**/api/chat", more)


def stands(page, word: str) -> None:
    """Until the page says so of the server."""
    page.locator("#status .status-label").get_by_text(word, exact=True).wait_for(timeout=120_000)


def opened(browser, port: int, size: dict, *, standing: str = "Ready", **device):
    """The page once it says that the server stands so."""
    context = browser.new_context(viewport=size, **device)
    if port in Running.by_port:
        context.add_cookies([Running.by_port[port].cookie()])
    context.add_init_script(NOTICE_ACCEPTED)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on(
        "request",
        lambda asked: (
            None if asked.url.startswith((f"http://{HOST}:{port}/", "blob:", "data:")) else complaints.append(asked.url)
        ),
    )
    asked_with(page, ignore_eos=True)  # there must be time to look at it while it streams
    page.goto(f"http://{HOST}:{port}/")
    stands(page, standing)
    yield page
    context.close()
    # A refused or cut request is Chromium's own line and no complaint of ours.
    assert [one for one in complaints if "Failed to load resource" not in one and "ERR_" not in one] == []


@pytest.fixture(scope="session")
def pictures(tmp_path_factory) -> list[dict]:
    """Two files as a person would choose them."""

    def encoded(color: str, kind: str) -> bytes:
        out = io.BytesIO()
        PIL.Image.new("RGB", (120, 90), color).save(out, kind)
        return out.getvalue()

    return [
        {"name": "prior.png", "mimeType": "image/png", "buffer": encoded("gray", "PNG")},
        {"name": "current.jpg", "mimeType": "image/jpeg", "buffer": encoded("white", "JPEG")},
    ]
