"""A chat goes on where its last turn ended, a short one from any of its tokens, and only its own."""

from random import Random

import pytest
import torch

from medserver.worker import copying
from medserver.worker.memory import Budget
from medserver.worker.prefixes import WORTH, PrefixStore, key_of
from medserver.worker.prompt import Conversation, prepare
from medserver.worker.request import Request
from medserver.worker.scheduler import Scheduler
from medserver.worker.values import Finished, Prompt
from tests.worker.by_hand import LONG, PLENTY, TOLERANCE, Rows, finish, greedy, longer, new_cache, run_to_end
from tests.worker.conftest import png

WINDOW = 32  # of the tiny checkpoints


@pytest.fixture(params=[copying.STRETCH, 1], ids=["at once", "in stretches"], autouse=True)
def stretch(request, monkeypatch):
    monkeypatch.setattr(copying, "STRETCH", request.param)


def kept(rows: Rows, prompt: Prompt, salt: str = "s") -> None:
    rows.leave(rows.join(prompt, salt=salt))


@pytest.mark.parametrize("images", [(), (1,), (1, 2)])
@pytest.mark.parametrize("text", ["Hello", LONG])
def test_a_prompt_that_goes_on_from_a_kept_one_gives_the_logits_of_the_whole(model, prompt, text, images):
    rows = Rows(model)
    first = prompt(model, text, *images)
    kept(rows, first)
    row = rows.join(longer(first, 11, 12, 13, 14, 15), salt="s")
    assert row.cached == first.length
    rows.step(40)
    assert rows.worst <= TOLERANCE


@pytest.mark.parametrize("text", ["Hello", LONG])
def test_the_same_prompt_again_runs_its_last_token_only(text_model, prompt, text):
    rows = Rows(text_model)
    one = prompt(text_model, text)
    kept(rows, one)
    row = rows.join(one, salt="s")
    assert row.cached == one.length - 1
    rows.step(40)
    assert rows.worst <= TOLERANCE


def test_an_edited_turn_begins_where_the_turn_before_it_ended(model, prompt):
    rows = Rows(model)
    first = prompt(model, LONG, 1)
    second = longer(first, 20, 21, 22, 23)
    edited = longer(first, 20, 31, 22)
    kept(rows, first)
    kept(rows, second)
    row = rows.join(edited, salt="s")
    assert row.cached == first.length
    rows.step(3)
    assert rows.worst <= TOLERANCE


def test_another_salt_another_image_and_no_salt_find_nothing(model, prompt):
    rows = Rows(model)
    kept(rows, prompt(model, "What is visible?", 1))
    kept(rows, prompt(model, "Hello"), salt=None)
    same = prompt(model, "What is visible?", 1)
    assert rows.join(same, salt="other").cached == 0
    assert rows.join(same, salt=None).cached == 0
    assert rows.join(prompt(model, "Hello"), salt="s").cached == 0
    assert rows.join(prompt(model, "What is visible?", 2), salt="s").cached == 0
    assert rows.join(same, salt="s").cached == same.length - 1
    assert rows.worst <= TOLERANCE


def test_prefixes_of_one_chat_share_their_storage_and_the_oldest_go_first(text_model, prompt):
    cache, key = new_cache(text_model), torch.arange(100)
    shape = cache.shape
    slot = cache.take(200)
    limit = shape.bytes(100) + 2 * shape.bytes(50)
    store = PrefixStore(limit)
    with torch.inference_mode():
        for salt, length in (("s", 50), ("s", 100), ("t", 50), ("u", 50)):
            slot.length = length
            store.keep(salt, key[:length], cache, slot)
            finish(store)
            if length == 100:
                shared = store.bytes
    rings = sum(shape.sliding) * 2 * shape.heads * shape.head_dim * shape.window * 4
    assert shared == shape.bytes(100) + rings, "the global layers are there once"
    longer = torch.arange(101)
    assert store.longest("s", key[:99]) is None and store.longest("s", longer)[1] == 100
    assert store.longest("u", longer)[1] == 50 and store.bytes <= limit


@pytest.mark.parametrize("seed", range(4))
def test_the_bytes_are_those_of_all_that_is_kept_whatever_came_and_went(text_model, seed):
    dice, cache, keys = Random(seed), new_cache(text_model), (torch.arange(100), torch.arange(100) % 7)
    slot = cache.take(200)
    store = PrefixStore(4 * cache.shape.bytes(60))
    with torch.inference_mode():
        for _ in range(60):
            slot.length = dice.randrange(WORTH, 100)
            store.keep(dice.choice("stu"), dice.choice(keys)[: slot.length], cache, slot)
            finish(store)
            kept = [one.kept for one in store._used]
            parts = [*{id(one.whole): one.whole for one in kept}.values(), *(one.rings for one in kept)]
            assert store.bytes == sum(tensor.nbytes for part in parts for pair in part for tensor in pair)
            assert 0 < store.bytes <= 4 * cache.shape.bytes(60)


def test_what_ends_in_an_image_or_is_too_large_is_not_kept(model, prompt):
    one = prompt(model, "What is visible?", 1)
    key, cache = key_of(one), new_cache(model)
    slot = cache.take(one.length)
    slot.length = one.images[0].after - 1
    store = PrefixStore(PLENTY)
    store.keep("s", key[: slot.length], cache, slot)
    slot.length = one.length
    PrefixStore(10).keep("s", key, cache, slot)
    finish(store)
    assert store.bytes == 0


def test_what_is_being_copied_counts_as_kept(text_model):
    cache, key = new_cache(text_model), torch.arange(60)
    store = PrefixStore(2 * cache.shape.bytes(60))
    slots = [cache.take(60) for _ in range(4)]
    with torch.inference_mode():
        for slot, salt in zip(slots, "stuv", strict=True):
            slot.length = 60
            store.keep(salt, key, cache, slot)
        copied = [store.copies(slot) for slot in slots]
        finish(store)
    kept = [salt for salt in "stuv" if store.longest(salt, key)]
    # All at once, so that the last two stay; or two of them are under way, and there is no room for others beside.
    assert (copied, kept) in (([False] * 4, ["u", "v"]), ([True, True, False, False], ["s", "t"]))


def turn(scheduler: Scheduler, prompt: Prompt, salt: str | None, delivered: list) -> tuple[Request, Finished]:
    request = Request(prompt, greedy(10, ignore_eos=True), salt)
    scheduler.submit(request)
    run_to_end(scheduler)
    return request, delivered[-1][1]


def test_the_turns_of_a_chat_go_on_from_the_answer_or_from_the_question(model, prompt):
    delivered: list = []
    scheduler = Scheduler(model, delivered.extend, slots=2, max_model_len=2048, budget=Budget(PLENTY, PLENTY))
    first, cold = turn(scheduler, prompt(model, LONG, 1), "s", delivered)
    assert cold.cached_tokens == 0
    calls = model.vision.vision_calls
    answered = longer(first.prompt, *first.tokens, 7, 8)
    _, warm = turn(scheduler, answered, "s", delivered)
    assert warm.cached_tokens == first.prompt.length + len(first.tokens) - 1
    # The front leaves thoughts out of the history, so the answer is another than what was drawn.
    rethought, warm = turn(scheduler, longer(first.prompt, 9, 7, 8), "s", delivered)
    assert warm.cached_tokens == first.prompt.length
    assert model.vision.vision_calls == calls
    unsalted, cold = turn(scheduler, rethought.prompt, None, delivered)
    assert cold.cached_tokens == 0 and unsalted.tokens == rethought.tokens


@pytest.mark.parametrize("text", ["What is visible?", LONG])
def test_a_turn_that_was_begun_for_the_model_is_kept_up_to_the_question(model, text):
    def asked(*texts: str, begun: str = "") -> Prompt:
        roles = ("user", "assistant", "user", "assistant")
        turns = [{"role": role, "content": text} for role, text in zip(roles, (*texts, begun), strict=False) if text]
        return prepare(Conversation(turns, (png(1),) * 0, bool(begun)), model.processor, images=True)

    rows = Rows(model)
    first, second = asked(text, begun="<unused94>thought\n"), asked(text, "Nothing.", "Sure?")
    assert first.repeated < first.length
    kept(rows, first)
    both = min(first.length, second.length)
    same = int((first.ids[0, :both] == second.ids[0, :both]).cumprod(0).sum())
    # Long, it is kept just there; short, every token of it is, and the answer begins as the thought does.
    assert rows.join(second, salt="s").cached == (first.repeated if text == LONG else same)
    assert rows.join(first, salt="s").cached == first.length - 1
    rows.step(3)
    assert rows.worst <= TOLERANCE


def test_a_short_chat_that_is_edited_goes_on_where_it_still_matches(model, prompt):
    rows = Rows(model)
    first = prompt(model, "Hello", 1)
    kept(rows, longer(first, 20, 21, 22, 23))
    assert first.length + 4 <= WINDOW
    assert rows.join(longer(first, 20, 21, 31, 32, 33), salt="s").cached == first.length + 2
    assert rows.join(longer(prompt(model, "Hello", 2), 20, 21), salt="s").cached == 0, "another image, at the start"
    rows.step(3)
    assert rows.worst <= TOLERANCE
