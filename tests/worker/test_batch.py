"""When an answer ends."""

from medserver.worker.request import Request
from medserver.worker.values import Finished
from tests.worker.by_hand import Raises, greedy, run_to_end, scheduled, scheduler_of


def test_the_context_ends_an_answer(text_model, prompt):
    delivered: list = []
    one = prompt(text_model, "Hello")
    scheduler = scheduler_of(text_model, delivered.extend, slots=1, max_model_len=one.length + 5)
    scheduler.submit(Request(one, greedy(None, ignore_eos=True)))
    run_to_end(scheduler)
    assert delivered[-1][1] == Finished("length", one.length, 5)


def test_an_answer_ends_no_sooner_than_it_may_and_else_as_ever(model, prompt):
    def ended(**fields) -> Finished:
        outputs: list = []
        scheduler = scheduler_of(model, outputs.extend, slots=1)
        # The likeliest token of all ends the answer, so that it ends as soon as it may.
        ending = {min(model.end_ids): 1000.0}
        scheduler.submit(Request(prompt(model, "Hello"), greedy(12, logit_bias=ending, **fields)))
        run_to_end(scheduler)
        return outputs[-1][1]

    found = [ended(**fields) for fields in ({}, {"min_tokens": 6}, {"ignore_eos": True})]
    assert [(one.reason, one.completion_tokens) for one in found] == [("stop", 1), ("stop", 7), ("length", 12)]


def test_a_stop_string_ends_an_answer_before_itself(model, prompt):
    [whole] = scheduled(model, [Request(prompt(model, "Hello"), greedy(40, ignore_eos=True))])
    stop = whole[10:14]
    request = Request(prompt(model, "Hello"), greedy(40, ignore_eos=True, stop=(stop,)))
    assert scheduled(model, [request]) == [whole[: whole.index(stop)]]


def test_where_the_first_token_cannot_be_drawn_the_slot_is_free_again(text_model, prompt, monkeypatch):
    delivered: list = []
    scheduler = scheduler_of(text_model, delivered.extend)
    scheduler.submit(Request(prompt(text_model, "Hello"), greedy(5)))
    with monkeypatch.context() as patch:
        patch.setattr("medserver.worker.batch.choose", Raises(ValueError("odd")))
        scheduler.step()
    assert [what.code for _, what in delivered] == ["internal"]
    assert not scheduler.running and not scheduler._kv.cache.taken
