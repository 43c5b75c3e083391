"""The batch computes what the model alone computes: the gate for every change to prefill, cache or decode."""

import pytest
import torch

from medserver.worker.request import Request
from medserver.worker.values import Generation
from tests.worker.by_hand import LONG, TOLERANCE, Rows, decoded, full_forward, greedy, new_cache, scheduled

WINDOW = 32  # of the tiny checkpoints


def test_rows_that_come_and_go_keep_their_logits(model, prompt):
    rows = Rows(model)
    rows.join(prompt(model, "What is visible?"))
    rows.step(3)
    two_images = rows.join(prompt(model, LONG, 1, 2))
    rows.step(5)
    rows.join(prompt(model, "Compare the two films.", 3))
    rows.step(2)
    rows.leave(two_images)
    rows.step(3)
    rows.join(prompt(model, LONG + LONG, 4))
    rows.step(WINDOW + 8)
    assert rows.worst <= TOLERANCE


@pytest.mark.parametrize("text", ["Hello", LONG])
def test_a_row_alone_keeps_its_logits_while_its_rings_turn_over(text_model, prompt, text):
    rows = Rows(text_model)
    rows.join(prompt(text_model, text))
    rows.step(2 * WINDOW + 5)
    assert rows.worst <= TOLERANCE


def test_text_only_checkpoints_keep_their_logits(text_model, prompt):
    rows = Rows(text_model)
    rows.join(prompt(text_model, LONG))
    rows.join(prompt(text_model, "Hello"))
    rows.step(WINDOW + 8)
    assert rows.worst <= TOLERANCE


@pytest.mark.parametrize("tokens", [9, WINDOW + 3, 10**6])
def test_prompts_that_run_together_keep_their_logits(model, prompt, tokens):
    rows = Rows(model)
    rows.join(prompt(model, "Hello"))
    asked = [("What is visible?", 1), (LONG, 2, 3), ("Hello",), (LONG + LONG,), ("Compare the two films.", 1, 4)]
    rows.join_together([prompt(model, *one) for one in asked], tokens)
    rows.step(WINDOW + 3)
    assert rows.worst <= TOLERANCE


def test_many_rows_of_different_lengths_keep_their_logits(text_model, prompt):
    rows = Rows(text_model, new_cache(text_model, slots=10))
    rows.join_together([prompt(text_model, " ".join(["one more word"] * count)) for count in range(1, 11)])
    rows.step(WINDOW + 3)
    assert rows.worst <= TOLERANCE


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (1, 2, 0)])
def test_rows_that_leave_in_any_order_leave_the_others_as_they_were(text_model, prompt, order):
    rows = Rows(text_model)
    joined = [rows.join(prompt(text_model, text)) for text in ("Hello", LONG, "What is visible?")]
    for settled, one in enumerate(order):
        rows.step(2)
        rows.leave(joined[one])
        with torch.inference_mode():
            if settled:
                rows.cache.settle()
        rows.step(2)
    assert rows.worst <= TOLERANCE


@pytest.mark.parametrize("chunk", [1, 7, WINDOW, WINDOW + 1, 100])
def test_a_prompt_in_chunks_gives_the_logits_of_the_whole(text_model, prompt, chunk):
    rows = Rows(text_model)
    rows.join(prompt(text_model, LONG), chunk)
    rows.step(3)
    assert rows.worst <= TOLERANCE


@pytest.mark.parametrize("chunk", [6, WINDOW])
def test_chunks_cut_no_image_and_running_rows_go_on_between_them(model, prompt, chunk):
    rows = Rows(model)
    rows.join(prompt(model, "What is visible?", 3))
    gone = rows.join(prompt(model, "Hello"))
    last = rows.join(prompt(model, "Compare"))
    rows.step(2)
    rows.leave(gone)  # the next prompt takes the gap between two that run
    rows.join(prompt(model, LONG, 1, 2), chunk, steps_between=1)
    assert last.slot.index == 2
    rows.step(WINDOW)
    assert rows.worst <= TOLERANCE


def test_images_change_the_logits(model, prompt):
    first, second = (full_forward(model, prompt(model, "What is visible?", seed), []) for seed in (1, 2))
    assert (first - second).abs().max() > 100 * TOLERANCE


@pytest.mark.parametrize("slots", [1, 8])
def test_greedy_text_is_what_generate_gives(model, prompt, slots):
    prompts = [prompt(model, "Hello"), prompt(model, LONG, 1, 2), prompt(model, "What is visible?", 3)]
    texts = scheduled(model, [Request(one, greedy(40)) for one in prompts], slots)
    for one, text in zip(prompts, texts, strict=True):
        extra = {} if one.pixels is None else {"pixel_values": one.pixels}
        ids = model.network.generate(
            input_ids=one.ids, token_type_ids=one.token_type_ids, max_new_tokens=40, do_sample=False, **extra
        )
        expected = ids[0, one.length :].tolist()
        ended = [at for at, token in enumerate(expected) if token in model.end_ids]
        assert text == decoded(model, expected[: ended[0]] if ended else expected)


def test_a_seeded_draw_does_not_depend_on_the_company(model, prompt):
    def drawn(seed: int) -> Request:
        return Request(prompt(model, "Hello", 1), Generation(max_tokens=30, temperature=1.0, top_p=0.9, seed=seed))

    [alone] = scheduled(model, [drawn(7)])
    crowd = [Request(prompt(model, LONG, seed), Generation(max_tokens=20, temperature=1.0)) for seed in range(5)]
    assert scheduled(model, [*crowd, drawn(7)])[-1] == alone
    assert scheduled(model, [drawn(8)]) != [alone]
