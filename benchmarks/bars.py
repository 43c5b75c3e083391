"""What is demanded, beside what was measured; each bar a ratio within one run, so that the machine does not matter."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from benchmarks.compare import Results
from benchmarks.figures import Spread
from benchmarks.front import Cost
from benchmarks.peers import BATCHING, MEDSERVER, THREADS
from benchmarks.scenarios import ADDED, FIRST_TOKENS

SERVE = "transformers serve"


@dataclass(frozen=True, slots=True)
class Bar:
    """`atleast`: whether more is better."""

    what: str
    bound: float
    atleast: bool
    measured: Spread | None

    @property
    def verdict(self) -> str:
        if self.measured is None:
            return "not measured"
        held = self.measured.median >= self.bound if self.atleast else self.measured.median <= self.bound
        return "held" if held else "missed"


def every(results: Results, costs: list[Cost], idle_kib: float | None) -> Iterator[Bar]:
    yield from compared(results)
    yield from of_the_front(costs, idle_kib)
    yield from through(results)


def table(found: Iterable[Bar]) -> str:
    lines = ["| bar | demanded | measured | |", "| --- | --- | --- | --- |"]
    for one in found:
        sign = "≥" if one.atleast else "≤"
        lines.append(f"| {one.what} | {sign} {one.bound:g} | {one.measured or ''} | {one.verdict} |")
    return "\n".join(lines)


def compared(results: Results) -> Iterator[Bar]:
    def against(other: str, scenario: str, figure: str = "tokens/s") -> Spread | None:
        return results.ratio(scenario, MEDSERVER, other, figure)

    for clients, bound in ((16, 6), (64, 10)):
        for other in (SERVE, THREADS):
            what = f"image chat, {clients} clients, tokens/s against {other}"
            yield Bar(what, bound, True, against(other, f"image, {clients} clients"))
    for clients, bound in ((16, 1.3), (1, 1.0)):
        what = f"text, {clients} clients, tokens/s against {BATCHING}"
        yield Bar(what, bound, True, against(BATCHING, f"text, {clients} clients"))
    for kind in ("text", "image"):
        what = f"{kind}, 16 clients, TTFT p99 over that of sequential serving"
        yield Bar(what, 1 / 8, False, against(SERVE, f"{kind}, 16 clients", "TTFT p99 ms"))
    yield Bar("turn 5 of a 2,000-token chat, TTFT over cold", 1 / 5, False, _own(results, _turn_5))
    yield Bar("2,000 tokens join, inter-token p99 over median", 3, False, _joining(results))


def of_the_front(costs: list[Cost], idle_kib: float | None) -> Iterator[Bar]:
    """A row for each load: a machine that is woken for one frame pays for waking, for sixty-four it hardly does."""
    paced = [cost for cost in costs if cost.load.step_ms]
    loaded = [cost for cost in costs if not cost.load.step_ms]
    for cost in paced or [None]:
        yield Bar(f"front, µs CPU per frame{_of(cost)}", 60, False, cost and cost.us_per_frame)
        yield Bar(f"front, inter-token p99 ms added{_of(cost)}", 2, False, cost and cost.added_p99_ms)
    for cost in loaded or [None]:
        yield Bar(f"front, µs CPU per token{_of(cost)}", 20, False, cost and cost.us_per_token)
    yield Bar("idle stream, KiB", 40, False, Spread.of([idle_kib]) if idle_kib is not None else None)


def _of(cost: Cost | None) -> str:
    return f", {cost.load.name}" if cost else ""


def through(results: Results) -> Iterator[Bar]:
    for engine in ("vLLM", "SGLang"):
        name, crowd = f"MedServer before {engine}", "text, 64 clients"
        yield Bar(
            f"{name}, 64 clients, tokens/s over direct", 0.97, True, results.ratio(crowd, name, engine, "tokens/s")
        )
        yield Bar(f"{name}, {FIRST_TOKENS}, {ADDED}", 3, False, results.spread(FIRST_TOKENS, name, ADDED))
        late = "inter-token p99 ms"
        yield Bar(f"{name}, {crowd}, {late} added", 2, False, results.added(crowd, name, engine, late))


def _own(results: Results, ratio: Callable[[dict[str, list[float]]], list[float]]) -> Spread | None:
    found = results.figures.get("chat of 2,000 tokens", {}).get(MEDSERVER)
    return Spread.of(ratio(found)) if found else None


def _turn_5(found: dict[str, list[float]]) -> list[float]:
    return [warm / cold for warm, cold in zip(found["turn 5 TTFT ms"], found["turn 5 cold TTFT ms"], strict=True)]


def _joining(results: Results) -> Spread | None:
    return results.spread("2,000 tokens join", MEDSERVER, "p99 over median ×")
