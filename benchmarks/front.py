"""What MedServer itself costs: the front before an engine that computes nothing, by the CPU time of its process."""

import asyncio
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks import client, workload
from benchmarks.figures import Spread, quantile
from benchmarks.tree import Tree, cpu_seconds_of, free_port

UNLIMITED = ("--max-user-streams", "100000", "--rate-limit", "1000000/second")
# Modules and their arguments, before an engine on this machine.
FRONT = ("-m", "medserver", "-m", "demo", "-p", "{port}", "--host", "127.0.0.1")
FRONT += ("--upstream", "http://127.0.0.1:{engine}", *UNLIMITED)
RELAY = ("-m", "benchmarks.relay", "{port}", "{engine}")


@dataclass(frozen=True, slots=True)
class Load:
    """`streams` at once, each of `tokens`, one every `step_ms`; 0 as fast as the front takes them."""

    streams: int
    tokens: int
    step_ms: float

    @property
    def name(self) -> str:
        pace = f"one token each {self.step_ms:g} ms" if self.step_ms else "as fast as it takes them"
        return f"{self.streams} streams, {pace}"


HOUR_MS = 3_600_000.0
LOADS = (Load(1, 400, 10), Load(16, 200, 20), Load(64, 100, 50), Load(64, 400, 10), Load(64, 2000, 0))
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU of the front's process alone, without what a request costs that gets a single token.

    `floor_us`: microseconds per token of a relay that copies bytes, before the same engine in the same run.
    `added_p99_ms`: what the 99th percentile of the gaps between tokens is longer than behind that relay.
    """

    load: Load
    us_per_token: Spread
    us_per_frame: Spread
    floor_us: Spread
    added_p99_ms: Spread
    tokens_per_frame: float
    cores: float


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU seconds of one burst beyond its first tokens, and what came for them; `gap`: the p99 of seconds between."""

    seconds: float
    tokens: int
    frames: int
    cores: float
    gap: float


def front_before(stack: ExitStack, logs: Path, step_ms: float, words: Path | None = None) -> tuple[Tree, str]:
    """MedServer before a scripted engine, which says the words of a file if there is one, and its address."""
    return server_before(scripted_engine(stack, logs, step_ms, words), FRONT, stack, logs)


def scripted_engine(stack: ExitStack, logs: Path, step_ms: float, words: Path | None = None) -> int:
    """Its port."""
    port, said = free_port(), (str(words),) if words else ()
    argv = (sys.executable, "-m", "benchmarks.scripted", str(port), str(step_ms), *said)
    stack.enter_context(Tree(argv, f"http://127.0.0.1:{port}/health", logs / "scripted.log", {}))
    return port


def server_before(engine: int, argv: tuple[str, ...], stack: ExitStack, logs: Path) -> tuple[Tree, str]:
    """`FRONT` or `RELAY` before the engine on that port, and its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = (sys.executable, *(part.format(port=port, engine=engine) for part in argv))
    return stack.enter_context(Tree(command, f"{url}/api/health", logs / f"{argv[1]}.log", {})), url


def cost(load: Load, logs: Path) -> Cost:
    with ExitStack() as stack:
        engine = scripted_engine(stack, logs, load.step_ms)
        both = [server_before(engine, argv, stack, logs) for argv in (FRONT, RELAY)]
        for _, url in both:
            asyncio.run(_burst(url, load.streams, 1))  # what is made at the first request only
        ours, relays = zip(*([_spent(tree, url, load) for tree, url in both] for _ in range(ROUNDS)), strict=True)
    return Cost(
        load,
        us_per_token=Spread.of([one.seconds / one.tokens * 1e6 for one in ours]),
        us_per_frame=Spread.of([one.seconds / one.frames * 1e6 for one in ours]),
        floor_us=Spread.of([one.seconds / one.tokens * 1e6 for one in relays]),
        added_p99_ms=Spread.of([(one.gap - other.gap) * 1000 for one, other in zip(ours, relays, strict=True)]),
        tokens_per_frame=sum(one.tokens for one in ours) / sum(one.frames for one in ours),
        cores=median(one.cores for one in ours),
    )


def _spent(front: Tree, url: str, load: Load) -> Spent:
    asked, _, _ = _took(front, url, load.streams, 1)
    spent, answers, wall = _took(front, url, load.streams, load.tokens)
    gaps = [gap for answer in answers for gap in answer.gaps]
    return Spent(spent - asked, load.streams * (load.tokens - 1), len(gaps), spent / wall, quantile(gaps, 0.99))


def _took(front: Tree, url: str, streams: int, tokens: int) -> tuple[float, list[client.Answer], float]:
    before = cpu_seconds_of(front.root)
    answers, wall = asyncio.run(_burst(url, streams, tokens))
    return cpu_seconds_of(front.root) - before, answers, wall


async def _burst(url: str, streams: int, tokens: int) -> tuple[list[client.Answer], float]:
    clock = asyncio.get_running_loop().time
    started = clock()
    bodies = [workload.body(workload.text(), tokens, None) for _ in range(streams)]
    answers = await asyncio.gather(*(client.ask(url, body) for body in bodies))
    return answers, clock() - started


IDLE_STREAMS = 48  # fewer than an upstream has slots, so that none of them waits in the queue


def idle_stream(logs: Path) -> float:
    """KiB of the front's memory for a stream that has begun and on which nothing comes."""
    with ExitStack() as stack:
        front, url = front_before(stack, logs, HOUR_MS)
        return asyncio.run(_idle(front, url))


async def _idle(front: Tree, url: str) -> float:
    async def held(count: int) -> list[asyncio.Transport]:
        bodies = [workload.body(workload.text(), 9, None) for _ in range(count)]
        return await asyncio.gather(*(client.hold(url, body) for body in bodies))

    first = await held(IDLE_STREAMS // 4)  # what the first ones cost is there only once
    before = front.root.memory_info().rss
    more = await held(IDLE_STREAMS)
    after = front.root.memory_info().rss
    for stream in (*first, *more):
        stream.close()
    return (after - before) / IDLE_STREAMS / 1024
