"""One answer: thoughts and tokens apart, one Done, budgets kept, the engine stopped when nobody listens."""

import asyncio
from contextlib import aclosing

import pytest

from medserver.chat import Chat, Sampling, Turn
from medserver.engine.base import End, EngineFacts
from medserver.errors import ContextOverflow, EngineLost, OutOfMemory
from medserver.events import Done, Thought, Timings, Token, Usage
from medserver.prompts import messages_for
from medserver.reply import Reply
from tests.scripted import FACTS, MARKERS, ScriptedEngine, ended, run, turns

OPENING, CLOSE = MARKERS.opening, MARKERS.close
BAN = {100: -100.0}


def chat(*, thinking="auto", max_tokens=100, last: str | None = None, **sampling) -> Chat:
    """One question; `last`: the beginning of an answer that is to be continued."""
    made = [Turn("user", ("why?",))] + ([Turn("assistant", (last,))] if last else [])
    return Chat(tuple(made), "", Sampling(max_tokens, 0.0, 1.0, **sampling), thinking)


async def heard(asked: Chat, engine: ScriptedEngine) -> list:
    async with aclosing(Reply(asked, engine, MARKERS).events()) as events:
        return [event async for event in events]


def replied(asked: Chat, *scripts, facts=FACTS) -> tuple[str, str, Done, ScriptedEngine]:
    """(thought, answer, ending, engine) of a reply that ends well."""
    engine = ScriptedEngine(*scripts, facts=facts)
    *pieces, done = run(heard(asked, engine))
    assert isinstance(done, Done)
    assert not any(isinstance(piece, Done) for piece in pieces), "it ends once"
    assert engine.open == 0, "the engine still works"
    thought = "".join(piece.text for piece in pieces if isinstance(piece, Thought))
    answer = "".join(piece.text for piece in pieces if isinstance(piece, Token))
    return thought, answer, done, engine


def test_an_answer_comes_piece_by_piece_and_ends_as_the_engine_ended():
    engine = ScriptedEngine(["The ", "heart", ended("length", 7, 2)])
    *pieces, done = run(heard(chat(), engine))
    assert pieces == [Token("The "), Token("heart")]
    assert (done.reason, done.usage) == ("length", Usage(7, 2))


def test_pieces_are_given_before_the_engine_has_ended():
    async def scene():
        more = asyncio.Event()
        events = Reply(chat(), ScriptedEngine(["The ", more, "heart", ended()]), MARKERS).events()
        assert await anext(events) == Token("The ")
        more.set()
        assert await anext(events) == Token("heart")
        await events.aclose()

    run(scene())


def test_an_empty_answer_is_an_ending_alone():
    assert replied(chat(), [ended("stop", 7, 0)])[:3] == ("", "", Done("stop", Usage(7, 0), Timings()))


def test_thought_and_answer_are_told_apart():
    thought, answer, done, engine = replied(chat(), [f"{OPENING}is it", " left?", CLOSE, "The left.", ended()])
    assert (thought, answer, done.reason) == ("is it left?", "The left.", "stop")
    assert len(engine.asks) == 1


def test_auto_leaves_it_to_the_model():
    asked = chat(top_k=3, seed=9, stop=("x",))
    *_, engine = replied(asked, ["a", ended()])
    [ask] = engine.asks
    assert ask.messages == messages_for(asked)
    assert (ask.sampling, ask.max_tokens, ask.continue_final, ask.logit_bias) == (asked.sampling, 100, False, {})


def test_off_bans_the_opening_marker_by_its_id():
    *_, engine = replied(chat(thinking="off"), ["a", ended()])
    assert engine.asks[0].logit_bias == BAN
    assert not engine.asks[0].continue_final


def test_a_model_without_markers_is_banned_nothing():
    facts = EngineFacts(supports_images=False, max_model_len=8192)
    *_, engine = replied(chat(thinking="off"), ["a", ended()], facts=facts)
    assert engine.asks[0].logit_bias == {}


def test_on_begins_the_models_turn_with_the_opening_marker():
    asked = chat(thinking="on")
    thought, answer, _, engine = replied(asked, ["is it", f" left?{CLOSE}", "Left.", ended()])
    [ask] = engine.asks
    assert ask.messages == [*messages_for(asked), {"role": "assistant", "content": OPENING}]
    assert ask.continue_final
    assert (thought, answer) == ("is it left?", "Left.")


@pytest.mark.parametrize("thinking", ["auto", "on", "off"])
def test_an_answer_that_is_continued_goes_on_without_a_thought(thinking):
    asked = chat(thinking=thinking, last="The heart")
    *_, engine = replied(asked, [" is normal.", ended()])
    [ask] = engine.asks
    assert ask.messages == messages_for(asked)
    assert ask.continue_final
    assert ask.logit_bias == BAN


def test_a_thought_that_spends_its_budget_is_closed_and_the_same_turn_goes_on():
    asked = chat(max_tokens=8, seed=3)
    first = [f"{OPENING}a ", "b ", "c ", "d ", "never reached", ended()]
    thought, answer, done, engine = replied(asked, first, ["So ", "left.", ended("stop", 20, 2)])
    assert (thought, answer, done.reason) == ("a b c d ", "So left.", "stop")
    _, second = engine.asks
    turn = {"role": "assistant", "content": f"{OPENING}a b c d{CLOSE}"}
    assert second.messages == [*messages_for(asked), turn]
    assert (second.continue_final, second.max_tokens, second.logit_bias) == (True, 4, {**BAN, 101: -100.0})
    assert second.sampling == asked.sampling


def test_a_thought_that_was_asked_for_is_closed_in_the_turn_it_began():
    asked = chat(thinking="on", max_tokens=4)
    *_, engine = replied(asked, ["a ", "b ", "c", ended()], ["Left.", ended()])
    assert engine.asks[1].messages == [
        *messages_for(asked),
        {"role": "assistant", "content": f"{OPENING}a b{CLOSE}"},
    ]


def test_an_answer_may_be_longer_than_the_budget_of_thoughts():
    _, answer, _, engine = replied(chat(max_tokens=4), ["a", "b", "c", "d", ended("length")])
    assert (answer, len(engine.asks)) == ("abcd", 1)


def test_a_thought_that_ends_within_its_budget_is_left_alone():
    *_, engine = replied(chat(max_tokens=8), [f"{OPENING}a", "b", CLOSE, "c", "d", "e", ended()])
    assert len(engine.asks) == 1


@pytest.mark.parametrize("reason", ["stop", "length"])
def test_a_thought_that_the_model_never_closes_is_closed_for_it(reason):
    thought, answer, done, engine = replied(
        chat(), [f"{OPENING}is it", " left?", End(reason, Usage(7, 2))], ["Left.", ended("stop", 30, 1)]
    )
    assert (thought, answer, done.reason) == ("is it left?", "Left.", "stop")
    assert engine.asks[1].messages[-1]["content"] == f"{OPENING}is it left?{CLOSE}"
    assert engine.asks[1].max_tokens == 98
    assert done.usage == Usage(7, 3)


def test_what_looks_like_a_marker_at_the_end_of_a_thought_is_a_part_of_it():
    thought, *_, engine = replied(chat(), [f"{OPENING}x <unus", ended()], ["y", ended()])
    assert thought == "x <unus"
    assert engine.asks[1].messages[-1]["content"] == f"{OPENING}x <unus{CLOSE}"


def test_where_no_token_is_left_the_answer_ends_as_too_long():
    thought, answer, done, engine = replied(chat(thinking="on", max_tokens=1), ["hm", "never reached", ended()])
    assert (thought, answer, done.reason, len(engine.asks)) == ("hm", "", "length", 1)


def test_pieces_are_counted_where_the_engine_was_stopped_before_it_could_count():
    *_, done, _ = replied(chat(max_tokens=4), [f"{OPENING}a", "b", "c", ended()], ["x", ended("stop", 20, 1)])
    assert done.usage.completion_tokens == 3


def test_a_missing_count_is_the_number_of_pieces():
    *_, done, _ = replied(chat(), ["a", "b", End("stop", None)])
    assert done.usage == Usage(0, 2)


# Two tokens may come as one piece: half a character is held back, and so is a possible stop string.
COALESCED = [f"{OPENING}a b c", " d e f", End("length", Usage(7, 10))]


def test_no_more_tokens_are_asked_for_than_the_client_allowed():
    *_, engine = replied(chat(max_tokens=10), COALESCED, ["y", ended()])
    assert sum(ask.max_tokens for ask in engine.asks[1:]) <= 0


def test_both_generations_are_counted_as_the_engine_counted_them():
    *_, done, _ = replied(chat(max_tokens=20), COALESCED, ["y", ended("stop", 17, 1)])
    assert done.usage == Usage(7, 11)


def test_a_thought_is_counted_once():
    first = [f"{OPENING}a ", "b ", "c ", "d "]
    *_, done, _ = replied(chat(max_tokens=8), first, ["So ", "left.", ended("stop", 20, 2)])
    assert done.usage.prompt_tokens + done.usage.completion_tokens == 22


def test_what_was_answered_before_the_thought_stays_in_the_turn_that_goes_on():
    *_, engine = replied(chat(), [f"Well. {OPENING}a", ended()], ["b", ended()])
    assert engine.asks[1].messages[-1]["content"] == f"Well. {OPENING}a{CLOSE}"


def test_the_beginning_that_is_continued_stays_in_the_turn_that_goes_on():
    facts = EngineFacts(supports_images=False, max_model_len=8192)
    *_, engine = replied(chat(last="The heart"), [f"{OPENING}a", ended()], ["b", ended()], facts=facts)
    assert engine.asks[1].messages[-1]["content"].startswith("The heart")


def test_a_control_token_that_a_model_spells_out_in_its_thought_does_not_become_one():
    *_, engine = replied(chat(), [f"{OPENING}I see <start_of_image> and <end_of_turn>", ended()], ["b", ended()])
    assert "<start_of_image>" not in engine.asks[1].messages[-1]["content"]


def test_a_thought_that_fills_the_context_ends_as_too_long():
    full = [f"{OPENING}a", End("length", Usage(8000, 192))]
    assert replied(chat(max_tokens=2048), full, [ContextOverflow("too long")])[2].reason == "length"


@pytest.mark.parametrize("problem", [EngineLost(), OutOfMemory(), ContextOverflow("too long")])
def test_what_the_engine_refuses_is_raised_after_what_it_gave(problem):
    async def scene():
        engine = ScriptedEngine(["a", problem])
        events = Reply(chat(), engine, MARKERS).events()
        assert await anext(events) == Token("a")
        with pytest.raises(type(problem)):
            await anext(events)
        assert engine.open == 0

    run(scene())


def test_a_fault_in_the_second_generation_is_raised_too():
    engine = ScriptedEngine([f"{OPENING}a", ended()], ["b", EngineLost()])
    with pytest.raises(EngineLost):
        run(heard(chat(), engine))
    assert engine.open == 0


@pytest.mark.parametrize("generation", [1, 2])
def test_closing_the_iterator_stops_the_engine(generation):
    async def scene():
        never = asyncio.Event()
        scripts = [["a", "b", never]] if generation == 1 else [[f"{OPENING}t", ended()], ["a", "b", never]]
        engine = ScriptedEngine(*scripts)
        events = Reply(chat(), engine, MARKERS).events()
        while await anext(events) != Token("a"):
            pass
        assert engine.open == 1
        await events.aclose()
        assert engine.open == 0
        assert len(engine.asks) == generation

    run(scene())


@pytest.mark.parametrize("generation", [1, 2])
def test_cancelling_who_waits_stops_the_engine(generation):
    async def scene():
        never = asyncio.Event()
        scripts = [[never]] if generation == 1 else [[f"{OPENING}t", ended()], [never]]
        engine = ScriptedEngine(*scripts)
        task = asyncio.create_task(heard(chat(), engine))
        await turns(10)
        assert (engine.open, len(engine.asks)) == (1, generation)
        task.cancel()
        await turns(3)
        assert task.cancelled() and engine.open == 0

    run(scene())


def test_the_first_stream_is_closed_before_the_second_is_opened():
    class OneAtATime(ScriptedEngine):
        async def stream(self, ask):
            assert self.open == 0
            async with aclosing(super().stream(ask)) as items:
                async for item in items:
                    yield item

    engine = OneAtATime([f"{OPENING}a ", "b ", "c"], ["x", ended()])
    run(heard(chat(max_tokens=4), engine))
    assert len(engine.asks) == 2


def test_timings_run_from_the_start_to_the_first_piece_and_over_the_rest():
    *_, done, _ = replied(chat(), [0.02, "a", 0.02, "b", ended("stop", 7, 2)])
    assert done.timings.ttft_ms >= 19
    assert 0 < done.timings.tokens_per_second <= 51


def test_one_token_has_no_speed():
    *_, done, _ = replied(chat(), ["a", ended("stop", 7, 1)])
    assert done.timings.ttft_ms is not None and done.timings.tokens_per_second is None


CIRCLE = ["No effusion. "] * 100


def test_an_answer_that_runs_in_circles_ends_there():
    thought, answer, done, engine = replied(chat(max_tokens=400), ["Well. ", *CIRCLE, ended()])
    assert (thought, done.reason, len(engine.asks)) == ("", "repetition", 1)
    assert 4 <= answer.count("No effusion. ") < 20
    pieces = 1 + answer.count("No effusion. ")
    assert done.usage == Usage(0, pieces), "an engine that was stopped reports nothing"


def test_a_thought_that_runs_in_circles_is_closed_and_answered():
    asked = chat(max_tokens=400)
    thought, answer, done, engine = replied(asked, [OPENING, *CIRCLE, ended()], ["Left.", ended("stop", 30, 1)])
    assert 4 <= thought.count("No effusion. ") < 20
    assert (answer, done.reason) == ("Left.", "stop")
    _, second = engine.asks
    assert second.messages[-1]["content"].endswith(f"No effusion.{CLOSE}")
    assert second.continue_final and second.max_tokens == 400 - (1 + thought.count("No effusion. "))


def test_an_answer_after_a_thought_may_run_in_circles_too():
    *_, done, engine = replied(chat(max_tokens=400), [f"{OPENING}a", ended()], [*CIRCLE, ended()])
    assert (done.reason, len(engine.asks)) == ("repetition", 2)


def test_a_thought_that_is_closed_as_it_becomes_a_loop_goes_over_into_its_answer():
    circle = "".join(CIRCLE[:20])
    _, answer, done, engine = replied(chat(), [f"{OPENING}{circle}{CLOSE}", "Left.", ended()])
    assert (answer, done.reason, len(engine.asks)) == ("Left.", "stop", 1)


def test_a_thought_and_an_answer_that_say_the_same_are_no_loop():
    same = "No effusion on either side, and the heart is of normal size. " * 2
    _, answer, done, _ = replied(chat(), [f"{OPENING}{same}", CLOSE, same, ended()])
    assert (answer, done.reason) == (same, "stop")


@pytest.mark.parametrize(("sensitivity", "ignore_eos"), [(0, False), (5, True)])
def test_a_loop_is_left_alone_where_that_is_wanted(sensitivity, ignore_eos):
    async def scene():
        engine = ScriptedEngine([*CIRCLE, ended()])
        reply = Reply(chat(max_tokens=400, ignore_eos=ignore_eos), engine, MARKERS, loop_sensitivity=sensitivity)
        return [event async for event in reply.events()]

    *pieces, done = run(scene())
    assert (len(pieces), done.reason) == (100, "stop")


def test_a_loop_stops_the_engine_at_once():
    async def scene():
        never = asyncio.Event()
        engine = ScriptedEngine([*CIRCLE, never])
        assert (await heard(chat(max_tokens=400), engine))[-1].reason == "repetition"
        assert engine.open == 0

    run(scene())
