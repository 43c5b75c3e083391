"""Conversations in words alone, one function per ability; knows no pictures."""

from dataclasses import replace
from random import Random

from demo_model import first_words
from demo_model import sight_questions as ask
from demo_model.about_medicine import MEDICINE
from demo_model.about_page import PAGE
from demo_model.about_server import SERVER
from demo_model.desk import Desk, Turn
from demo_model.grammar import typed
from demo_model.kind import Kind
from demo_model.unknowns import unknown

ABOUT_SERVER = SERVER + PAGE
KINDS = ABOUT_SERVER + MEDICINE


def kind_turn(desk: Desk, kind: Kind, images: tuple[int, ...] = ()) -> Turn:
    thought = f"The question is about {kind.topic}. I was taught this.\nPlan: give that answer, short and in Markdown."
    return Turn(desk.wording(kind.wording), kind.answer, thought, images)


def first_words_turn(desk: Desk) -> Turn:
    """What people type first, in just those words, each as often as any other."""
    known = [kind for kind in KINDS if kind.name in first_words.KNOWN]
    (kind,) = desk.rng.choices(known, [len(first_words.KNOWN[kind.name]) for kind in known])
    asked = typed(desk.rng.choice(first_words.KNOWN[kind.name]), desk.rng)
    return replace(kind_turn(desk, kind), question=asked)


def unknown_turn(desk: Desk, images: tuple[int, ...] = ()) -> Turn:
    answers: dict[str, str] = {}

    def make(rng: Random) -> str:
        question, answers["last"] = unknown(rng)
        return question

    question = desk.wording(make)
    thought = (
        "The question is not among the things I was taught.\n"
        "Plan: say that I am a demonstration model and cannot answer."
    )
    return Turn(question, answers["last"], thought, images)


def about_server(desk: Desk) -> list[Turn]:
    return [kind_turn(desk, desk.rng.choice(ABOUT_SERVER))]


def about_medicine(desk: Desk) -> list[Turn]:
    return [kind_turn(desk, desk.rng.choice(MEDICINE))]


def out_of_reach(desk: Desk) -> list[Turn]:
    return [unknown_turn(desk)]


def text_follow_up(desk: Desk) -> list[Turn]:
    kind = desk.rng.choice(KINDS)
    topic = f"I go on about {kind.topic}.\nPlan: "
    choice = desk.rng.random()
    if choice < 0.40:
        second = Turn(desk.phrase(ask.SHORTER), kind.short, topic + "say it in a sentence.")
    elif choice < 0.60:
        second = Turn(desk.phrase(ask.WHAT_ASKED), f"You asked about {kind.topic}.", topic + "name the question.")
    elif choice < 0.75:
        second = Turn(desk.phrase(ask.REPEAT), kind.answer, topic + "say it again.")
    else:
        second = kind_turn(desk, desk.rng.choice(KINDS)) if desk.rng.random() < 0.7 else unknown_turn(desk)
    return [kind_turn(desk, kind), second]


def after_refusal(desk: Desk) -> list[Turn]:
    if desk.rng.random() < 0.5:
        return [unknown_turn(desk), kind_turn(desk, desk.rng.choice(KINDS))]
    thought = "I could not answer, and am asked why.\nPlan: say why."
    return [unknown_turn(desk), Turn(desk.phrase(ask.WHY_NOT), ask.WHY_NOT_ANSWER, thought)]
