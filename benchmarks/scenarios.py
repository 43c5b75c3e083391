"""What is measured of one server: each scenario asks and gives named figures; it does not know whose server it is.

A figure's name ends in its unit. Bursts are of clients that all ask at once, as a ward round does.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from time import perf_counter, process_time

from benchmarks import workload
from benchmarks.client import Answer, ask
from benchmarks.figures import quantile
from benchmarks.workload import Body

TOKENS = 32
CHAT_WORDS = 1700  # about 2,000 tokens of the checkpoint's tokenizer
CHAT_TURNS = 5
FIRSTS = 24
FIRST_TOKENS = f"{FIRSTS} first tokens one by one"
ADDED = "TTFT p50 ms more than the engine's"

Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Target:
    """`behind`: the engine itself, where the target stands in front of one."""

    url: str
    model: str | None
    strict: bool = False
    behind: "Target | None" = None

    async def ask(self, messages: list[Body], tokens: int = TOKENS) -> Answer:
        return await ask(self.url, workload.body(messages, tokens, self.model, strict=self.strict))


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    kind: str
    run: Callable[[Target], Awaitable[Figures]]


async def crowd(target: Target, clients: int, conversation: Callable[[], list[Body]]) -> Figures:
    """`clients` at once. `client cores`: what our own load client took, of one core."""
    conversations = [conversation() for _ in range(clients)]  # pictures cost milliseconds each: not the server's time
    started, spent = perf_counter(), process_time()
    answers = await asyncio.gather(*map(target.ask, conversations))
    wall, spent = perf_counter() - started, process_time() - spent
    firsts = [answer.ttft * 1000 for answer in answers]
    gaps = [gap * 1000 for answer in answers for gap in answer.gaps] or [0.0]
    return {
        "tokens/s": sum(answer.tokens for answer in answers) / wall,
        "TTFT p50 ms": quantile(firsts, 0.5),
        "TTFT p99 ms": quantile(firsts, 0.99),
        "inter-token p50 ms": quantile(gaps, 0.5),
        "inter-token p99 ms": quantile(gaps, 0.99),
        "client cores": spent / wall,
    }


async def chat(target: Target) -> Figures:
    """Five turns that begin with 2,000 tokens; turn 5 once more as a chat that nobody has seen."""
    figures: Figures = {}
    messages = workload.text(CHAT_WORDS)
    for turn in range(1, CHAT_TURNS + 1):
        answer = await target.ask(messages)
        figures[f"turn {turn} TTFT ms"] = answer.ttft * 1000
        if turn < CHAT_TURNS:
            messages = workload.follow_up(messages, answer.text)
    cold = await target.ask(workload.afresh(messages))
    figures["turn 5 cold TTFT ms"] = cold.ttft * 1000
    return figures


async def first_tokens(target: Target) -> Figures:
    """One client, which asks again and again and wants hardly any answer: what stands before an engine shows here.

    It and the engine are asked in turns, so that a machine that is slower for some seconds is so for both; the CPU time
    is that of both.
    """
    asked = [target, target.behind] if target.behind else [target]
    firsts: list[list[float]] = [[] for _ in asked]
    for _ in range(FIRSTS):
        for one, took in zip(asked, firsts, strict=True):
            took.append((await one.ask(workload.text(), 2)).ttft * 1000)
    figures = {"TTFT p50 ms": quantile(firsts[0], 0.5), "TTFT p99 ms": quantile(firsts[0], 0.99)}
    if target.behind:
        figures[ADDED] = quantile(firsts[0], 0.5) - quantile(firsts[1], 0.5)
    return figures


async def same_image(target: Target) -> Figures:
    """An image that is asked about twice, in two chats."""
    seed = next(workload.fresh)
    first = await target.ask(workload.image(seed))
    again = await target.ask(workload.image(seed))
    return {"new image TTFT ms": first.ttft * 1000, "known image TTFT ms": again.ttft * 1000}


async def joining(target: Target) -> Figures:
    """Four answers are running when a prompt of 2,000 tokens joins them."""
    running = [asyncio.create_task(target.ask(workload.text(), 160)) for _ in range(4)]
    await asyncio.sleep(1.0)
    joined = await target.ask(workload.text(CHAT_WORDS), 8)
    answers = await asyncio.gather(*running)
    gaps = [gap * 1000 for answer in answers for gap in answer.gaps]
    middle, late = quantile(gaps, 0.5), quantile(gaps, 0.99)
    return {
        "inter-token p50 ms": middle,
        "inter-token p99 ms": late,
        "p99 over median ×": late / middle,
        "joiner's TTFT ms": joined.ttft * 1000,
    }


def scenarios(crowds: tuple[int, ...]) -> list[Scenario]:
    text = [
        Scenario(f"text, {n} clients", "text", partial(crowd, clients=n, conversation=workload.text)) for n in crowds
    ]
    image = [
        Scenario(f"image, {n} clients", "image", partial(crowd, clients=n, conversation=workload.image)) for n in crowds
    ]
    longer = [Scenario("chat of 2,000 tokens", "text", chat), Scenario("2,000 tokens join", "text", joining)]
    firsts = Scenario(FIRST_TOKENS, "text", first_tokens)
    return [*text, firsts, *longer, *image, Scenario("the same image again", "image", same_image)]
