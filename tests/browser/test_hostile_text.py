"""Text that wants to be more than text, wherever text from outside is shown: nothing of it ever runs or asks."""

import json
import re

import pytest

from tests.browser.conftest import HOST, SIZES
from tests.browser.played import Played
from tests.browser.reader import ask, ended, stored, tab
from tests.browser.vectors import CONTEXTS, VECTORS

WATCH = """
  window.harm = [];
  window.alarm = () => window.harm.push('it ran');
  document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
    window.harm.push(`${violatedDirective} ${blockedURI}`);
  });
"""
# What must not be anywhere in a page that only shows text; its own scripts and styles are in its head.
FOUND = """() => {
  const live = 'script, iframe, object, embed, style, link, meta, base, math:not(.maths math), video, audio, '
    + '[action], [srcdoc]';
  const listens = ({ attributes }) => [...attributes].some(({ name }) => name.startsWith('on'));
  return [
    ...document.body.querySelectorAll(live),
    ...[...document.querySelectorAll('*')].filter(listens),
    ...[...document.links].filter(({ protocol }) => !['http:', 'https:', 'mailto:'].includes(protocol)),
    ...[...document.images].filter(({ src }) => !src.startsWith('blob:') && !src.startsWith(location.origin)),
  ].map((one) => one.outerHTML.slice(0, 200));
}"""


def in_context(context: str) -> str:
    return "\n\n".join(context.replace("{}", vector) for vector in VECTORS)


@pytest.fixture(scope="module")
def front():
    with Played(loop_guard=0, rate_limit="1000/second") as played:
        yield played


@pytest.fixture(scope="module")
def opened(browser, front):
    """One page for all, because to open it takes longer than to try; and whom it asked beside its server."""
    context = browser.new_context(viewport=SIZES["desktop"])
    context.add_init_script(WATCH)
    others: list[str] = []
    own = (f"http://{HOST}:{front.port}/", "blob:", "data:", "file:")
    context.on("request", lambda asked: None if asked.url.startswith(own) else others.append(asked.url))
    context.on("dialog", lambda dialog: (others.append(dialog.message), dialog.dismiss()))
    yield tab(context, front), others
    context.close()


@pytest.fixture
def page(opened):
    """A new session; afterwards nothing has run, nothing was refused by the policy, and nobody else was asked."""
    page, others = opened
    page.click("#new-session")
    page.wait_for_function("() => document.querySelectorAll('#transcript article').length === 0")
    yield page
    unharmed(page)
    assert others == []


def unharmed(page) -> None:
    assert page.evaluate("window.harm") == []
    assert page.evaluate(FOUND) == []


def test_there_are_enough_of_them():
    assert len(set(VECTORS)) == len(VECTORS) >= 100


def test_the_alarm_rings(browser, front):
    context = browser.new_context()
    context.add_init_script(WATCH)
    page = tab(context, front)
    page.evaluate("alarm()")
    page.evaluate("document.body.append(Object.assign(document.createElement('img'), { src: 'http://evil.test/' }))")
    page.wait_for_function("() => window.harm.length > 1")
    assert page.evaluate(FOUND)
    context.close()


@pytest.mark.parametrize("context", CONTEXTS)
def test_in_questions_and_answers(page, front, context):
    text = in_context(context)
    front.plays(*[text[at : at + 61] for at in range(0, len(text), 61)])
    ask(page, text)
    ended(page)
    shown = page.locator("#transcript").inner_text()
    assert "alarm()" in shown and shown.count("evil.test") >= 5, "it is there, as text"
    unharmed(page)


def test_in_thoughts_and_failures(page, front):
    front.plays("<unused94>thought\n", in_context("{}"), "<unused95>", in_context('">{}'))
    ask(page, "Think")
    ended(page)
    page.locator("details.thinking summary").click()
    assert "<img src=x" in page.locator("details.thinking").inner_text()


def test_in_the_names_of_files(page, front, pictures):
    name = "{}.png".format
    for start in range(0, len(VECTORS), 10):
        page.set_input_files(
            "#image-input", [{**pictures[0], "name": name(vector)} for vector in VECTORS[start : start + 10]]
        )
        front.plays("Seen.")
        ask(page, "Look")
        page.locator("#transcript .prose").nth(start // 10).get_by_text("Seen.").wait_for()
        ended(page)
    wrong = [{"name": f"{one}.txt", "mimeType": "text/plain", "buffer": b"x"} for one in VECTORS]
    page.set_input_files("#image-input", wrong)
    page.get_by_text("Not added: ").first.wait_for()
    page.locator(".turn-images button").first.click()
    unharmed(page)


def test_in_titles_and_searches(page, front):
    front.plays("Seen.")
    ask(page, "Look")
    ended(page)
    # It is listed once it is stored, which may be after its answer has ended.
    row = page.locator(".session").filter(has=page.locator("[aria-current]"))
    row.locator(".session-head button").last.click()
    for vector in VECTORS:
        row.get_by_role("button", name="Rename").click()
        page.get_by_role("textbox", name="Title", exact=True).fill(vector)
        page.keyboard.press("Enter")
        start = " ".join(vector.replace("\ufeff", " ").split())[:20]
        row.locator(".session-title", has_text=re.compile("^" + re.escape(start))).wait_for()
    search = page.get_by_role("searchbox")
    for vector in VECTORS[:6]:
        search.fill(f"{vector} nowhere")
        page.get_by_text("Nothing found for").wait_for()
    search.fill("alarm")
    page.locator(".session-title").first.wait_for()
    search.fill("")


def hostile_backup(vector: str, index: int) -> dict:
    """One session in which every text is hostile."""
    image = {"id": f"i{index}", "name": vector, "type": "image/png", "size": 1, "label": vector}
    made = {"model": vector, "engine": vector, "demo": False, "parameters": {vector: vector, "temperature": vector}}
    ending = {"kind": "other", "reason": vector, "sentence": vector, "code": vector}
    failed = {"kind": "failed", "reason": vector, "sentence": vector, "code": vector}
    question = {"id": "q", "parent": "", "branch": "q", "role": "user", "at": index, "text": vector, "images": [image]}
    reply = {"role": "assistant", "at": index, "text": vector, "thinking": vector, "made": made, "edited": False}
    return {
        "session": {
            "id": f"s{index}",
            "title": vector,
            "named": True,
            "pinned": False,
            "created": index,
            "changed": index,
            "chosen": {},
            "settings": {"thinking": vector, "model": vector, "system_prompt": vector, "temperature": vector},
        },
        "messages": [
            question,
            {**reply, "id": "a", "branch": "a", "parent": "q", "ending": ending},
            {**reply, "id": "b", "branch": "b", "parent": "a", "ending": failed},
        ],
        "images": {f"i{index}": "PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIG9ubG9hZD0iYWxhcm0oKSIvPg=="},
    }


def test_in_a_restored_backup_and_in_what_is_downloaded_of_it(page, tmp_path):
    sessions = [hostile_backup(vector, index) for index, vector in enumerate(VECTORS)]
    file = tmp_path / "backup.json"
    file.write_text(json.dumps({"format": "medserver-backup", "version": 1, "sessions": sessions}))
    page.locator("input[type=file][accept*=json]").set_input_files(file)
    page.get_by_text(f"{len(VECTORS)} sessions restored.").first.wait_for()
    rows = page.locator(".session-open")
    every = page.evaluate(stored("sessions.length", "sessions"))
    rows.nth(every - 1).wait_for()
    earlier = every - len(VECTORS)
    for index in range(len(VECTORS)):
        rows.nth(earlier + index).click()
        page.wait_for_function(
            "(at) => document.querySelectorAll('.session-open')[at].hasAttribute('aria-current')", arg=earlier + index
        )
        if index % 25 == 0:
            downloaded(page, tmp_path / f"{index}.html")
    unharmed(page)


def downloaded(page, path) -> None:
    """The page for printing, with the thinking, opened as a person would."""
    page.click("#download")
    page.get_by_label("HTML page for printing").check()
    page.get_by_label("Include the model’s thinking").check()
    with page.expect_download() as download:
        page.locator("#downloading").get_by_role("button", name="Download", exact=True).click()
    download.value.save_as(path)
    opened = page.context.new_page()
    opened.goto(path.as_uri())
    assert "AI-generated, not verified" in opened.locator("body").inner_text()
    assert opened.evaluate("window.harm") == []
    assert opened.locator("body script, iframe, img, object, a[href^=javascript]").count() == 0
    opened.close()
