"""`python -m benchmarks`: everybody side by side, the front alone, what it bears, what its page costs, or the peers."""

import argparse
import signal
import sys
from pathlib import Path

from benchmarks import bars, environments, report
from benchmarks.compare import Plan, Results, compare
from benchmarks.front import LOADS, ROUNDS, cost, idle_stream
from benchmarks.page import run as page
from benchmarks.safety import run as safety
from benchmarks.scenarios import scenarios

DOCS = Path(__file__).parent.parent / "docs" / "benchmarks"


def say(line: str) -> None:
    print(line, flush=True)


def main() -> None:
    options = _parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that no server is left behind
    if options.command == "environments":
        environments.make(options.directory.absolute())
        return
    if options.command == "safety":
        sys.exit(0 if safety.run(options.minutes, options.only, say) else 1)
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.command == "page":
        page.run(options.folder.absolute(), options.only, say)
        return
    results = Results() if options.command == "front" else compare(_plan(options), say)
    costs, idle_kib = [], None
    if options.command == "front" or not options.without_front:
        for load in LOADS:
            costs.append(found := cost(load, options.folder))
            say(f"{load.name}: {found.us_per_frame} µs CPU per frame; a relay takes {found.floor_us} per token")
        idle_kib = idle_stream(options.folder)
        say(f"an idle stream: {idle_kib:.1f} KiB")
        say(bars.table(bars.of_the_front(costs, idle_kib)))
    report.write(results, costs, idle_kib, getattr(options, "rounds", ROUNDS), options.out)
    say(f"written: {options.out / 'results.md'}")


def _plan(options: argparse.Namespace) -> Plan:
    known = environments.known(options.environments) | dict(_named(one) for one in options.peer)
    wanted = [one for one in scenarios(tuple(options.clients)) if not options.scenario or one.name in options.scenario]
    return Plan(wanted, known, options.folder.absolute(), options.rounds, tuple(options.only))


def _named(peer: str) -> tuple[str, Path]:
    name, _, python = peer.partition("=")
    return name, Path(python).absolute()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("environments", help="build what the peers need, each an environment of its own")
    build.add_argument("directory", type=Path)
    run = commands.add_parser("run", help="everybody, interleaved, and the front alone")
    run.add_argument("--environments", type=Path, help="where `environments` built them")
    run.add_argument("--peer", action="append", default=[], metavar="NAME=PYTHON", help="one that is elsewhere")
    run.add_argument("--rounds", type=int, default=3)
    run.add_argument("--clients", type=int, nargs="+", default=[1, 4, 16, 64])
    run.add_argument("--scenario", action="append", default=[], help="only this one; may be given more than once")
    run.add_argument("--only", action="append", default=[], help="only this peer; may be given more than once")
    run.add_argument("--without-front", action="store_true")
    alone = commands.add_parser("front", help="what the front costs, before an engine that computes nothing")
    bears = commands.add_parser("safety", help="overload, faults and hostile input at their full size")
    bears.add_argument("--minutes", type=float, default=10.0, help="of mixed load")
    bears.add_argument("--only", action="append", default=[], help="only this scenario; may be given more than once")
    seen = commands.add_parser("page", help="what the page costs a browser: a long answer, a large film, many sessions")
    seen.add_argument("--only", action="append", default=[], help="only this scenario; may be given more than once")
    for one in (run, alone, seen):
        one.add_argument("--folder", type=Path, default=Path("benchmark-runs"), help="for checkpoints and logs")
    for one in (run, alone):
        one.add_argument("--out", type=Path, default=DOCS, help="where table, figures and plots are written")
    return parser


if __name__ == "__main__":
    main()
