"""Conversations about pictures, one function per ability; knows no other subject."""

from demo_model import sight_questions as ask
from demo_model import sights
from demo_model.desk import Desk, Turn
from demo_model.phantoms import ZONES, Scene


def _film_question(desk: Desk, scene: Scene) -> tuple[str, str]:
    side, zone = desk.rng.choice(sights.SIDES), desk.rng.choice(ZONES)
    if scene.zone is not None and desk.rng.random() < 0.35:
        zone = scene.zone
    part = desk.rng.choice((side, zone, zone))
    name = f"{part} zone" if part in ZONES else f"{part} lung"
    choice = desk.rng.random()
    if choice < 0.34:
        return desk.phrase(ask.DESCRIBE), sights.describe(scene)
    if choice < 0.48:
        return desk.phrase(ask.WHERE), sights.where(scene)
    if choice < 0.56:
        return desk.phrase(ask.SIDE), sights.which_side(scene)
    if choice < 0.68:
        return desk.phrase(ask.IS_THERE), sights.is_there(scene, True)
    if choice < 0.76:
        return desk.phrase(ask.IS_CLEAR), sights.is_there(scene, False)
    if choice < 0.86:
        return desk.phrase(ask.PART_IS_THERE, part=name), sights.part_is(scene, part, True)
    if choice < 0.94:
        return desk.phrase(ask.PART_IS_CLEAR, part=name), sights.part_is(scene, part, False)
    return desk.phrase(ask.ONE_LUNG, side=side), sights.one_lung(scene, side)


def _shape_question(desk: Desk, scene: Scene) -> tuple[str, str]:
    choice = desk.rng.random()
    if choice < 0.40:
        return desk.phrase(ask.DESCRIBE), sights.describe(scene)
    if choice < 0.60:
        return desk.phrase(ask.WHERE), sights.where(scene)
    if choice < 0.80:
        return desk.phrase(ask.COLOUR), sights.colour(scene)
    return desk.phrase(ask.SHAPE), sights.shape(scene)


def picture_turn(desk: Desk, scene: Scene, question: tuple[str, str] | None = None, shown: bool = True) -> Turn:
    if question is None:
        maker = (
            _film_question
            if scene.kind == "film" or (scene.kind == "other" and desk.rng.random() < 0.5)
            else _shape_question
        )
        question = maker(desk, scene)
    return Turn(*question, sights.thought([scene]), (desk.picture(scene),) if shown else ())


def film(desk: Desk) -> list[Turn]:
    return [picture_turn(desk, desk.scene("film"))]


def shape(desk: Desk) -> list[Turn]:
    return [picture_turn(desk, desk.scene("shape"))]


def other_picture(desk: Desk) -> list[Turn]:
    return [picture_turn(desk, desk.scene("other"))]


def _second_scene(desk: Desk, first: Scene) -> Scene:
    """A film again, alike or not; a shape with one or two things changed; now and then something else."""
    if desk.rng.random() < 0.08:
        return desk.scene(desk.rng.choice(("film", "shape", "other")))
    if first.kind != "shape":
        return first if desk.rng.random() < 0.25 else desk.scene(first.kind)
    while True:
        new = desk.scene("shape")
        keep = desk.rng.choice(
            (("shape", "colour"), ("shape", "place"), ("colour", "place"), ("shape",), ("shape", "colour", "place"), ())
        )
        values = {name: getattr(first if name in keep else new, name) for name in ("shape", "colour", "place")}
        second = Scene("shape", None, **values)
        if second in desk.gallery.by_scene:
            return second


def _pair(desk: Desk) -> tuple[Scene, Scene]:
    first = desk.scene(desk.rng.choice(("film",) * 7 + ("shape",) * 3))
    return first, _second_scene(desk, first)


def _pair_turn(desk: Desk, scenes: tuple[Scene, Scene]) -> Turn:
    images = tuple(desk.picture(scene) for scene in scenes)
    patterns = ask.CHANGE if desk.rng.random() < 0.85 else ask.DESCRIBE
    return Turn(desk.phrase(patterns), sights.compare(*scenes), sights.thought(list(scenes)), images)


def pair(desk: Desk) -> list[Turn]:
    return [_pair_turn(desk, _pair(desk))]


def many(desk: Desk) -> list[Turn]:
    scenes = [
        desk.scene(desk.rng.choice(("film", "film", "shape", "other"))) for _ in range(desk.rng.choice((3, 3, 4, 5)))
    ]
    images = tuple(desk.picture(scene) for scene in scenes)
    patterns = desk.rng.choice((ask.CHANGE, ask.DESCRIBE, ask.WHERE, ask.IS_THERE))
    return [Turn(desk.phrase(patterns), sights.TOO_MANY, sights.thought(scenes), images)]


def no_image(desk: Desk) -> list[Turn]:
    patterns = desk.rng.choice(
        (
            ask.DESCRIBE,
            ask.WHERE,
            ask.IS_THERE,
            ask.IS_CLEAR,
            ask.CHANGE,
            ask.COLOUR,
            ask.SHAPE,
            ask.SIDE,
            ask.PART_IS_CLEAR,
        )
    )
    question = desk.phrase(patterns, part=f"{desk.rng.choice(ZONES)} zone")
    return [Turn(question, sights.NO_IMAGE, "A question about a picture, but there is none.\nPlan: ask for one.")]


def film_follow_up(desk: Desk) -> list[Turn]:
    scene = desk.scene("film")
    first = picture_turn(desk, scene)
    choice = desk.rng.random()
    if choice < 0.25:
        side = desk.rng.choice(sights.SIDES)
        other = sights.SIDES[side == "right"]
        first = picture_turn(desk, scene, (desk.phrase(ask.ONE_LUNG, side=side), sights.one_lung(scene, side)))
        second = (desk.phrase(ask.OTHER_SIDE), sights.one_lung(scene, other))
    elif choice < 0.50:
        first = picture_turn(desk, scene, (desk.phrase(ask.DESCRIBE), sights.describe(scene)))
        second = (desk.phrase(ask.OTHER_SIDE), sights.other_side(scene))
    else:
        second = _film_question(desk, scene)
    return [first, picture_turn(desk, scene, second, shown=False)]


def shape_follow_up(desk: Desk) -> list[Turn]:
    scene = desk.scene("shape")
    return [picture_turn(desk, scene), picture_turn(desk, scene, shown=False)]


def pair_follow_up(desk: Desk) -> list[Turn]:
    scenes = _pair(desk)
    number = desk.rng.choice((1, 2))
    nth = desk.rng.choice((("first", "prior", "1st", "older"), ("second", "current", "2nd", "newer"))[number - 1])
    question = desk.phrase(ask.NTH, nth=nth, number=str(number))
    return [_pair_turn(desk, scenes), Turn(question, sights.one_of(*scenes, number), sights.thought(list(scenes)))]


def next_picture(desk: Desk) -> list[Turn]:
    """A second picture comes in a later turn: described by itself, or compared when that is asked."""
    first = desk.scene(desk.rng.choice(("film", "film", "shape")))
    second = _second_scene(desk, first)
    opening = picture_turn(desk, first, (desk.phrase(ask.DESCRIBE), sights.describe(first)))
    image = (desk.picture(second),)
    if desk.rng.random() < 0.5:
        return [opening, Turn(desk.phrase(ask.ANOTHER), sights.describe(second), sights.thought([second]), image)]
    return [
        opening,
        Turn(desk.phrase(ask.SINCE), sights.compare(first, second), sights.thought([first, second]), image),
    ]
