"""Figures of an interleaved run become ratios within a round, verdicts, a table and a picture."""

import json
from xml.etree import ElementTree

from benchmarks import bars, plot, report
from benchmarks.compare import Results
from benchmarks.figures import Spread, quantile
from benchmarks.front import Cost, Load
from benchmarks.peers import BATCHING, MEDSERVER


def results() -> Results:
    found = Results()
    for ours, theirs in ((100.0, 50.0), (30.0, 10.0), (80.0, 40.0)):
        found.add("text, 16 clients", MEDSERVER, {"tokens/s": ours})
        found.add("text, 16 clients", BATCHING, {"tokens/s": theirs})
    found.startup["text"] = {MEDSERVER: 4.2}
    found.absent["vLLM (text)"] = "there is no environment for it"
    return found


def test_a_ratio_is_taken_within_each_round():
    assert results().ratio("text, 16 clients", MEDSERVER, BATCHING, "tokens/s") == Spread(2.0, 2.0, 3.0)
    assert results().ratio("text, 16 clients", MEDSERVER, "SGLang", "tokens/s") is None


def test_a_quantile_is_one_of_the_values():
    assert quantile([5.0, 1.0, 3.0], 0.5) == 3.0
    assert quantile(list(range(100)), 0.99) == 99
    assert quantile([7.0], 0.99) == 7.0


def test_a_bar_is_held_missed_or_not_measured():
    by_name = {bar.what: bar for bar in bars.compared(results())}
    text = next(bar for name, bar in by_name.items() if name.startswith("text, 16 clients, tokens/s"))
    assert text.bound == 1.3 and text.verdict == "held"
    assert {bar.verdict for name, bar in by_name.items() if name.startswith("image")} == {"not measured"}
    costs = [of_the_front(Load(64, 400, 10), 70.0), of_the_front(Load(1, 400, 10), 50.0)]
    front = list(bars.of_the_front(costs, 12.0))
    assert [bar.verdict for bar in front] == ["missed", "held", "held", "held", "not measured", "held"]
    assert "64 streams, one token each 10 ms" in bars.table(front)


def of_the_front(load: Load, us: float) -> Cost:
    return Cost(load, Spread.of([us]), Spread.of([us]), Spread.of([20.0]), Spread.of([0.5]), 1.0, 0.2)


def test_what_a_server_before_an_engine_adds_is_told_round_by_round():
    found, name = results(), "MedServer before vLLM"
    for direct, through in ((40.0, 42.0), (90.0, 91.0)):
        found.add("text, 64 clients", "vLLM", {"inter-token p99 ms": direct})
        found.add("text, 64 clients", name, {"inter-token p99 ms": through})
    added = {bar.what: bar for bar in bars.through(found)}[f"{name}, text, 64 clients, inter-token p99 ms added"]
    assert (added.measured, added.verdict) == (Spread(1.5, 1.0, 2.0), "held")


def test_everything_is_written_and_who_is_missing_is_said(tmp_path):
    report.write(results(), [of_the_front(Load(16, 200, 20), 41.0)], 39.4, 3, tmp_path)
    page = (tmp_path / "results.md").read_text()
    assert "80.0 (30.0–100)" in page and "vLLM (text): there is no environment" in page and "4.2" in page
    assert json.loads((tmp_path / "results.json").read_text())["rounds"] == 3
    ElementTree.fromstring((tmp_path / "text.svg").read_text())
    assert not (tmp_path / "image.svg").exists()


def test_a_plot_has_a_line_for_everybody_inside_its_frame():
    drawn = ElementTree.fromstring(plot.lines("a < b", "tokens/s", {"one": {1: 0.5, 64: 900}, "two": {1: 3, 4: 2}}))
    space = "{http://www.w3.org/2000/svg}"
    assert len(drawn.findall(f"{space}polyline")) == 2
    heights = [float(dot.get("cy")) for dot in drawn.findall(f"{space}circle")]
    assert all(plot.TOP <= height <= plot.HEIGHT - plot.BOTTOM for height in heights)
