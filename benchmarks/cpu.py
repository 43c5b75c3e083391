"""What the own engine's choices on a CPU are worth, one model at a time in this process: `python -m benchmarks.cpu`.

Arithmetic: four layers as wide as the 4B's, random weights, by MKL and by oneDNN in float32 and in bfloat16. Guessing
ahead: the packaged demo, asked to say an answer again and asked what it has not said before. All interleaved.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

import medserver.worker  # noqa: F401  (sets how torch's threads wait, before anything imports torch)

import torch  # isort: skip

from benchmarks.figures import Spread
from benchmarks.gpu import Row, model, network
from medserver import cpu
from medserver.weights import DEMO
from medserver.worker import products
from medserver.worker.loading import cap_threads, load
from medserver.worker.model import Model, Part, Plan
from medserver.worker.prompt import Conversation, prepare
from medserver.worker.request import Request
from medserver.worker.scheduler import Scheduler
from medserver.worker.values import Generation, Prompt

ROUNDS, LAYERS, ROWS, PROMPT = 5, 4, 16, 256
QUESTION, AGAIN = "What is MedServer?", "Repeat your answer"
NEW = ("Show me the normal vital signs of an adult", "Who painted the Mona Lisa?")


def wide(dtype: torch.dtype, *, onednn: bool) -> Model:
    torch.manual_seed(0)
    wanted, products.prefer_onednn = products.prefer_onednn, lambda: onednn
    try:
        return model(network("4", "cpu", dtype, LAYERS), Plan("cpu", dtype))
    finally:
        products.prefer_onednn = wanted


@torch.inference_mode()
def seconds(served: Model) -> dict[str, float]:
    """Of a prompt, of a step alone and of a step of many rows."""
    cache = served.new_cache(1 << 31, ROWS, 2 * PROMPT)
    slots = [cache.take(2 * PROMPT) for _ in range(ROWS)]
    found = {}
    started = perf_counter()
    for slot in slots[:2]:
        served.extend(cache, [Part(slot, Prompt(torch.randint(5, 200_000, (1, PROMPT))), PROMPT, {})])
    found[f"a prompt of {PROMPT} tokens"] = (perf_counter() - started) / 2
    for slot in slots[2:]:
        slot.length = PROMPT
    for rows in (1, ROWS):
        started = perf_counter()
        for _ in range(3):
            served.decode([7] * rows, slots[:rows], cache)
        found[f"a step of {rows} rows"] = (perf_counter() - started) / 3
    return found


def arithmetic() -> Iterator[Row]:
    served = {
        "MKL": wide(torch.float32, onednn=False),
        "oneDNN": wide(torch.float32, onednn=True),
        "bfloat16": wide(torch.bfloat16, onednn=False),
    }
    rounds = [{name: seconds(one) for name, one in served.items()} for _ in range(ROUNDS + 1)][1:]
    for what in rounds[0]["MKL"]:
        for name in ("oneDNN", "bfloat16"):
            ratios = [one["MKL"][what] / one[name][what] for one in rounds]
            yield Row(f"{what}: {name} over MKL in float32", None, Spread.of(ratios))


@contextmanager
def guessing(wanted: bool) -> Iterator[None]:
    known, Model.guesses = Model.guesses, property(lambda _: wanted)
    try:
        yield
    finally:
        Model.guesses = known


def answered(demo: Model, said: list[str]) -> tuple[str, float]:
    """The answer to the last of the turns, and the seconds of one of its tokens after the first."""
    turns = [
        {"role": role, "content": [{"type": "text", "text": text}]} for role, text in zip(_roles(), said, strict=False)
    ]
    outputs: list = []
    scheduler = Scheduler(demo, outputs.extend, slots=1, max_model_len=2048)
    request = Request(
        prepare(Conversation(turns, ()), demo.processor, images=True), Generation(max_tokens=300, temperature=0.0)
    )
    scheduler.submit(request)
    while not request.tokens:
        scheduler.step()
    before, started = len(request.tokens), perf_counter()
    while scheduler.running:
        scheduler.step()
    each = (perf_counter() - started) / max(1, len(request.tokens) - before)
    return "".join(one.text for _, one in outputs[:-1]), each


def _roles() -> Iterator[str]:
    while True:
        yield "user"
        yield "assistant"


def ahead() -> Iterator[Row]:
    demo = load(DEMO, quantize=False, progress=lambda *_: None)
    first, _ = answered(demo, [QUESTION])
    asked = {f"asked to say it again: “{AGAIN}”": [QUESTION, first, AGAIN]} | {f"“{new}”": [new] for new in NEW}
    for what, said in asked.items():
        ratios = []
        for _ in range(3 * ROUNDS):
            each = []
            for wanted in (False, True):
                with guessing(wanted):
                    text, took = answered(demo, said)
                each.append((text, took))
            assert each[0][0] == each[1][0], "a guess changed an answer"
            ratios.append(each[0][1] / each[1][1])
        yield Row(f"guessing ahead, {what}", 1.5 if len(said) > 1 else 0.97, Spread.of(ratios))


def main() -> None:
    threads = cap_threads()
    able = "multiplies" if cpu.multiplies_bfloat16() else "does not multiply"
    print(f"{threads} threads, a CPU that {able} bfloat16, torch {torch.__version__}\n")
    print("| times as fast | demanded | measured |\n| --- | --- | --- |")
    for rows in (ahead, arithmetic):
        for row in rows():
            print(row, flush=True)


if __name__ == "__main__":
    main()
