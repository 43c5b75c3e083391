"""A way through every state of the page, as somebody goes it who looks at each of them."""

import json
from collections.abc import Callable

from tests.browser.conftest import HOST
from tests.browser.reader import ask, button, edit, ended, kept, tab

DOCUMENT = """## Findings

The heart is **normal**, 5*10^9/L, see [the guideline](https://a.example/b).

| Test | Value | Unit |
|---|---:|---|
| Na | 140 | mmol/L |

1. First
   - nested

> as the guideline says

```text
code
```

$$BMI = \\frac{m}{h^2}$$
"""
FULL = """
  const put = IDBObjectStore.prototype.put;
  IDBObjectStore.prototype.put = function (...record) {
    if (window.full) throw new DOMException('no room', 'QuotaExceededError');
    return put.apply(this, record);
  };
"""


class Walk:
    """One way through the page; what `check` finds wrong at each place is kept, so that one run names everything."""

    def __init__(self, browser, front, check: Callable, viewport: dict, **device):
        self.in_sheets = viewport["width"] < 960  # the sessions, and the viewer over the page
        self.context = browser.new_context(viewport=viewport, reduced_motion="reduce", **device)
        self.context.add_init_script(FULL)
        self.front, self._check = front, check
        self.address = f"http://{HOST}:{front.port}"
        self.seen: list[str] = []
        self.found: list[str] = []

    def look(self, state: str, page=None) -> None:
        self.seen.append(state)
        self.found += [f"{state}: {one}" for one in self._check(page or self.page)]

    def first_visit(self) -> None:
        page = self.context.new_page()
        page.goto(f"{self.address}/")
        page.get_by_role("dialog", name="Before you begin").wait_for()
        self.look("clinical notice", page)
        page.close()
        self.page = tab(self.context, self.front)
        self.look("welcome")

    def answers(self) -> None:
        page, front = self.page, self.front
        front.plays("<unused94>thought\nI wonder.", "<unused95>", DOCUMENT)
        ask(page, "What is seen?")
        ended(page)
        page.locator(".maths math").wait_for()
        self.look("finished, with a table, code and a formula")
        page.locator("details.thinking summary").click()
        self.look("the thinking open")
        front.plays("Again.")
        button(page, "Regenerate answer").click()
        page.get_by_text("Version 2 of 2").wait_for()
        ended(page)
        self.look("versions")
        front.plays("<unused94>thought\nI wonder", 60.0)
        ask(page, "Think")
        page.locator("details.thinking[open]").last.wait_for()
        self.look("thinking")
        page.keyboard.press("Escape")
        ended(page, "stopped")
        self.look("stopped")
        front.plays("One, two", 60.0)
        ask(page, "Count")
        page.get_by_text("One, two").wait_for()
        self.look("answering")
        page.keyboard.press("Escape")
        ended(page, "stopped")

    def endings(self) -> None:
        page, front = self.page, self.front
        for kind, play in (
            ("cut", lambda: front.plays("One, two, three", reason="length", tokens=2048)),
            ("repetition", lambda: front.plays("Normal. ", *(["No effusion. "] * 14), reason="repetition")),
            ("failed", lambda: front.plays("Half ", RuntimeError("nothing of this is shown"))),
        ):
            play()
            ask(page, f"To be {kind}")
            ended(page, kind)
            self.look(kind)
        kept(page)

    def changes(self) -> None:
        page = self.page
        edit(page, "message")
        self.look("a question being edited")
        page.keyboard.press("Escape")
        edit(page, "answer")
        self.look("an answer being edited")
        page.keyboard.press("Escape")
        button(page, "Delete answer").click()
        page.locator("#undo").wait_for()
        self.look("undo offered")
        page.locator("#undo").get_by_role("button", name="Undo").click()

    def all(self, pictures) -> None:
        self.first_visit()
        self.answers()
        self.endings()
        self.changes()
        self.draft(pictures)
        self.refusals()
        self.viewer()
        self.dialogs()
        self.settings()
        self.sessions()
        self.troubles()
        self.other_pages()
        self.context.close()

    def draft(self, pictures) -> None:
        page = self.page
        page.set_input_files("#image-input", pictures)
        page.locator("#attachments img").nth(1).wait_for()
        page.get_by_label("Label of image 1", exact=True).select_option("own")
        page.fill("#prompt", "word " * 7000)
        page.get_by_role("meter").wait_for()
        self.look("a draft that is too long, with images")
        page.fill("#prompt", "")
        page.click("#send")
        page.locator("#notice").wait_for()
        self.look("a notice")
        page.set_input_files("#image-input", [{"name": "a.txt", "mimeType": "text/plain", "buffer": b"x"}])
        page.get_by_text("Not added: a.txt.").first.wait_for()
        self.look("a refused file")

    def refusals(self) -> None:
        page = self.page
        page.fill("#prompt", "Refused")
        for status in (413, 429, 503, 507):
            self.context.route("**/api/chat", answering({"detail": "The reason.", "code": "any"}, status))
            page.click("#send")
            page.locator("#notice").get_by_text("The reason.").wait_for()
            self.look(f"refused with {status}")
            self.context.unroute_all()
            page.locator("#notice").get_by_role("button", name="Dismiss").click()

    def viewer(self) -> None:
        page = self.page
        page.locator("#attachments .thumbnail").first.click()
        page.locator(".viewer-figure:not(:empty)").first.wait_for()
        self.look("viewer")
        page.keyboard.press("s")
        page.keyboard.press("h")
        page.locator(".viewer-figure:not(:empty)").nth(2).wait_for()
        self.look("two images, flipped")
        if not self.in_sheets:
            page.keyboard.press("f")
            page.locator(".viewer-lightbox").wait_for()
            self.look("the viewer over the page")
            page.keyboard.press("f")
            page.locator(".viewer-dock").wait_for()
        page.keyboard.press("?")
        page.locator(".viewer-help").wait_for()
        self.look("keys of the viewer")
        page.keyboard.press("Escape")
        page.keyboard.press("Escape")
        page.locator(".viewer").wait_for(state="hidden")
        while page.locator(".attachment-remove").count():
            page.locator(".attachment-remove").first.click()
        page.fill("#prompt", "Not sent")

    def dialogs(self) -> None:
        page = self.page
        page.click("#download")
        self.look("download")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="About", exact=True).click()
        self.look("about")
        page.keyboard.press("Escape")
        page.click("#new-session")
        page.get_by_role("dialog", name="Leave this session?").wait_for()
        self.look("leave")
        page.keyboard.press("Escape")
        page.click("#status summary")
        self.look("status")
        page.keyboard.press("Escape")
        page.locator(".encryption summary").click()
        self.look("not encrypted")
        page.locator(".encryption summary").click()

    def settings(self) -> None:
        page = self.page
        page.click("#open-settings")
        self.look("settings")
        page.get_by_label("Text of the system prompt").fill("My own.")
        page.get_by_label("Temperature").fill("99")
        self.look("settings with a problem")
        page.keyboard.press("Escape")

    def sessions(self) -> None:
        page = self.page
        if self.in_sheets:
            page.click("#show-sessions")
        search = page.get_by_role("searchbox", name="Search sessions")
        page.locator(".session-head button").last.click()
        self.look("sessions, with the actions of one")
        button(page, "Rename").click()
        self.look("a session being renamed")
        page.keyboard.press("Escape")
        search.fill("effusion")
        page.locator(".session mark").wait_for()
        self.look("found")
        search.fill("nowhere")
        page.get_by_text("Nothing found for “nowhere”.").wait_for()
        self.look("nothing found")
        search.fill("")
        button(page, "Wipe this device").click()
        page.get_by_role("dialog", name="Wipe this device?").wait_for()
        self.look("wipe")
        page.keyboard.press("Escape")

    def troubles(self) -> None:
        page = self.page
        page.evaluate("window.full = true")
        page.fill("#prompt", "cannot be kept")
        page.locator("#keeping").get_by_text("Not saved").wait_for()
        self.look("the disk is full")
        page.evaluate("window.full = false")
        page.fill("#prompt", "")
        health = page.evaluate("fetch('/api/health').then((response) => response.json())")
        loading = {"stage": "download", "done": 3_210_000_000, "total": 8_600_000_000}
        engine = health["engine"]
        for state, said in (
            ("Loading", {"status": "loading", "loading": loading, "engine": {**engine, "state": "loading"}}),
            ("Restarting", {"status": "degraded", "engine": {**engine, "state": "restarting"}}),
            ("Degraded", {"status": "degraded", "engine": {**engine, "state": "limited", "why": "On the CPU."}}),
            (
                "Not working",
                {"status": "error", "engine": {**engine, "state": "failed", "why": "It ran out of memory."}},
            ),
            ("Offline", None),
        ):
            self.context.unroute_all()
            self.context.route("**/api/health", answering(said and {**health, **said}))
            page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
            page.locator("#status").get_by_text(state, exact=True).wait_for()
            self.look(state)
        self.context.unroute_all()

    def other_pages(self) -> None:
        self.page.goto(f"{self.address}/docs")
        self.page.locator("#routes section").first.wait_for()
        self.look("docs")
        unknown = {"known": False, "kind": "stranger", "code": True}
        self.context.route("**/api/pairing", answering(unknown))
        self.page.goto(f"{self.address}/pair")
        self.page.get_by_label("PIN").fill("12")
        self.page.keyboard.press("Enter")
        self.page.get_by_role("alert").get_by_text("The PIN has six digits.").wait_for()
        self.look("pairing")


def answering(said: dict | None, status: int = 200):
    """Lets a route answer with this, or not at all."""

    def answer(route) -> None:
        if said is None:
            route.abort()
        else:
            route.fulfill(status=status, content_type="application/json", body=json.dumps(said))

    return answer
