"""The engine is killed, hangs, or does not start, and somebody at the page sees what happens and goes on from there.

The real server with its real worker and the demo model. A replacement is held still while the page is looked at, so
that what is shown for seconds only can be read in peace.
"""

import re
import signal
import time
from contextlib import contextmanager, suppress

import psutil
import pytest

from tests.browser.conftest import SIZES, asked_with, opened, stands
from tests.serving import Running

ANSWER = "#transcript article[data-role=assistant]"
PATIENCE = 120_000  # milliseconds; a start imports torch, and the machine may be busy
BEGUN = "answer => document.querySelector(answer)?.innerText.length > 20"


def letters(text: str) -> str:
    """What Markdown leaves alone, however much of it has come."""
    return re.sub("[^A-Za-z]", "", text)


def row(page, name: str) -> str:
    """What the open status panel says under `name`."""
    return page.locator(f"#status dt:text-is('{name}') + dd").inner_text()


def worker_other_than(running: Running, old: psutil.Process) -> psutil.Process:
    """The worker that was started in place of `old`."""
    deadline = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < deadline:
        for process in running.children():
            with suppress(psutil.Error):
                if process != old and "medserver.worker" in process.cmdline():
                    return process
        time.sleep(0.01)
    raise AssertionError("nothing was started in its place")


@contextmanager
def held_still(process: psutil.Process):
    process.suspend()
    try:
        yield
    finally:
        process.resume()


def ask_endlessly(page) -> str:
    """Ask what is answered for long; the letters of what has come of it."""
    asked_with(page, ignore_eos=True, thinking="off")
    page.fill("#prompt", "What is MedServer?")
    page.click("#send")
    page.wait_for_function(BEGUN, arg=f"{ANSWER} .prose", timeout=PATIENCE)
    return letters(page.locator(f"{ANSWER} .prose").inner_text())


def ask_again(page) -> None:
    """The next question, and its whole answer."""
    asked_with(page, thinking="off")
    before = page.locator(ANSWER).count()
    page.fill("#prompt", "What is MedServer?")
    page.click("#send")
    answer = page.locator(ANSWER).nth(before)
    answer.and_(page.locator("[data-phase=ended]")).wait_for(timeout=PATIENCE)
    assert answer.get_attribute("data-ending") != "failed"
    assert letters(answer.locator(".prose").inner_text())


FAULTS = {
    "killed": (signal.SIGKILL, "The engine ended unexpectedly.", "phone"),
    "hanging": (signal.SIGSTOP, "The engine stopped answering.", "desktop"),
}


@pytest.mark.parametrize(("fault", "why", "size"), FAULTS.values(), ids=FAULTS)
def test_an_engine_that_is_lost_in_the_middle_of_an_answer_is_said_and_replaced(browser, fault, why, size):
    with Running("-m", "demo") as running:
        running.until_ready()
        for page in opened(browser, running.port, SIZES[size]):
            page.evaluate("window.stayed = true")
            came = ask_endlessly(page)
            lost = running.worker()
            lost.send_signal(fault)
            answer = page.locator(f"{ANSWER}[data-ending=failed]")
            answer.wait_for(timeout=PATIENCE)
            assert letters(answer.locator(".prose").inner_text()).startswith(came), "what had come stays"
            assert "is being restarted" in answer.inner_text() and "engine_lost" in answer.inner_text()
            with held_still(worker_other_than(running, lost)):
                stands(page, "Restarting")
                page.click("#status summary")
                assert row(page, "Engine") == "transformers, restarting"
                assert row(page, "Reason") == why and row(page, "Restarts") == "1"
                page.keyboard.press("Escape")
            stands(page, "Ready")
            ask_again(page)
            assert page.evaluate("window.stayed"), "the page was never loaded again"


# Says that it holds vLLM, and ends as an engine does whose GPU is full, once the file is there that it waits for.
FULL = """#!/bin/sh
case "$1" in
  -c) echo '[[3, 11], ["vllm"]]' ;;
  *) while [ ! -e "{go}" ]; do sleep 0.1; done
     echo "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20 GiB"; exit 1 ;;
esac
"""


def test_an_engine_that_cannot_start_makes_room_for_the_next_under_the_open_page(browser, tmp_path):
    python, go = tmp_path / "python", tmp_path / "go"
    python.write_text(FULL.format(go=go))
    python.chmod(0o755)
    with Running("-m", "demo", "--engine", "vllm", "--engine-python", str(python)) as running:
        running.until(lambda health: health["engine"]["name"] == "vllm")
        for page in opened(browser, running.port, SIZES["desktop"], standing="Loading"):
            page.evaluate("window.stayed = true")
            page.click("#status summary")
            assert row(page, "Engine") == "vllm, loading"
            go.touch()
            stands(page, "Ready")
            assert row(page, "Engine") == "transformers, ready"
            assert row(page, "Not used") == "vllm: It ran out of memory."
            page.keyboard.press("Escape")
            ask_again(page)
            assert page.evaluate("window.stayed"), "the page was never loaded again"
