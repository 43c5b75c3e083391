"""Captured steps compute what steps compute; the recording itself, which needs a GPU, is played by running again."""

import pytest
import torch

from medserver.worker.graphs import ROWS, Graphs, columns_for, rows_for
from tests.worker.by_hand import LONG, TOLERANCE, Rows

WINDOW = 32  # of the tiny checkpoints


class Recorder:
    """Runs the work again at each replay, into the same result; refuses where `cache` stands elsewhere by then."""

    def __init__(self):
        self.cache = None
        self.recordings = 0
        self.replays = 0

    def __call__(self, work):
        self.recordings += 1
        recorded, logits = self._places(), work()

        def replay():
            self.replays += 1
            assert self._places() == recorded, "a graph outlived the memory it was captured over"
            logits.copy_(work())

        return replay, logits

    def _places(self) -> list[int]:
        return [tensor.data_ptr() for tensor in (*self.cache.keys, *self.cache.values)]


@pytest.fixture
def recorder(text_model, monkeypatch):
    recorder = Recorder()
    monkeypatch.setattr(text_model, "graphs", Graphs(text_model.decoder, text_model.device, recorder))
    return recorder


@pytest.fixture
def rows(text_model, recorder):
    rows = Rows(text_model)
    recorder.cache = rows.cache
    return rows


@pytest.mark.parametrize(
    ("needed", "there_are", "rows"), [(1, 8, 1), (3, 8, 4), (5, 6, 6), (9, 64, 16), (64, 64, 64), (65, 99, None)]
)
def test_a_bucket_holds_the_rows_and_is_not_larger_than_the_cache(needed, there_are, rows):
    assert rows_for(needed, there_are) == rows


@pytest.mark.parametrize(
    ("needed", "there_are", "columns"), [(1, 8192, 512), (512, 8192, 512), (513, 8192, 1024), (600, 768, 768)]
)
def test_columns_come_in_powers_of_two(needed, there_are, columns):
    assert columns_for(needed, there_are) == columns


def test_buckets_waste_less_than_half_of_a_step():
    assert all(2 * needed > rows_for(needed, 64) for needed in range(1, 65))


def test_rows_that_come_and_go_keep_their_logits(text_model, recorder, rows, prompt):
    rows.join(prompt(text_model, "What is visible?"))
    rows.step(3)
    gone = rows.join(prompt(text_model, LONG))
    rows.join(prompt(text_model, "Hello"))
    rows.step(2)
    rows.leave(gone)
    rows.join(prompt(text_model, LONG), chunk=20, steps_between=1)  # its slot's row is computed while it is prefilled
    rows.step(WINDOW + 8)
    assert rows.worst <= TOLERANCE
    assert recorder.recordings <= 3 < recorder.replays


def test_a_prompt_joins_behind_the_running_rows_and_inside_their_bucket(text_model, rows, prompt):
    for text in ("Hello", "What is visible?", "Compare the two films."):
        rows.join(prompt(text_model, text))
    rows.step(1)
    rows.join(prompt(text_model, LONG + LONG), chunk=WINDOW, steps_between=2)
    rows.step(WINDOW)
    assert rows.worst <= TOLERANCE


def test_a_cache_that_grows_or_is_new_begins_anew(text_model, recorder, prompt):
    for _ in range(2):
        rows = Rows(text_model, text_model.new_cache(1 << 22, 8, 2048))  # not the memory of all slots at once
        recorder.cache = rows.cache
        for text in ("Hello", LONG, LONG + LONG):
            rows.join(prompt(text_model, text))
            rows.step(2)
        assert rows.worst <= TOLERANCE


def test_an_empty_cache_keeps_its_memory_and_its_graphs(text_model, recorder, rows, prompt):
    for _ in range(2):
        row = rows.join(prompt(text_model, "Hello"))
        rows.step(2)
        rows.leave(row)
    assert rows.cache.bytes and recorder.recordings == 1


def test_a_step_that_cannot_be_recorded_runs_as_it_is(text_model, monkeypatch, prompt):
    def refuse(_):
        raise RuntimeError("operation not permitted when stream is capturing")

    graphs = Graphs(text_model.decoder, text_model.device, refuse)
    monkeypatch.setattr(text_model, "graphs", graphs)
    rows = Rows(text_model)
    rows.join(prompt(text_model, "Hello"))
    rows.step(4)
    assert rows.worst <= TOLERANCE


def test_more_rows_than_any_bucket_run_as_they_are():
    assert rows_for(max(ROWS) + 1, 1000) is None
    assert torch.tensor(ROWS).diff().gt(0).all()
