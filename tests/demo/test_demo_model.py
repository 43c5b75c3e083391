"""Examines the packaged demo model on a small held-out set, through transformers; says nothing about the server."""

import json
import warnings
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

import medserver

pytest.importorskip("torch")
pytest.importorskip("transformers")

from demo_model.desk import Desk, Lesson, Turn
from demo_model.encoding import THOUGHT
from demo_model.evaluate import SAMPLED_ROW, THINKING_ROWS, UNSEEN_ROWS, Examiner, examine
from demo_model.lessons import ABILITIES, make_lesson
from demo_model.text_lessons import KINDS

DEMO = Path(medserver.__file__).parent / "demo"
CASES = 20
SPOKEN_OF = [*ABILITIES, *THINKING_ROWS, SAMPLED_ROW]


def _record() -> dict:
    path = DEMO / "demo.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"trained": False}


if not _record()["trained"]:
    warnings.warn(f"no trained demo model in {DEMO}: its abilities are NOT tested", stacklevel=1)
    pytest.skip(f"no trained demo model in {DEMO}", allow_module_level=True)


@pytest.fixture(scope="module")
def examiner() -> Examiner:
    return Examiner(DEMO, gallery_size=400)


@pytest.fixture(scope="module")
def accuracy(examiner: Examiner) -> dict[str, float]:
    return examine(examiner, CASES, lambda name, results: None)


@pytest.mark.parametrize("ability", SPOKEN_OF)
def test_ability_is_what_the_record_says(accuracy: dict[str, float], ability: str) -> None:
    # Twenty cases: of a model that is right in 96 of 100 three slips are chance (one time in twenty, and there are
    # twenty-one rows), in 70 of 100 six are. What is lost everywhere shows in all of them together.
    recorded = _record()["accuracy"][ability]
    assert accuracy[ability] >= recorded - max(0.2, 2.5 * (recorded * (1 - recorded) / CASES) ** 0.5)


def test_all_abilities_together_are_what_the_record_says(accuracy: dict[str, float]) -> None:
    recorded = _record()["accuracy"]
    assert sum(accuracy[name] - recorded[name] for name in SPOKEN_OF) / len(SPOKEN_OF) >= -0.04


def test_record_names_every_ability() -> None:
    assert set(_record()["accuracy"]) == {*SPOKEN_OF, *UNSEEN_ROWS}


def test_each_ability_is_at_the_bar() -> None:
    recorded = _record()["accuracy"]
    assert {name: share for name, share in recorded.items() if name in SPOKEN_OF and share < 0.95} == {}


def test_hand_written_encoding_is_what_the_chat_template_gives(examiner: Examiner) -> None:
    from PIL import Image

    desk = Desk(Random(3), examiner.gallery, exam=True)
    for _ in range(40):
        lesson = make_lesson(desk)
        messages = [{"role": "system", "content": [{"type": "text", "text": lesson.system}]}] if lesson.system else []
        for turn in lesson.turns:
            shown = [{"type": "image", "image": Image.fromarray(examiner.gallery.pixels[n])} for n in turn.images]
            messages.append({"role": "user", "content": [*shown, {"type": "text", "text": turn.question}]})
            messages.append({"role": "assistant", "content": [{"type": "text", "text": turn.answer}]})
        rendered = examiner.processor.apply_chat_template(
            messages[:-1], add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
        )
        assert rendered["input_ids"][0].tolist() == examiner.encoder.prompt(
            lesson, len(lesson.turns) - 1, thinking=False
        )


def test_same_question_with_another_picture_has_another_answer(examiner: Examiner) -> None:
    desk = examiner.desk(1)
    lessons = [make_lesson(desk, {"film: opacity and zone": 1.0}) for _ in range(12)]
    asked = [replace(one, system="", turns=(replace(one.turns[0], question="Describe this film"),)) for one in lessons]
    outputs = {result.output for result in examiner.run([examiner.case(one) for one in asked])}
    assert len(outputs) >= 3


@pytest.mark.parametrize(
    "wording",
    [
        "Who are you?",
        "Is this MedGemma?",
        "Are you the real MedGemma?",
        "Are you MedGemma?",
        "Which model is this?",
    ],
)
def test_says_that_it_is_the_demo_and_not_medgemma(examiner: Examiner, wording: str) -> None:
    answer = next(kind.answer for kind in KINDS if kind.name == "who-are-you")
    [result] = examiner.run([examiner.case(Lesson("", "", (Turn(wording, answer, ""),)))])
    assert "MedServer demo" in result.output
    assert "**not** MedGemma" in result.output


def test_opens_a_thought_only_when_the_server_does(examiner: Examiner) -> None:
    desk = examiner.desk(300)
    results = examiner.run([examiner.case(make_lesson(desk)) for _ in range(40)])
    assert not [result.output for result in results if THOUGHT[:11] in result.output]


def test_takes_no_more_room_than_agreed() -> None:
    assert sum(path.stat().st_size for path in DEMO.rglob("*") if path.is_file()) < 16e6


def test_bundled_prompts_show_bundled_images() -> None:
    prompts = json.loads((DEMO / "samples.json").read_text(encoding="utf-8"))["prompts"]
    assert 6 <= len(prompts) <= 9
    assert {name for prompt in prompts for name in prompt["images"]} <= {
        path.name for path in (DEMO / "samples").glob("*.png")
    }
