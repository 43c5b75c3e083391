"""The interleaved run: in each round every peer does the same scenario, one by one, while the others stand still."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from benchmarks import workload
from benchmarks.client import Failed
from benchmarks.figures import Spread
from benchmarks.peers import IMAGE, TEXT, Absent, Peer, line_up
from benchmarks.scenarios import Figures, Scenario, Target
from benchmarks.tree import NotStarted, Tree, free_port

Say = Callable[[str], None]


@dataclass
class Results:
    """`figures`: per scenario, peer and figure the values of all rounds. `absent`: who was left out, and why."""

    figures: dict[str, dict[str, dict[str, list[float]]]] = field(default_factory=dict)
    startup: dict[str, dict[str, float]] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)

    def add(self, scenario: str, peer: str, found: Figures) -> None:
        kept = self.figures.setdefault(scenario, {}).setdefault(peer, {})
        for name, value in found.items():
            kept.setdefault(name, []).append(value)

    def spread(self, scenario: str, peer: str, figure: str) -> Spread | None:
        values = self.figures.get(scenario, {}).get(peer, {}).get(figure)
        return Spread.of(values) if values else None

    def ratio(self, scenario: str, ours: str, theirs: str, figure: str) -> Spread | None:
        """Ours over theirs, round by round: only what was measured side by side is compared."""
        ratios = [mine / other for mine, other in self._pairs(scenario, ours, theirs, figure) if other]
        return Spread.of(ratios) if ratios else None

    def added(self, scenario: str, ours: str, theirs: str, figure: str) -> Spread | None:
        """Ours less theirs, round by round."""
        more = [mine - other for mine, other in self._pairs(scenario, ours, theirs, figure)]
        return Spread.of(more) if more else None

    def _pairs(self, scenario: str, ours: str, theirs: str, figure: str) -> Iterator[tuple[float, float]]:
        values = [self.figures.get(scenario, {}).get(peer, {}).get(figure, []) for peer in (ours, theirs)]
        return zip(*values, strict=False)


@dataclass
class Runner:
    peer: Peer
    tree: Tree
    url: str
    before: "Runner | None" = None  # the engine that it stands in front of

    @contextmanager
    def awake(self) -> Iterator[None]:
        every = [self, *([self.before] if self.before else [])]
        for one in every:
            one.tree.resume()
        try:
            yield
        finally:
            for one in every:
                one.tree.pause()

    @property
    def target(self) -> Target:
        behind = self.before.target if self.before else None
        return Target(self.url, self.peer.model, self.peer.strict, behind)

    def cpu_seconds(self) -> float:
        return self.tree.cpu_seconds() + (self.before.cpu_seconds() if self.before else 0.0)


# Seconds that a peer has to itself after its turn, as between two crowds, so that what it left for later does not fall
# into its next turn. The CPU time that it then takes counts.
SETTLED = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """`only`: names of peers to run, all where it is empty."""

    scenarios: list[Scenario]
    environments: dict[str, Path]
    folder: Path
    rounds: int
    only: tuple[str, ...] = ()


def compare(plan: Plan, say: Say) -> Results:
    results = Results()
    for kind in (TEXT, IMAGE):
        wanted = [one for one in plan.scenarios if one.kind == kind]
        if wanted:
            _compare(kind, wanted, plan, results, say)
    return results


def checkpoint(kind: str, folder: Path) -> Path:
    """Made once, in a process of its own: this one stays small and loads no torch."""
    directory = folder / f"checkpoint-{kind}"
    if not (directory / "config.json").exists():
        code = f"from benchmarks.checkpoint import make; from pathlib import Path; make(Path({str(directory)!r}), "
        subprocess.run([sys.executable, "-c", code + f"images={kind == IMAGE})"], check=True)
    return directory


def _compare(kind: str, scenarios: list[Scenario], plan: Plan, results: Results, say: Say) -> None:
    with ExitStack() as stack:
        runners: dict[str, Runner] = {}
        for peer in line_up(kind, checkpoint(kind, plan.folder), plan.environments):
            if plan.only and peer.name not in plan.only:
                continue
            if isinstance(peer, Absent):
                results.absent[f"{peer.name} ({kind})"] = peer.why
                continue
            try:
                runners[peer.name] = _started(peer, kind, plan.folder, runners, stack)
            except (NotStarted, KeyError) as reason:
                results.absent[f"{peer.name} ({kind})"] = f"it did not start: {str(reason).strip()[-200:]}"
                continue
            results.startup.setdefault(kind, {})[peer.name] = runners[peer.name].tree.startup
            say(f"{kind}: {peer.name} is ready after {runners[peer.name].tree.startup:.1f} s")
        for number, scenario in product(range(plan.rounds), scenarios):
            for runner in _order(list(runners.values()), number):
                _measure(scenario, runner, results, say)


def _order(runners: list[Runner], number: int) -> list[Runner]:
    """Another one begins in each round, so that nobody always follows the same neighbour."""
    turn = number % max(1, len(runners))
    return runners[turn:] + runners[:turn]


def _started(peer: Peer, kind: str, folder: Path, runners: dict[str, Runner], stack: ExitStack) -> Runner:
    before = runners[peer.behind] if peer.behind else None
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    argv = [part.format(port=port, behind=before.url if before else "") for part in peer.argv]
    log = folder / f"{kind}-{peer.name.replace(' ', '-')}.log"
    if before:
        before.tree.resume()
    tree = stack.enter_context(Tree(argv, f"{url}/{peer.ready}", log, peer.env))
    runner = Runner(peer, tree, url, before)
    try:
        with runner.awake():
            asyncio.run(_warm_up(runner, kind))
    except (Failed, OSError) as error:
        raise NotStarted(f"its first answer failed: {error}") from None
    return runner


async def _warm_up(runner: Runner, kind: str) -> None:
    """What is made at the first request only is not measured; nor is what the system took from a process that stood
    still, as it does on some machines with what was read from files, weights among them.
    """
    for _ in range(2):
        await runner.target.ask(workload.image() if kind == IMAGE else workload.text(), 4)


def _measure(scenario: Scenario, runner: Runner, results: Results, say: Say) -> None:
    with runner.awake():
        try:
            asyncio.run(_warm_up(runner, scenario.kind))
            before = runner.cpu_seconds()
            found = asyncio.run(scenario.run(runner.target))
            time.sleep(SETTLED)
        except (Failed, OSError) as error:
            results.absent[f"{runner.peer.name} ({scenario.name})"] = f"it failed: {str(error)[:200]}"
            return
        found["CPU s"] = runner.cpu_seconds() - before
    results.add(scenario.name, runner.peer.name, found)
    say(f"{scenario.name}: {runner.peer.name}: " + json.dumps({name: round(value, 2) for name, value in found.items()}))
