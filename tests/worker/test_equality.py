"""The batch computes what the model alone computes: the gate for every change to prefill, cache or decode."""

import pytest
import torch

from medserver.worker.batch import BLOCK, RowCache
from medserver.worker.scheduler import Request, Scheduler
from medserver.worker.text import Detokenizer
from medserver.worker.values import Finished, Generation, Piece

TOLERANCE = 1e-4
LONG = "The left lung shows a bright opacity in the upper zone. " * 8


def full_forward(model, prompt, tokens: list[int]) -> torch.Tensor:
    """Next-token logits after prompt and tokens, in one pass without any cache."""
    ids = torch.cat([prompt.ids, torch.tensor([tokens], dtype=torch.long)], dim=1)
    extra = {}
    if prompt.token_type_ids is not None:
        extra["token_type_ids"] = torch.nn.functional.pad(prompt.token_type_ids, (0, len(tokens)))
    if prompt.pixels is not None:
        extra["pixel_values"] = prompt.pixels
    with torch.inference_mode():
        return model.network(input_ids=ids, use_cache=False, **extra).logits[0, -1]


class Rows:
    """Rows decoded together by hand, each compared with a full forward at every step."""

    def __init__(self, model):
        self.model, self.cache, self.rows = model, RowCache(), []
        self.worst = 0.0

    def join(self, prompt) -> list:
        with torch.inference_mode():
            logits, layers = self.model.prefill(prompt)
            self.cache.join(layers)
        row = [prompt, []]
        self._take(row, logits[0])
        self.rows.append(row)
        return row

    def leave(self, row) -> None:
        index = self.rows.index(row)
        last = self.rows.pop()
        if last is not row:
            self.rows[index] = last
        with torch.inference_mode():
            self.cache.leave(index)

    def step(self, times: int = 1) -> None:
        for _ in range(times):
            logits = self.model.decode([tokens[-1] for _, tokens in self.rows], self.cache)
            for row, own in zip(self.rows, logits, strict=True):
                self._take(row, own)

    def _take(self, row, logits: torch.Tensor) -> None:
        prompt, tokens = row
        expected = full_forward(self.model, prompt, tokens)
        self.worst = max(self.worst, (logits - expected).abs().max().item())
        tokens.append(int(expected.argmax()))


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
    rows.step(40)  # past the sliding window of 32
    assert rows.worst <= TOLERANCE


def test_text_only_checkpoints_keep_their_logits(text_model, prompt):
    rows = Rows(text_model)
    rows.join(prompt(text_model, LONG))
    rows.join(prompt(text_model, "Hello"))
    rows.step(40)
    assert rows.worst <= TOLERANCE


def test_a_cache_that_grows_and_gives_columns_back_keeps_its_logits(text_model, prompt):
    rows = Rows(text_model)
    short = rows.join(prompt(text_model, "Hello"))
    long = rows.join(prompt(text_model, LONG * 3))
    assert rows.cache.end > BLOCK
    rows.step(2)
    rows.leave(long)
    assert rows.cache.end < BLOCK, "the columns that only the long row needed are given back"
    rows.step(3)
    rows.leave(short)
    assert rows.cache.keys == [], "an empty batch holds no memory"
    rows.join(prompt(text_model, "Hello again"))
    rows.step(2)
    assert rows.worst <= TOLERANCE


def test_images_change_the_logits(model, prompt):
    first, _ = model.prefill(prompt(model, "What is visible?", 1))
    second, _ = model.prefill(prompt(model, "What is visible?", 2))
    assert (first - second).abs().max() > 100 * TOLERANCE


def run_to_end(scheduler: Scheduler, outputs: dict) -> None:
    for _ in range(400):
        scheduler.step()
        if all(isinstance(found[-1], Finished) for found in outputs.values() if found) and all(outputs.values()):
            return
    raise AssertionError("the requests did not end")


def scheduled(model, requests: list[Request], slots: int = 8) -> list[str]:
    """Run requests to their ends together; their texts."""
    outputs: dict[Request, list] = {request: [] for request in requests}
    scheduler = Scheduler(
        model, lambda batch: [outputs[one].append(what) for one, what in batch], slots=slots, max_model_len=2048
    )
    for request in requests:
        scheduler.submit(request)
    run_to_end(scheduler, outputs)
    assert scheduler.running == scheduler.waiting == 0
    return ["".join(one.text for one in outputs[request] if isinstance(one, Piece)) for request in requests]


def decoded(model, ids: list[int]) -> str:
    detokenizer = Detokenizer(model.tokenizer.backend_tokenizer)
    return "".join([*map(detokenizer.add, ids), detokenizer.flush()])


@pytest.mark.parametrize("slots", [1, 8])
def test_greedy_text_is_what_generate_gives(model, prompt, slots):
    prompts = [prompt(model, "Hello"), prompt(model, LONG, 1, 2), prompt(model, "What is visible?", 3)]
    texts = scheduled(model, [Request(one, Generation(max_tokens=40, temperature=0.0)) for one in prompts], slots)
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


def test_a_cancelled_request_leaves_at_the_next_step_and_the_others_go_on(model, prompt):
    delivered: list = []
    scheduler = Scheduler(model, delivered.extend, slots=8, max_model_len=2048)
    stays, goes, waits = (
        Request(prompt(model, text), Generation(max_tokens=30, temperature=0.0, ignore_eos=True)) for text in "abc"
    )
    scheduler.submit(stays)
    scheduler.submit(goes)
    scheduler.step()
    scheduler.step()
    assert scheduler.running == 2
    scheduler.submit(waits)
    scheduler.cancel(waits)
    scheduler.cancel(goes)
    delivered.clear()
    scheduler.step()
    assert scheduler.running == 1 and scheduler.waiting == 0
    assert {request for request, _ in delivered} <= {stays}
    while scheduler.running:
        scheduler.step()
    assert delivered[-1] == (stays, Finished("length", stays.prompt.length, 30))


def test_the_context_ends_an_answer(text_model, prompt):
    delivered: list = []
    one = prompt(text_model, "Hello")
    scheduler = Scheduler(text_model, delivered.extend, slots=1, max_model_len=one.length + 5)
    scheduler.submit(Request(one, Generation(ignore_eos=True)))
    for _ in range(6):
        scheduler.step()
    assert delivered[-1][1] == Finished("length", one.length, 5)


def test_an_answer_ends_no_sooner_than_it_may_and_else_as_ever(model, prompt):
    def ended(**fields) -> Finished:
        outputs: list = []
        scheduler = Scheduler(model, outputs.extend, slots=1, max_model_len=2048)
        # The likeliest token of all ends the answer, so that it ends as soon as it may.
        ending = {min(model.end_ids): 1000.0}
        scheduler.submit(Request(prompt(model, "Hello"), Generation(12, 0.0, logit_bias=ending, **fields)))
        scheduler.step()
        while scheduler.running:
            scheduler.step()
        return outputs[-1][1]

    found = [ended(**fields) for fields in ({}, {"min_tokens": 6}, {"ignore_eos": True})]
    assert [(one.reason, one.completion_tokens) for one in found] == [("stop", 1), ("stop", 7), ("length", 12)]


def test_a_stop_string_ends_an_answer_before_itself(model, prompt):
    greedy = Generation(max_tokens=40, temperature=0.0, ignore_eos=True)
    [whole] = scheduled(model, [Request(prompt(model, "Hello"), greedy)])
    stop = whole[10:14]
    request = Request(prompt(model, "Hello"), Generation(max_tokens=40, temperature=0.0, ignore_eos=True, stop=(stop,)))
    assert scheduled(model, [request]) == [whole[: whole.index(stop)]]


def test_a_step_that_breaks_fails_its_requests_and_not_the_worker(model, prompt, monkeypatch):
    delivered: list = []
    scheduler = Scheduler(model, delivered.extend, slots=8, max_model_len=2048)

    def submit() -> Request:
        request = Request(prompt(model, "Hello"), Generation(max_tokens=6, temperature=0.0, ignore_eos=True))
        scheduler.submit(request)
        return request

    older, newer = submit(), submit()
    scheduler.step()
    scheduler.step()
    with monkeypatch.context() as patch:
        patch.setattr(model, "decode", lambda *_: (_ for _ in ()).throw(torch.OutOfMemoryError()))
        scheduler.step()
    assert (newer, "out_of_memory") in [(who, getattr(what, "code", None)) for who, what in delivered]
    assert scheduler.running == 1, "only the newest makes room"
    while scheduler.running:
        scheduler.step()
    assert delivered[-1][0] is older and isinstance(delivered[-1][1], Finished)


def test_memory_that_runs_out_while_the_cache_moves_changes_no_other_row(text_model, prompt, monkeypatch):
    rows = Rows(text_model)
    rows.join(prompt(text_model, "Hello"))
    rows.step(3)
    moved, calls = RowCache._moved, []

    def scarce(self, *arguments):
        calls.append(arguments)
        if len(calls) > len(self.keys) + 1:  # all keys have moved, the second of the values does not
            raise torch.OutOfMemoryError
        return moved(self, *arguments)

    with torch.inference_mode():
        _, layers = text_model.prefill(prompt(text_model, LONG))
        with monkeypatch.context() as patch:
            patch.setattr(RowCache, "_moved", scarce)
            with pytest.raises(torch.OutOfMemoryError):
                rows.cache.join(layers)
    rows.step(5)
    assert rows.worst <= TOLERANCE


class _Broken:
    """Stands in for a model method that fails with one kind of error."""

    def __init__(self, error: Exception):
        self.error = error

    def __call__(self, *_):
        raise self.error


@pytest.mark.parametrize(("error", "steps"), [(torch.AcceleratorError("sticky"), 1), (RuntimeError("odd"), 3)])
def test_a_device_that_stays_broken_ends_the_worker_and_every_request_hears_of_it(
    model, prompt, monkeypatch, error, steps
):
    delivered: list = []
    scheduler = Scheduler(model, delivered.extend, slots=8, max_model_len=2048)
    monkeypatch.setattr(model, "decode", _Broken(error))
    asked = []
    for step in range(1, steps + 1):
        asked.append(Request(prompt(model, "Hello"), Generation(max_tokens=9, ignore_eos=True)))
        scheduler.submit(asked[-1])
        if step < steps:
            scheduler.step()
        else:
            with pytest.raises(type(error)):
                scheduler.step()
    assert [(who, what.code) for who, what in delivered if not isinstance(what, Piece)] == [
        (request, "internal") for request in asked
    ]


def test_a_prompt_that_breaks_its_own_prefill_harms_nobody_else(model, prompt, monkeypatch):
    delivered: list = []
    scheduler = Scheduler(model, delivered.extend, slots=8, max_model_len=2048)
    good, bad = (Request(prompt(model, "Hello"), Generation(max_tokens=6, ignore_eos=True)) for _ in range(2))
    scheduler.submit(good)
    scheduler.step()
    scheduler.submit(bad)
    with monkeypatch.context() as patch:
        patch.setattr(model, "prefill", _Broken(ValueError("image tokens")))
        scheduler.step()
    while scheduler.running:
        scheduler.step()
    endings = {who: what for who, what in delivered if not isinstance(what, Piece)}
    assert endings[bad].code == "internal" and isinstance(endings[good], Finished)
