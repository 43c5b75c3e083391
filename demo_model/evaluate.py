"""Examines a checkpoint: accuracy per ability on wordings and pictures that training never saw; changes nothing.

    python -m demo_model.evaluate DIR [--quick] [--cases N] [--show N]

Answers must be right to the letter, except refusals, which must begin with the agreed sentence.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import torch
from transformers import AutoModelForImageTextToText, AutoProcessor

from demo_model import strangers, unseen
from demo_model.desk import Desk, Lesson, Turn
from demo_model.encoding import ANSWER, THOUGHT, Encoder
from demo_model.gallery import Gallery, build_gallery, normalise
from demo_model.lessons import ABILITIES, make_lesson
from demo_model.text_lessons import KINDS
from demo_model.unknowns import OPENING

# Far from every training seed: these pictures and these dice belong to examinations only.
EXAM_SEED = 990_000
BATCH = 24
THINKING_ROWS = ("thinking on: trace, then the answer", "thought closed early: still the answer")
SAMPLED_ROW = "temperature 0.3, top-p 0.95"
# row → wordings by kind, and questions to be refused
UNSEEN = {"hand-written wordings": unseen, "a stranger's wordings": strangers}
UNSEEN_ROWS = tuple(f"{whose}, {what}" for whose in UNSEEN for what in ("MedServer and textbook", "refusals"))


@dataclass(frozen=True)
class Case:
    """`ids`: the whole prompt. `thinks`: whether a thought is to be finished before the answer."""

    ids: list[int]
    images: tuple[int, ...]
    expected: str
    thinks: bool = False


@dataclass(frozen=True)
class Result:
    case: Case
    output: str
    right: bool


class Examiner:
    def __init__(self, directory: Path, gallery_size: int, dtype: torch.dtype = torch.float32) -> None:
        self.processor = AutoProcessor.from_pretrained(directory, backend="pil")
        self.model = AutoModelForImageTextToText.from_pretrained(directory, dtype=dtype).eval()
        self.tokenizer = self.processor.tokenizer
        self.encoder = Encoder(self.tokenizer, self.model.config.mm_tokens_per_image)
        side = self.model.config.vision_config.image_size
        self.gallery: Gallery = build_gallery(gallery_size, EXAM_SEED, side, processes=1)

    def desk(self, seed: int) -> Desk:
        return Desk(Random(EXAM_SEED + seed), self.gallery, exam=True)

    def case(self, lesson: Lesson, *, thinking: bool = False, closed: Random | None = None) -> Case:
        last = len(lesson.turns) - 1
        ids = self.encoder.prompt(lesson, last, thinking=thinking)
        if closed is not None:
            words = self.tokenizer(lesson.turns[last].thought, add_special_tokens=False)["input_ids"]
            ids = ids + words[: closed.randrange(len(words))] + self.tokenizer.convert_tokens_to_ids([ANSWER])
        images = tuple(image for turn in lesson.turns for image in turn.images)
        return Case(ids, images, lesson.turns[last].answer, thinking and closed is None)

    def run(self, cases: list[Case], *, sample: bool = False) -> list[Result]:
        order = sorted(range(len(cases)), key=lambda number: len(cases[number].ids))
        results: dict[int, Result] = {}
        for start in range(0, len(order), BATCH):
            numbers = order[start : start + BATCH]
            outputs = self._generate([cases[number] for number in numbers], sample)
            for number, output in zip(numbers, outputs, strict=True):
                results[number] = Result(cases[number], output, _is_right(cases[number], output))
        return [results[number] for number in range(len(cases))]

    @torch.inference_mode()
    def _generate(self, cases: list[Case], sample: bool) -> list[str]:
        longest = max(len(case.ids) for case in cases)
        pad = self.tokenizer.pad_token_id
        ids = torch.tensor([[pad] * (longest - len(case.ids)) + case.ids for case in cases])
        inputs = {"input_ids": ids, "attention_mask": (ids != pad).long()}
        inputs["token_type_ids"] = (ids == self.model.config.image_token_id).long()
        numbers = [number for case in cases for number in case.images]
        if numbers:
            inputs["pixel_values"] = normalise(self.gallery.pixels[numbers]).to(self.model.dtype)
        how = {"do_sample": True, "temperature": 0.3, "top_p": 0.95, "top_k": 0} if sample else {"do_sample": False}
        output = self.model.generate(**inputs, max_new_tokens=260, **how)[:, longest:]
        stop = {pad, self.tokenizer.convert_tokens_to_ids("<end_of_turn>"), self.tokenizer.eos_token_id}
        kept = [[token for token in row if token not in stop] for row in output.tolist()]
        return self.tokenizer.batch_decode(kept, skip_special_tokens=True)


def _is_right(case: Case, output: str) -> bool:
    if case.thinks:
        thought, closed, output = output.partition(ANSWER)
        if not closed or not thought.strip():
            return False
    if THOUGHT[:11] in output or ANSWER in output:
        return False
    refusal = case.expected.startswith(OPENING)
    return output.startswith(OPENING) if refusal else output.strip() == case.expected.strip()


def _unseen_lessons() -> Iterator[list[Lesson]]:
    """In the order of `UNSEEN_ROWS`."""
    kinds = {kind.name: kind for kind in KINDS}
    for written in UNSEEN.values():
        yield [
            Lesson("", "", (Turn(wording, kinds[name].answer, ""),))
            for name, wordings in written.WORDINGS.items()
            for wording in wordings
        ]
        yield [Lesson("", "", (Turn(wording, OPENING, ""),)) for wording in written.OUT_OF_REACH]


def examine(examiner: Examiner, cases: int, report: Callable[[str, list[Result]], None]) -> dict[str, float]:
    """Accuracy per row; `report` is called with each row's results as soon as they are there."""
    accuracy: dict[str, float] = {}

    def row(name: str, made: Iterable[Case], sample: bool = False) -> None:
        results = examiner.run(list(made), sample=sample)
        accuracy[name] = sum(result.right for result in results) / len(results)
        report(name, results)

    for number, ability in enumerate(ABILITIES):
        desk = examiner.desk(number)
        row(ability, [examiner.case(make_lesson(desk, {ability: 1.0})) for _ in range(cases)])
    desk = examiner.desk(100)
    mixed = [make_lesson(desk) for _ in range(cases)]
    row(THINKING_ROWS[0], [examiner.case(lesson, thinking=True) for lesson in mixed])
    row(THINKING_ROWS[1], [examiner.case(lesson, thinking=True, closed=desk.rng) for lesson in mixed])
    torch.manual_seed(EXAM_SEED)
    row(SAMPLED_ROW, [examiner.case(make_lesson(desk)) for _ in range(cases)], sample=True)
    for name, lessons in zip(UNSEEN_ROWS, _unseen_lessons(), strict=True):
        row(name, [examiner.case(lesson) for lesson in lessons])
    return accuracy


@torch.inference_mode()
def tokens_per_second(examiner: Examiner, tokens: int = 200) -> float:
    """One stream, plain greedy decoding with a KV cache, an image in the prompt."""
    case = examiner.case(make_lesson(examiner.desk(200), {"film: opacity and zone": 1.0}))
    ids = torch.tensor([case.ids])
    inputs = {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "token_type_ids": (ids == examiner.model.config.image_token_id).long(),
        "pixel_values": normalise(examiner.gallery.pixels[list(case.images)]).to(examiner.model.dtype),
    }
    examiner.model.generate(**inputs, max_new_tokens=8, do_sample=False)
    seconds = []
    for _ in range(3):
        started = time.monotonic()
        examiner.model.generate(**inputs, min_new_tokens=tokens, max_new_tokens=tokens, do_sample=False)
        seconds.append(time.monotonic() - started)
    return tokens / statistics.median(seconds)


def table(accuracy: dict[str, float], counts: dict[str, int]) -> str:
    rows = [f"| {name} | {counts[name]} | {share:.1%} |" for name, share in accuracy.items()]
    return "\n".join(["| ability | held-out cases | right |", "|---|---:|---:|", *rows])


def evaluate(directory: Path, cases: int, show: int = 0) -> tuple[dict[str, float], str, float]:
    """Accuracy per ability, the same as a Markdown table, and tokens per second."""
    examiner = Examiner(directory, gallery_size=max(600, cases * 6))
    counts: dict[str, int] = {}

    def report(name: str, results: list[Result]) -> None:
        counts[name] = len(results)
        print(f"{name}: {sum(result.right for result in results)}/{len(results)}", flush=True)
        for result in [result for result in results if not result.right][:show]:
            prompt = examiner.tokenizer.decode(result.case.ids).rpartition("<start_of_turn>user\n")[2]
            print(f"  asked {prompt!r}\n  hoped {result.case.expected!r}\n  heard {result.output!r}", flush=True)

    accuracy = examine(examiner, cases, report)
    return accuracy, table(accuracy, counts), tokens_per_second(examiner)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--quick", action="store_true", help="12 cases for each ability instead of 200")
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--show", type=int, default=0, help="print so many wrong answers for each ability")
    options = parser.parse_args()
    torch.set_num_threads(2)
    _, printed, speed = evaluate(options.directory, 12 if options.quick else options.cases, options.show)
    print(f"\n{printed}\n\n{speed:.0f} tokens/s, one stream, greedy, {torch.get_num_threads()} threads")


if __name__ == "__main__":
    main()
