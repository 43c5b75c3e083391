"""Each row draws by its own rules and its own seed, whoever else is in the batch."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from medserver.worker.sampling import Sampler, choose
from medserver.worker.values import Generation
from tests.scripted import examples

CPU = torch.device("cpu")


def sampler(vocabulary: int = 8, prompt=(0,), ends=(), **fields) -> Sampler:
    return Sampler(Generation(**fields), torch.tensor(prompt), vocabulary, CPU, ends)


def logits(*rows) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float32)


def random_row(seed: int, vocabulary: int = 8) -> torch.Tensor:
    return torch.randn(1, vocabulary, generator=torch.Generator().manual_seed(seed)) * 2


def draws(row: torch.Tensor, count: int, **fields) -> list[int]:
    """`count` first draws, each of a seed of its own."""
    samplers = [sampler(row.shape[1], seed=seed, **fields) for seed in range(count)]
    return choose(row.repeat(count, 1), samplers)


def test_temperature_zero_takes_the_most_likely():
    assert choose(logits([0, 3, 1], [5, 3, 1]), [sampler(3, temperature=0.0), sampler(3, temperature=0.0)]) == [1, 0]


def test_greedy_uses_no_randomness():
    assert set(draws(random_row(1), 50, temperature=0.0)) == {int(random_row(1).argmax())}


@examples(40)
@given(st.integers(0, 10**6))
def test_a_top_k_of_one_is_greedy(seed):
    row = random_row(seed)
    assert set(draws(row, 8, top_k=1, temperature=1.7)) == {int(row.argmax())}


@examples(40)
@given(st.integers(0, 10**6), st.integers(1, 8))
def test_top_k_never_leaves_the_k_most_likely(seed, top_k):
    row = random_row(seed)
    assert set(draws(row, 40, top_k=top_k, temperature=2.0)) <= set(row[0].topk(top_k).indices.tolist())


@examples(40)
@given(st.integers(0, 10**6), st.floats(0.01, 1.0))
def test_top_p_never_leaves_the_nucleus(seed, top_p):
    row = random_row(seed)
    likely = sorted(((p, token) for token, p in enumerate(row[0].softmax(0).tolist())), reverse=True)
    nucleus, mass = set(), 0.0
    for probability, token in likely:
        if mass > top_p + 1e-5:
            break
        nucleus.add(token)
        mass += probability
    assert set(draws(row, 40, top_p=top_p)) <= nucleus


def test_a_nucleus_is_never_empty():
    row = random_row(3)
    assert set(draws(row, 20, top_p=0.0)) == {int(row.argmax())}


def test_the_same_seed_draws_the_same_and_another_seed_another():
    rows = torch.zeros(12, 50)
    first, again, other = (
        [choose(rows[:1].clone(), [one])[0] for _ in range(12)]
        for one in (sampler(50, seed=4), sampler(50, seed=4), sampler(50, seed=5))
    )
    # `one` is bound late in a generator expression's inner list, so each list has its own sampler.
    assert first == again != other
    assert len(set(first)) > 3, "a generator must move on from draw to draw"


def test_no_seed_is_not_a_fixed_seed():
    def sequence():
        one = sampler(1000)
        return [choose(torch.zeros(1, 1000), [one])[0] for _ in range(6)]

    assert sequence() != sequence()


@examples(40)
@given(st.integers(0, 1000), st.lists(st.sampled_from([0.0, 0.7, 1.5]), min_size=1, max_size=5), st.data())
def test_a_row_draws_the_same_alone_and_among_others(seed, temperatures, data):
    place = data.draw(st.integers(0, len(temperatures)))
    mine = {
        "seed": seed,
        "temperature": 0.9,
        "top_p": 0.9,
        "top_k": 6,
        "repetition_penalty": 1.2,
        "logit_bias": {2: 1.0},
    }
    alone, among = sampler(**mine), sampler(**mine)
    others = [sampler(seed=n, temperature=one, repetition_penalty=1.1) for n, one in enumerate(temperatures)]
    for step in range(5):
        row = random_row(seed + step)
        rows = [random_row(1000 * seed + 10 * step + n) for n in range(len(others))]
        batch = torch.cat([*rows[:place], row, *rows[place:]])
        everyone = [*others[:place], among, *others[place:]]
        assert choose(batch, everyone)[place] == choose(row.clone(), [alone])[0]


def test_a_greedy_neighbour_takes_no_draw_from_a_drawing_row():
    one, other = sampler(50, seed=1), sampler(50, seed=1)
    greedy = sampler(50, temperature=0.0, seed=1)
    alone = [choose(torch.zeros(1, 50), [one])[0] for _ in range(6)]
    assert [choose(torch.zeros(2, 50), [greedy, other])[1] for _ in range(6)] == alone


@pytest.mark.parametrize("temperature", [0.0, 1.0, 2.0])
def test_a_bias_of_minus_a_hundred_bans_a_token(temperature):
    row = logits([50.0, 1.0, 0.0, 0.5])
    assert 0 not in draws(row, 200, temperature=temperature, logit_bias={0: -100.0})


def test_a_bias_lifts_a_token_and_an_unknown_token_is_no_harm():
    assert draws(logits([1.0, 0.0, 0.0]), 5, temperature=0.0, logit_bias={2: 5.0, 99: 5.0, -1: 9.0}) == [2] * 5


@pytest.mark.parametrize(("penalty", "expected"), [(2.0, [1.0, -4.0, 3.0, 0.0]), (0.5, [4.0, -1.0, 3.0, 0.0])])
def test_the_penalty_divides_positive_and_multiplies_negative_scores_of_seen_tokens(penalty, expected):
    row = torch.tensor([2.0, -2.0, 3.0, 0.0])
    sampler(4, prompt=(0, 1, 0, 3), repetition_penalty=penalty).adjust(row)
    assert row.tolist() == expected


def test_what_was_drawn_is_penalised_from_then_on():
    one = sampler(3, prompt=(2,), temperature=0.0, repetition_penalty=4.0)
    assert [choose(logits([4.0, 3.0, 0.0]), [one])[0] for _ in range(2)] == [0, 1]


def test_without_penalty_and_bias_logits_are_left_as_they_are():
    row = random_row(9)
    kept = row.clone()
    choose(row, [sampler(seed=1, ends={0, 3})])
    assert torch.equal(row, kept)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_an_end_is_not_drawn_before_its_time(temperature):
    one = sampler(3, ends={0, 2}, temperature=temperature, min_tokens=2)
    assert [choose(logits([90.0, 0.0, 60.0]), [one])[0] for _ in range(3)] == [1, 1, 0]


def test_an_end_that_is_ignored_is_never_drawn_and_no_bias_lifts_it():
    one = sampler(3, ends={0}, temperature=0.0, ignore_eos=True, logit_bias={0: 100.0})
    assert {choose(logits([9.0, 1.0, 0.0]), [one])[0] for _ in range(20)} == {1}


def test_a_row_that_must_go_on_leaves_its_neighbours_their_end():
    goes_on, ends = sampler(3, ends={0}, temperature=0.0, min_tokens=5), sampler(3, ends={0}, temperature=0.0)
    assert choose(logits([9.0, 1.0, 0.0], [9.0, 1.0, 0.0]), [goes_on, ends]) == [1, 0]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_draws_follow_the_distribution(temperature):
    row, count = logits([2.0, 1.0, 0.0, -1.0]), 3000
    expected = (row[0] / temperature).softmax(0)
    found = torch.bincount(torch.tensor(draws(row, count, temperature=temperature)), minlength=4) / count
    # Four standard deviations of a share of 3000 draws; the seeds are fixed, so this does not flicker.
    assert (found - expected).abs().max() < 4 * (0.25 / count) ** 0.5


def test_a_token_without_probability_is_never_drawn():
    row = torch.full((1, 2000), -torch.inf)
    row[0, [3, 1500]] = 0.0
    assert set(draws(row, 200)) == {3, 1500}


def spread_out(seed: int, spread: float) -> torch.Tensor:
    """4,000 logits, no two of them alike: of two that are, either may come first."""
    order = torch.randperm(4000, generator=torch.Generator().manual_seed(seed))
    return order.unsqueeze(0) * (spread / 4000)


@pytest.mark.parametrize("fields", [{}, {"top_p": 0.5}, {"top_p": 0.999}, {"top_k": 7}, {"top_k": 2000, "top_p": 0.9}])
@pytest.mark.parametrize("spread", [0.1, 10.0, 100.0])
def test_a_draw_from_the_likeliest_is_the_draw_from_the_whole_vocabulary(monkeypatch, fields, spread):
    row = spread_out(3, spread)
    drawn = draws(row, 60, temperature=1.0, **fields)
    monkeypatch.setattr("medserver.worker.sampling.CANDIDATES", 4000)
    assert draws(row, 60, temperature=1.0, **fields) == drawn


def test_a_row_draws_the_same_beside_rows_that_need_the_whole_vocabulary():
    sharp, flat = spread_out(1, 100.0), spread_out(2, 0.1)

    def both() -> list[Sampler]:
        return [sampler(4000, seed=seed, temperature=1.0, top_p=0.9) for seed in (5, 6)]

    alone = choose(sharp.clone(), both()[:1]) + choose(flat.clone(), both()[1:])
    assert choose(torch.cat([sharp, flat]), both()) == alone
