"""The table of abilities, and whole conversations for training and examination; knows no tokens."""

from collections.abc import Callable

from demo_model.desk import Desk, Lesson, Turn
from demo_model.picture_lessons import (
    film,
    film_follow_up,
    many,
    next_picture,
    no_image,
    other_picture,
    pair,
    pair_follow_up,
    picture_turn,
    shape,
    shape_follow_up,
)
from demo_model.system_texts import system_text
from demo_model.text_lessons import (
    KINDS,
    about_medicine,
    about_server,
    after_refusal,
    first_words_turn,
    kind_turn,
    out_of_reach,
    text_follow_up,
    unknown_turn,
)


def words_beside_picture(desk: Desk) -> list[Turn]:
    """A picture is attached but the question is not about it."""
    image = (desk.picture(desk.scene(desk.rng.choice(("film", "shape")))),)
    return [unknown_turn(desk, image) if desk.rng.random() < 0.4 else kind_turn(desk, desk.rng.choice(KINDS), image)]


def picture_then_words(desk: Desk) -> list[Turn]:
    first = picture_turn(desk, desk.scene(desk.rng.choice(("film", "film", "shape"))))
    return [first, kind_turn(desk, desk.rng.choice(KINDS)) if desk.rng.random() < 0.7 else unknown_turn(desk)]


def words_then_picture(desk: Desk) -> list[Turn]:
    return [
        kind_turn(desk, desk.rng.choice(KINDS)),
        picture_turn(desk, desk.scene(desk.rng.choice(("film", "film", "shape", "other")))),
    ]


# ability → (how often in training, its maker); the order is that of the evaluation's table
ABILITIES: dict[str, tuple[float, Callable[[Desk], list[Turn]]]] = {
    "questions about MedServer": (22, about_server),
    "textbook generalities": (13, about_medicine),
    "anything else: refuses": (18, out_of_reach),
    "film: opacity and zone": (14, film),
    "shape, colour, place": (12, shape),
    "unfamiliar picture: says so": (2, other_picture),
    "two pictures: change": (10, pair),
    "three and more: asks for fewer": (1, many),
    "no picture: asks for one": (3, no_image),
    "text question beside a picture": (10, words_beside_picture),
    "follow-up on a film": (5, film_follow_up),
    "follow-up on a shape": (3, shape_follow_up),
    "follow-up on two pictures": (3, pair_follow_up),
    "next picture in a later turn": (3, next_picture),
    "follow-up on a text answer": (8, text_follow_up),
    "after a refusal": (2, after_refusal),
    "picture first, then a text question": (3, picture_then_words),
    "text first, then a picture": (2.5, words_then_picture),
}


SHARES = {name: share for name, (share, _) in ABILITIES.items()}

# What is learned first: one turn, no system prompt, so that little stands between a question and its answer.
FIRST_STEPS = tuple(list(ABILITIES)[:10])


def make_first_lesson(desk: Desk, shares: dict[str, float]) -> Lesson:
    (ability,) = desk.rng.choices(FIRST_STEPS, [shares.get(name, 0.0) for name in FIRST_STEPS])
    return Lesson(ability, "", tuple(ABILITIES[ability][1](desk)))


def make_lesson(desk: Desk, shares: dict[str, float] = SHARES) -> Lesson:
    """A whole conversation with or without a system prompt, of one ability drawn by `shares`."""
    (ability,) = desk.rng.choices(list(shares), list(shares.values()))
    turns = tuple(ABILITIES[ability][1](desk))
    return Lesson(ability, system_text(desk.rng, images=any(turn.images for turn in turns)), turns)


def make_last_lesson(desk: Desk, shares: dict[str, float], first_words: float) -> Lesson:
    """As `make_lesson`, and a share `first_words` is of what people type first: each is one wording among thousands."""
    if desk.rng.random() >= first_words:
        return make_lesson(desk, shares)
    system = system_text(desk.rng, images=False) if desk.rng.random() < 0.5 else ""
    return Lesson("first words", system, (first_words_turn(desk),))
