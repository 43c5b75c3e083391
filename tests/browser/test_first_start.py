"""The page while the weights of a first start are still on their way, from a Hub that is slow."""

import re

import pytest

from tests.browser.conftest import SIZES, asked_with, opened, stands
from tests.hub.standin import StandIn, servable
from tests.serving import Running

SAID = re.compile(r"Downloading the weights, ([\d.]+) of ([\d.]+) MB \((\d+) %\), [\d.]+ MB/s, about \d+ \w+ left\.")
MORE = "before => Number(document.querySelector('.band').innerText.match(/([\\d.]+) of/)?.[1]) > before"
QUESTION = "What is MedServer?"


def said(page) -> tuple[float, ...]:
    """The megabytes that are here, all of them, and the percentage, as the page says them beside the pace."""
    band = page.locator(".band-line").get_by_text(SAID)
    band.wait_for(timeout=60_000)
    return tuple(map(float, SAID.search(band.inner_text()).groups()))


@pytest.mark.parametrize("size", SIZES)
def test_a_download_is_seen_to_go_on_and_a_question_waits_for_it(browser, tmp_path, size):
    files = servable()
    with StandIn(files) as hub:
        hub.habits.bytes_per_second = 200_000
        env = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path), "NO_PROXY": "127.0.0.1"}
        with Running("-m", "4", "--engine", "transformers", env=env) as running:
            running.until(lambda health: (health["loading"] or {}).get("stage") == "download")
            for page in opened(browser, running.port, SIZES[size], standing="Loading"):
                here, total, percent = said(page)
                assert here < total == pytest.approx(sum(map(len, files.values())) / 1e6, abs=0.06)
                assert percent == pytest.approx(100 * here / total, abs=2)
                page.fill("#prompt", QUESTION)
                page.click("#send")
                page.get_by_text("The model is still loading.", exact=True).wait_for()
                assert page.input_value("#prompt") == QUESTION
                page.wait_for_function(MORE, arg=here)
                hub.habits.bytes_per_second = None
                stands(page, "Ready")
                asked_with(page, ignore_eos=False)
                page.click("#send")
                page.locator("#transcript article[data-role=assistant][data-ending=finished]").wait_for(timeout=60_000)
