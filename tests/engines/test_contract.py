"""What the house may rely on, whichever engine runs: the contract of `medserver.engine.base.Engine`."""

import asyncio
import io
import time
from contextlib import aclosing
from dataclasses import replace

import PIL.Image
import pytest

from medserver.chat import Chat, Image, Sampling, Turn
from medserver.engine.base import Ask, Delta, End
from medserver.errors import BadRequest, ContextOverflow, Problem
from medserver.prompts import messages_for


def ask(text: str = "Hello", *images: bytes, continued: str | None = None, **changes) -> Ask:
    sampling = {"max_tokens": 8, "temperature": 0.0, "top_p": 1.0}
    extra = {name: changes.pop(name) for name in ("logit_bias",) if name in changes}
    sampling |= changes
    chat = Chat((Turn("user", (*map(Image, images), text)),), "", Sampling(**sampling))
    messages = messages_for(chat)
    if continued is not None:
        messages.append({"role": "assistant", "content": continued})
    return Ask(messages, chat.sampling, sampling["max_tokens"], continue_final=continued is not None, **extra)


async def answer(subject, asked: Ask) -> tuple[str, End]:
    text, ends = [], []
    async with aclosing(subject.engine.stream(asked)) as stream:
        async for item in stream:
            assert not ends, "nothing comes after the end"
            (ends if isinstance(item, End) else text).append(item)
    [end] = ends
    assert all(isinstance(one, Delta) and one.text for one in text)
    return "".join(one.text for one in text), end


def test_an_answer_is_deltas_and_one_end_with_exact_usage(subject):
    text, end = subject.run(answer(subject, ask(max_tokens=8)))
    assert text
    assert end.reason in ("stop", "length")
    assert end.usage.prompt_tokens > 5
    assert end.usage.completion_tokens <= 8
    if end.reason == "length":
        assert end.usage.completion_tokens == 8


def test_greedy_and_seeded_answers_repeat_themselves(subject):
    seeded = {"temperature": 1.0, "seed": 11}
    if not subject.engine.facts.seeds:
        with pytest.raises(BadRequest) as refused:
            subject.run(answer(subject, ask(**seeded)))
        assert refused.value.sentence.startswith("seed:")
    for changes in ({}, seeded) if subject.engine.facts.seeds else ({},):
        first, second = (subject.run(answer(subject, ask(max_tokens=16, **changes)))[0] for _ in range(2))
        assert first == second


def test_seeds_and_temperature_do_change_the_draw(subject):
    seeds = range(4) if subject.engine.facts.seeds else (None,) * 4
    drawn = {subject.run(answer(subject, ask(max_tokens=16, temperature=1.5, seed=seed)))[0] for seed in seeds}
    assert len(drawn) > 1


def test_concurrent_answers_are_those_given_alone(subject):
    asks = [ask(f"Question {index} " * (1 + 7 * index), max_tokens=20) for index in range(8)]
    alone = [subject.run(answer(subject, one)) for one in asks]

    async def together():
        return await asyncio.gather(*(answer(subject, one) for one in asks))

    assert subject.run(together()) == alone


def test_a_stop_string_ends_the_answer_and_is_not_in_it(subject):
    whole, _ = subject.run(answer(subject, ask(max_tokens=30)))
    stop = whole[5:9]
    text, end = subject.run(answer(subject, ask(max_tokens=30, stop=(stop,))))
    assert text == whole[: whole.index(stop)] and end.reason == "stop"


@pytest.mark.parametrize("least", [{"ignore_eos": True}, {"min_tokens": 40}])
def test_an_answer_ends_no_sooner_than_it_may(subject, least):
    for seed in range(3) if subject.engine.facts.seeds else (None,) * 3:
        asked = ask(max_tokens=40, temperature=1.5, seed=seed, **least)
        _, end = subject.run(answer(subject, asked))
        assert (end.reason, end.usage.completion_tokens) == ("length", 40)


def test_a_banned_token_does_not_come(subject):
    opening, _ = subject.engine.facts.thinking_ids
    assert opening is not None
    forced, _ = subject.run(answer(subject, ask(max_tokens=3, logit_bias={opening: 100.0})))
    assert forced == "<unused94>" * 3, "the marker is text, to be split by the house"
    banned, _ = subject.run(answer(subject, ask(max_tokens=30, temperature=1.0, logit_bias={opening: -100.0})))
    assert "<unused94>" not in banned


def test_a_turn_that_was_begun_is_continued(subject):
    _, fresh = subject.run(answer(subject, ask(max_tokens=1)))
    opened, end = subject.run(answer(subject, ask(max_tokens=6, continued="<unused94>thought\n")))
    assert opened
    extra = end.usage.prompt_tokens - fresh.usage.prompt_tokens
    # The marker is one token, not its characters, and the newline behind it is not trimmed away.
    longer, bare = (
        subject.run(answer(subject, ask(max_tokens=1, continued=begun)))[1].usage.prompt_tokens
        for begun in ("<unused94>thought\n", "<unused94>thought")
    )
    assert 2 <= extra <= len("thought\n") + 1
    # vLLM trims the end of a turn that it continues (run); the model then begins with the line end itself.
    assert longer == bare if subject.name == "vllm" else longer > bare


def test_images_are_seen_in_their_order(subject, png):
    if not subject.engine.facts.supports_images:
        with pytest.raises(Problem) as refused:
            subject.run(answer(subject, ask("x", png("white"))))
        assert refused.value.code == "images_not_supported"
        return
    texts = [
        subject.run(answer(subject, ask("Compare", *map(png, colors), max_tokens=12)))[0]
        for colors in (("white", "black"), ("black", "white"), ("white",))
    ]
    assert len(set(texts)) == 3


def test_a_film_in_one_channel_is_the_same_film(subject):
    """As the front sends what has no colour; two films would answer differently."""
    if not subject.engine.facts.supports_images:
        pytest.skip("it reads text only")

    def film(mode: str, turned: bool = False) -> bytes:
        out, image = io.BytesIO(), PIL.Image.linear_gradient("L").resize((28, 28))
        (image.transpose(PIL.Image.Transpose.ROTATE_180) if turned else image).convert(mode).save(out, "PNG")
        return out.getvalue()

    one, three, other = (
        subject.run(answer(subject, ask("Describe", picture, max_tokens=12)))[0]
        for picture in (film("L"), film("RGB"), film("L", turned=True))
    )
    assert one == three != other


def test_a_conversation_that_is_too_long_is_refused_with_its_code(subject):
    with pytest.raises(ContextOverflow) as refused:
        subject.run(answer(subject, ask("word " * 3000)))
    assert "1024" in refused.value.sentence


def test_an_answer_never_leaves_the_context(subject):
    _, end = subject.run(answer(subject, ask("Hello", max_tokens=5000)))
    assert end.usage.prompt_tokens + end.usage.completion_tokens <= 1024


def test_what_is_kept_of_a_prompt_serves_its_own_client_alone(subject):
    asked = ask("Is the left lung clear? " * 30, max_tokens=8, ignore_eos=True)
    first, again, other, other_again = (
        subject.run(subject.kept(replace(asked, cache_salt=salt))) for salt in ("one", "one", "other", "other")
    )
    assert first == other == 0 < again == other_again


# Seconds until an engine's own count is back where it was. What is not ours counts now and then only.
FREED = {"transformers": 0.25, "vllm": 3.0, "sglang": 3.0}


def test_closing_the_stream_stops_the_work_soon(subject):
    async def scene() -> float:
        async with aclosing(subject.engine.stream(ask("Hello", max_tokens=1000, ignore_eos=True))) as stream:
            await anext(stream)
            while await subject.running() != 1:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        started = time.perf_counter()
        while await subject.running():  # noqa: ASYNC110  (the engine has only its count to ask)
            await asyncio.sleep(0.005)
        return time.perf_counter() - started

    assert subject.run(scene()) < FREED[subject.name]


def test_leaving_before_the_first_token_stops_the_work_too(subject):
    async def scene() -> None:
        task = asyncio.ensure_future(answer(subject, ask("Hello " * 150, max_tokens=800)))
        await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        for _ in range(200):
            if await subject.running() == 0:
                return
            await asyncio.sleep(0.01)
        raise AssertionError("still running")

    subject.run(scene())
