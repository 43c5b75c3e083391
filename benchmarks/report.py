"""Results as Markdown, JSON and a plot; it measures nothing."""

import json
import platform
from dataclasses import asdict
from datetime import date
from pathlib import Path

import psutil

from benchmarks import bars, plot
from benchmarks.compare import Results
from benchmarks.figures import short
from benchmarks.front import ROUNDS, Cost
from benchmarks.peers import MEDSERVER

SHOWN = (
    "tokens/s",
    "TTFT p50 ms",
    "TTFT p99 ms",
    "inter-token p50 ms",
    "inter-token p99 ms",
    "CPU s",
    "client cores",
)


def write(results: Results, costs: list[Cost], idle_kib: float | None, rounds: int, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    kept = {"machine": machine(), "rounds": rounds, **asdict(results)}
    kept |= {"front": [asdict(cost) for cost in costs], "idle stream KiB": idle_kib}
    (folder / "results.json").write_text(json.dumps(kept, indent=1) + "\n")
    (folder / "results.md").write_text(markdown(results, costs, idle_kib, rounds))
    for kind in ("text", "image"):
        if series := _throughput(results, kind):
            (folder / f"{kind}.svg").write_text(
                plot.lines(f"{kind.capitalize()} chats: tokens per second", "tokens/s", series)
            )


def machine() -> str:
    memory = psutil.virtual_memory().total / 2**30
    cores = psutil.cpu_count()
    return (
        f"{platform.system()} {platform.machine()}, {cores} cores, {memory:.0f} GiB, Python {platform.python_version()}"
    )


def markdown(results: Results, costs: list[Cost], idle_kib: float | None, rounds: int) -> str:
    parts = [f"{date.today()}, {machine()}. Median of {rounds} rounds, with the lowest and the highest."]
    parts.append("## Bars\n\n" + bars.table(bars.every(results, costs, idle_kib)))
    parts += [f"## {scenario[0].upper()}{scenario[1:]}\n\n" + _table(results, scenario) for scenario in results.figures]
    if costs:
        parts.append("## What the front costs\n\n" + _front(costs, idle_kib))
    parts += [
        f"## Seconds until the first answer ({kind})\n\n" + _startup(found) for kind, found in results.startup.items()
    ]
    if results.absent:
        left = "\n".join(f"- {name}: {why}" for name, why in results.absent.items())
        parts.append("## Left out\n\n" + left)
    return "\n\n".join(parts) + "\n"


def _table(results: Results, scenario: str) -> str:
    peers = results.figures[scenario]
    names = list(dict.fromkeys(name for found in peers.values() for name in found))
    names.sort(key=lambda name: SHOWN.index(name) if name in SHOWN else -1)
    rows = [[peer, *(str(results.spread(scenario, peer, name) or "") for name in names)] for peer in peers]
    return table(["", *names], rows)


def _front(costs: list[Cost], idle_kib: float | None) -> str:
    names = ["load", "µs CPU per token", "µs CPU per frame", "a bare relay's µs per token", "inter-token p99 ms added"]
    names += ["tokens per frame", "cores"]
    rows = []
    for one in costs:
        spreads = (str(spread) for spread in (one.us_per_token, one.us_per_frame, one.floor_us, one.added_p99_ms))
        rows.append([one.load.name, *spreads, short(one.tokens_per_frame), short(one.cores)])
    idle = f"\n\nMemory of an idle stream: {idle_kib:.0f} KiB." if idle_kib is not None else ""
    return f"Median of {ROUNDS} rounds, with the lowest and the highest.\n\n" + table(names, rows) + idle


def _startup(found: dict[str, float]) -> str:
    return table(["", "s"], [[name, f"{seconds:.1f}"] for name, seconds in found.items()])


def _throughput(results: Results, kind: str) -> dict[str, dict[int, float]]:
    series: dict[str, dict[int, float]] = {}
    for scenario, peers in results.figures.items():
        if scenario.startswith(f"{kind}, "):
            clients = int(scenario.split()[1])
            for peer in peers:
                if found := results.spread(scenario, peer, "tokens/s"):
                    series.setdefault(peer, {})[clients] = found.median
    return dict(sorted(series.items(), key=lambda one: one[0] != MEDSERVER))


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
