"""What the demo is taught: what people type first comes up often enough, is answered rightly, and is never examined."""

from collections import Counter
from random import Random

from demo_model.desk import Desk
from demo_model.encoding import _NEVER_CUT, CUT_TO, Encoder
from demo_model.first_words import KNOWN, bare
from demo_model.gallery import build_gallery
from demo_model.grammar import held_out
from demo_model.lessons import SHARES, Lesson, make_last_lesson
from demo_model.text_lessons import KINDS, Turn


class _Words:
    """A tokenizer of words, for lengths alone."""

    def __call__(self, text: str, **_) -> dict[str, list[int]]:
        return {"input_ids": [len(word) for word in text.split()]}


def test_a_share_of_the_last_lessons_is_of_first_words_with_their_answers():
    gallery = build_gallery(200, 1, 112, processes=1)
    desk = Desk(Random(1), gallery, exam=False)
    lessons = [make_last_lesson(desk, SHARES, 1 / 8) for _ in range(1200)]
    first = [lesson for lesson in lessons if lesson.ability == "first words"]
    assert 110 < len(first) < 190
    answers = {kind.name: kind.answer for kind in KINDS}
    allowed = {answers[name] for name in KNOWN}
    assert {lesson.turns[0].answer for lesson in first} <= allowed
    asked = Counter(bare(lesson.turns[0].question) for lesson in first)
    assert sum(asked[wording] for wordings in KNOWN.values() for wording in wordings) > len(first) / 3


def test_first_words_are_never_kept_for_the_examination():
    assert [wording for wordings in KNOWN.values() for wording in wordings if held_out(wording)] == []


def test_a_short_answer_after_others_is_taught_to_its_end_and_a_long_one_is_cut():
    encoder = Encoder(_Words(), 16)

    def learned(words: int, turns: int) -> set[int]:
        lesson = Lesson("", "", (*[Turn("q", "a b c", "t")] * (turns - 1), Turn("q", "w " * words, "t")))
        examples = [encoder.example(lesson, Random(seed), plain=False) for seed in range(60)]
        given = [max(place for place, weight in enumerate(one.weights) if weight == 0) for one in examples]
        return {len(one.ids) - place - 1 for one, place in zip(examples, given, strict=True)}

    assert CUT_TO not in learned(_NEVER_CUT - 10, turns=2)
    assert CUT_TO in learned(_NEVER_CUT + 10, turns=2) and CUT_TO in learned(_NEVER_CUT - 10, turns=1)
