"""What a person at the page does and sees, in the words of the tests; knows the page, not what is tested."""

import json
import time

from tests.browser.conftest import HOST

REPLY = "#transcript article[data-role=assistant]"


def stored(question: str, *stores: str) -> str:
    """An asynchronous function that asks this of all that lies in some stores of the page; `about` is its argument."""
    return f"""async (about) => {{
      const result = (asked) => new Promise((done, failed) => {{
        asked.onsuccess = () => done(asked.result);
        asked.onerror = () => failed(asked.error);
      }});
      const database = await result(indexedDB.open('medserver'));
      const all = (name) => result(database.transaction(name).objectStore(name).getAll());
      const [{", ".join(stores)}] = await Promise.all({json.dumps(stores)}.map(all));
      database.close();
      return {question};
    }}"""


# Until the last write is done: a page that is reloaded may lose what it had a moment ago, and says so.
IS_KEPT = stored(
    "messages.length > 0 && messages.every((one) => one.role === 'user' || one.phase === 'ended')", "messages"
)


def watched(browser, front, size, *, script: str | None = None):
    """The opened page; afterwards it must have complained about nothing."""
    context = browser.new_context(viewport=size)
    if script:
        context.add_init_script(script)
    complaints: list[str] = []
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    context.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    yield tab(context, front)
    context.close()
    # A refused or cut request is Chromium's own line and no complaint of ours.
    assert [one for one in complaints if "Failed to load resource" not in one and "ERR_" not in one] == []


def tab(context, front):
    """Another tab of the same browser, which has accepted what must be known beforehand."""
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.set_default_navigation_timeout(60_000)
    page.goto(f"http://{HOST}:{front.port}/")
    page.locator("#status").get_by_text("Ready", exact=True).wait_for()
    accept = page.get_by_role("button", name="I understand")
    if accept.is_visible():
        accept.click()
    return page


def ask(page, text: str) -> None:
    page.fill("#prompt", text)
    page.click("#send")


def ended(page, kind: str = "finished"):
    """The last reply, once it has ended so."""
    reply = page.locator(f"{REPLY}[data-ending={kind}]").last
    reply.wait_for()
    return reply


def asked(page, front, text: str, *answer: str) -> None:
    """A question, and its whole answer."""
    front.plays(*answer)
    ask(page, text)
    page.locator("#transcript .prose").get_by_text(answer[-1], exact=True).last.wait_for()
    ended(page)


def button(page, name: str):
    return page.get_by_role("button", name=name, exact=True).last


def edit(page, whose: str) -> None:
    """Open the editor of the last `whose`: "message" or "answer".

    The page draws once a frame, and a busy browser's next frame may come after the next key.
    """
    button(page, f"Edit {whose}").click()
    page.wait_for_function("() => document.activeElement.matches('.editor-text')")


def texts(page) -> list[str]:
    return page.locator("#transcript .turn-question, #transcript .prose").all_inner_texts()


def kept(page) -> None:
    eventually(page, IS_KEPT)


def eventually(page, question: str, about=None, seconds: float = 60) -> None:
    """Until the answer of an asynchronous function is yes; `wait_for_function` would take its promise for one."""
    deadline = time.monotonic() + seconds
    while not page.evaluate(question, about):
        assert time.monotonic() < deadline, question
        page.wait_for_timeout(50)


DRAFT_IS_KEPT = stored(
    "about === null ? drafts.length + images.length === 0 : drafts.length === 1 && drafts[0].text === about",
    "drafts",
    "images",
)


def listed(page) -> list[str]:
    """The titles of the sessions, in their order; on a phone they lie in a sheet."""
    if not page.get_by_role("searchbox", name="Search sessions").is_visible():
        page.click("#show-sessions")
    return page.locator(".session-title").all_inner_texts()


def act(page, title: str, action: str) -> None:
    """One of the actions of a session."""
    listed(page)
    more = page.get_by_role("button", name=f"Actions for {title}", exact=True)
    if more.get_attribute("aria-expanded") == "false":
        more.click()
    page.locator(".session").filter(has_text=title).get_by_role("button", name=action, exact=True).click()


def until(page, titles: list[str]) -> None:
    """Until the list is this."""
    listed(page)
    page.wait_for_function(
        """(wanted) => {
          const titles = [...document.querySelectorAll('.session-title')].map((one) => one.textContent);
          return titles.length === wanted.length && titles.every((one, index) => one === wanted[index]);
        }""",
        arg=titles,
    )


def empty(page) -> None:
    page.wait_for_function("() => document.querySelectorAll('#transcript article').length === 0")
    assert page.input_value("#prompt") == ""


def images_shown(page) -> int:
    page.wait_for_function(
        "() => [...document.querySelectorAll('.turn-images img')].every((one) => one.naturalWidth > 0)"
    )
    return page.locator(".turn-images img").count()


def images_sent(front) -> list[str]:
    parts = [one["content"] for one in front.asks[-1].messages if isinstance(one["content"], list)]
    return [part["image_url"]["url"] for content in parts for part in content if part["type"] == "image_url"]
