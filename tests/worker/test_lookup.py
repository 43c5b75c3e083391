"""Guesses from what was said before: what is guessed, when no more is, and that no answer is another for it."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from medserver.weights import DEMO
from medserver.worker.loading import load
from medserver.worker.lookup import LONGEST_PAUSE, MOST, Lookup
from medserver.worker.model import Part
from medserver.worker.prompt import Conversation, prepare
from medserver.worker.request import Request
from medserver.worker.values import Finished, Generation, Prompt
from tests.worker.by_hand import LONG, greedy, run_to_end, scheduler_of

WINDOW = 32  # of the tiny checkpoints


def test_what_followed_the_same_three_tokens_last_is_guessed():
    assert Lookup([1, 2, 3, 7, 1, 2, 3, 8, 9, 1, 2, 3]).guess(2) == [8, 9]
    assert Lookup([1, 2, 3, 8, 4, 2, 3]).guess(2) == []
    assert Lookup([5, 5, 5, 5]).guess(8) == [5], "as far as the text goes"
    assert Lookup([]).guess(8) == Lookup([1, 2]).guess(8) == []


def test_images_are_neither_matched_nor_guessed():
    assert Lookup([-1, -1, -1, 7, -1, -1, -1]).guess(4) == []
    assert Lookup([1, 2, 3, 7, -1, 8, 1, 2, 3]).guess(4) == [7]


def test_more_is_guessed_after_right_ones_and_less_often_after_wrong_ones():
    lookup = Lookup([*range(40), 0, 1, 2])
    widths = []
    for _ in range(3):
        widths.append(len(lookup.guess(100)))
        lookup.learn(widths[-1], widths[-1])
    assert widths == [4, 8, MOST]
    lookup.learn(MOST, 2)
    assert len(lookup.guess(100)) == 3
    pauses = []
    for _ in range(9):
        lookup.learn(3, 0)
        silent = 0
        while not lookup.guess(100):
            silent += 1
        pauses.append(silent)
    assert pauses[:4] == [1, 2, 4, 8] and pauses[-1] == LONGEST_PAUSE
    lookup.learn(3, 1)
    lookup.learn(3, 0)
    assert not lookup.guess(100) and lookup.guess(100), "one that was right makes good"


@given(st.lists(st.integers(-1, 4), max_size=60), st.integers(0, 9))
def test_a_guess_stood_after_these_three_before(ids, most):
    guessed = Lookup(ids).guess(most)
    assert len(guessed) <= most and all(token >= 0 for token in guessed)
    if guessed:
        tail = ids[-3:]
        runs = [ids[at : at + len(guessed)] for at in range(3, len(ids)) if ids[at - 3 : at] == tail]
        assert runs and guessed == runs[-1]


class Counted:
    """A model's steps, and the tokens that were guessed, counted; `ahead` false lets nothing be guessed."""

    def __init__(self, model, monkeypatch, *, ahead: bool):
        self.steps, self.tried = 0, 0
        decode, attempt = model.decode, model.attempt

        def decoded(*args):
            self.steps += 1
            return decode(*args)

        def attempted(tokens, *args):
            self.steps += 1
            self.tried += len(tokens) - 1
            return attempt(tokens, *args)

        monkeypatch.setattr(model, "decode", decoded)
        monkeypatch.setattr(model, "attempt", attempted)
        monkeypatch.setattr(type(model), "guesses", property(lambda _: ahead))


def answered(model, monkeypatch, request: Request, *, ahead: bool) -> tuple[list[int], list, Counted]:
    with monkeypatch.context() as patch:
        counted = Counted(model, patch, ahead=ahead)
        outputs: list = []
        scheduler = scheduler_of(model, outputs.extend, slots=2)
        scheduler.submit(request)
        run_to_end(scheduler)
    return request.tokens, [what for _, what in outputs], counted


@pytest.mark.parametrize("text", ["Hello", LONG], ids=["short", "longer than the window"])
@pytest.mark.parametrize(
    "generation",
    [
        greedy(90, ignore_eos=True),
        # Three tokens in any order, so that guesses are made and are often wrong.
        Generation(
            max_tokens=90, temperature=1.0, seed=3, ignore_eos=True, logit_bias=dict.fromkeys((150, 160, 170), 50.0)
        ),
        Generation(max_tokens=90, temperature=0.0, repetition_penalty=1.02, ignore_eos=True),
    ],
    ids=["greedy", "drawn", "penalised"],
)
def test_the_answer_is_the_same_and_takes_fewer_steps(model, prompt, monkeypatch, text, generation):
    plain, _, slow = answered(model, monkeypatch, Request(prompt(model, text, 1), generation), ahead=False)
    quick, outputs, fast = answered(model, monkeypatch, Request(prompt(model, text, 1), generation), ahead=True)
    assert quick == plain and outputs[-1].completion_tokens == 90
    assert slow.tried == 0 < fast.tried and fast.steps < slow.steps


def test_what_is_said_again_takes_few_steps(monkeypatch):
    """The packaged demo repeats its last answer when it is asked to."""
    demo = load(DEMO, quantize=False, progress=lambda *_: None)
    said = [{"role": "user", "content": [{"type": "text", "text": "What is MedServer?"}]}]

    def answer(messages: list[dict], *, ahead: bool) -> tuple[str, Counted]:
        asked = prepare(Conversation(messages, ()), demo.processor, images=True)
        _, outputs, counted = answered(demo, monkeypatch, Request(asked, greedy(200)), ahead=ahead)
        return "".join(one.text for one in outputs[:-1]), counted

    first, counted = answer(said, ahead=True)
    said += [{"role": "assistant", "content": [{"type": "text", "text": first}]}]
    said += [{"role": "user", "content": [{"type": "text", "text": "Repeat your answer"}]}]
    again, fast = answer(said, ahead=True)
    assert again == first and fast.steps < counted.steps / 3
    assert answer(said, ahead=False)[0] == again


def test_an_answer_ends_where_it_does_without_guesses(model, prompt, monkeypatch):
    def ends(ahead: bool, **more) -> list:
        outputs = answered(model, monkeypatch, Request(prompt(model, "Hello"), greedy(**more)), ahead=ahead)[1]
        text = "".join(one.text for one in outputs if not isinstance(one, Finished))
        return [text, outputs[-1]]

    whole = ends(False, max_tokens=60, ignore_eos=True)[0]
    for more in (
        {"max_tokens": 60},
        {"max_tokens": 41, "ignore_eos": True},
        {"max_tokens": 60, "ignore_eos": True, "stop": (whole[-9:-3],)},
    ):
        assert ends(True, **more) == ends(False, **more)


def test_the_next_turn_continues_what_was_guessed(text_model, prompt, monkeypatch):
    """What stays of a step that was tried is what the next turn begins with."""
    outputs: list = []
    scheduler = scheduler_of(text_model, outputs.extend, slots=1)
    first = Request(prompt(text_model, LONG), greedy(100, ignore_eos=True), salt="s")
    scheduler.submit(first)
    run_to_end(scheduler)
    held = torch.cat([first.prompt.ids[0], torch.tensor(first.tokens[:-1])])
    kept, length = scheduler._kv.prefixes.longest("s", torch.cat([held, held.new_tensor([5, 6])]))
    assert kept.length == length == len(held)
    cache = text_model.new_cache(2**30, 2, 4096)
    with torch.inference_mode():
        slots = [cache.take(len(held) + 2) for _ in range(2)]
        cache.load(slots[0], kept, kept.length)
        whole = Prompt(held[None])
        text_model.extend(cache, [Part(slots[1], whole, len(held), {})])
        logits = text_model.decode([7, 7], slots, cache)
    torch.testing.assert_close(logits[0], logits[1], rtol=1e-3, atol=1e-3)
