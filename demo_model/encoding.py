"""Turns lessons into token ids as the chat template and the server would; knows no weights and no optimiser.

Written out by hand because rendering the template for every lesson would take longer than learning from
it; `tests/demo` compares the two.
"""

from dataclasses import dataclass
from functools import lru_cache
from random import Random

from demo_model.desk import Lesson

# How often an answer is cut for training, and after how many tokens: which answer it becomes is decided early, and
# its tail, once known by heart, costs as much for nothing. What is said of a picture is no recitation, and a short
# answer late in a conversation comes up too seldom to be known by heart from its beginning alone: cut, four in ten of
# "and in one sentence?" began well and went astray.
CUT_TO = 14
_NEVER_CUT = 48  # tokens, of an answer that comes after others
_CUT_RECITATION, _CUT_SIGHT = {True: 0.9, False: 0.8}, 0.15
THOUGHT, ANSWER = "<unused94>thought\n", "<unused95>"


@dataclass(frozen=True)
class Example:
    """`weights`: 0 where the text is given, above 0 where the model has to produce it."""

    ids: list[int]
    weights: list[float]
    images: list[int]


class Encoder:
    def __init__(self, tokenizer, image_tokens: int) -> None:
        image = "\n\n<start_of_image>" + "<image_soft_token>" * image_tokens + "<end_of_image>\n\n"
        self._image = image
        self._tokenizer = tokenizer
        self._ids = lru_cache(maxsize=20000)(self._encode)

    def _encode(self, text: str) -> tuple[int, ...]:
        return tuple(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def prompt(self, lesson: Lesson, upto: int, *, thinking: bool) -> list[int]:
        """What stands before the model's turn number `upto`, counted from 0."""
        ids: list[int] = []
        for number in range(upto + 1):
            ids += self._question(lesson, number)
            if number < upto:
                ids += self._ids(lesson.turns[number].answer + "<end_of_turn>") + self._ids("\n")
        return ids + list(self._ids(THOUGHT)) if thinking else ids

    def _question(self, lesson: Lesson, number: int) -> list[int]:
        turn = lesson.turns[number]
        lead = "<bos><start_of_turn>user\n" if number == 0 else "<start_of_turn>user\n"
        if number == 0 and lesson.system:
            lead += lesson.system + "\n\n"
        # Encoded in one go: the line ends around an image merge with those of the text.
        text = lead + self._image * len(turn.images) + turn.question.strip() + "<end_of_turn>\n<start_of_turn>model\n"
        return list(self._encode(text))

    def example(self, lesson: Lesson, rng: Random, *, plain: bool) -> Example:
        """All answers to be learned; the last one after a thought in about every third lesson."""
        ids: list[int] = []
        weights: list[float] = []
        last = len(lesson.turns) - 1
        thinking = rng.random() < 0.33
        cut = _CUT_SIGHT if any(turn.images for turn in lesson.turns) else _CUT_RECITATION[plain]
        for number, turn in enumerate(lesson.turns):
            given = self._question(lesson, number)
            ids, weights = ids + given, weights + [0.0] * len(given)
            if number == last and thinking:
                self._think(turn.thought, rng, ids, weights)
            begun = len(ids)
            self._learn(turn.answer + "<end_of_turn>", ids, weights)
            recited = number == 0 or len(ids) - begun > _NEVER_CUT
            if number == last and recited and rng.random() < cut:
                del ids[begun + CUT_TO :], weights[begun + CUT_TO :]
            if number < last:
                ids, weights = ids + list(self._ids("\n")), [*weights, 0.0]
        return Example(ids, weights, [image for turn in lesson.turns for image in turn.images])

    def _think(self, thought: str, rng: Random, ids: list[int], weights: list[float]) -> None:
        opening = self._ids(THOUGHT)
        ids += opening
        # Never taught to open a thought by itself: the server does that. The rest of the opening may be cut off.
        weights += [0.0] + [0.2] * (len(opening) - 1)
        if rng.random() < 0.8:
            self._learn(thought + ANSWER, ids, weights)
            return
        # The server ran out of patience and closed the thought.
        words = self._ids(thought)
        kept = words[: rng.randrange(len(words))]
        ids += [*kept, *self._ids(ANSWER)]
        weights += [0.0] * (len(kept) + 1)

    def _learn(self, text: str, ids: list[int], weights: list[float]) -> None:
        """Longer texts weigh more in sum but less by token; the first token decides which answer it becomes."""
        new = self._ids(text)
        each = len(new) ** -0.5
        ids += new
        weights += [each * 2, *[each] * (len(new) - 1)]
