"""Who is asked and who is left out: decided without a connection, on a clock of the test's own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medserver.engine.base import Ask
from medserver.engine.health import COOL_DOWN, FAILURES, SPREAD, Health
from medserver.engine.routing import SLACK, choose, conversation
from tests.engines.upstreams import ask
from tests.scripted import examples


class Clock:
    """The time and the chance, both in the test's hand; a chance of a half spreads nothing."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def health(self) -> Health:
        return Health(self, lambda: 0.5)


def test_a_server_is_down_until_its_first_probe_was_answered():
    health = Clock().health()
    assert not health.up and health.due_in == 0
    health.succeeded("probe")
    assert health.up and health.proven


@pytest.mark.parametrize("kind", ["probe", "answer"])
def test_failures_in_a_row_eject(kind):
    health = Clock().health()
    health.succeeded("probe")
    for _ in range(FAILURES - 1):
        health.failed(kind)
    assert health.up
    health.succeeded(kind)
    for _ in range(FAILURES):
        assert health.up
        health.failed(kind)
    assert not health.up and health.due_in == COOL_DOWN[0]


def test_answered_probes_do_not_excuse_failed_answers():
    health = Clock().health()
    for _ in range(FAILURES):
        health.succeeded("probe")
        health.failed("answer")
    assert not health.up


def test_cool_downs_grow_to_their_limit_until_an_answer_has_come_to_its_end():
    clock = Clock()
    health, pauses = clock.health(), []
    health.succeeded("probe")
    for _ in range(FAILURES):
        health.failed("answer")
    for _ in range(8):
        pauses.append(health.due_in)
        clock.now += health.due_in
        health.succeeded("probe")
        assert health.up and not health.proven
        health.failed("answer")
        assert not health.up, "one that has just come back is given no second failure"
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]
    clock.now += 30
    health.succeeded("probe")
    health.succeeded("answer")
    assert health.proven
    for _ in range(FAILURES):
        health.failed("answer")
    assert health.due_in == 1


def test_what_still_ran_as_it_went_down_does_not_make_it_worse():
    clock = Clock()
    health = clock.health()
    health.succeeded("probe")
    for _ in range(FAILURES + 20):
        health.failed("answer")
    assert health.due_in == COOL_DOWN[0]


def test_servers_that_went_down_together_are_tried_apart():
    pauses = set()
    for chance in (0.0, 0.5, 0.999):
        health = Health(Clock(), lambda chance=chance: chance)
        health.failed("probe")
        pauses.add(round(health.due_in, 2))
    assert pauses == {1 - SPREAD, 1.0, 1 + SPREAD}


class Server:
    def __init__(self, url: str, outstanding: int = 0):
        self.url, self.outstanding = url, outstanding


def servers(*loads: int) -> list[Server]:
    return [Server(f"http://gpu-{index}/", load) for index, load in enumerate(loads)]


def key(text: str, salt: bytes = b"salt") -> bytes:
    return conversation(ask(text), salt)


def test_a_conversation_is_known_by_all_up_to_its_first_question():
    system = {"role": "system", "content": "be brief"}
    first, reply, second = ({"role": role, "content": role} for role in ("user", "assistant", "user"))

    def of(*messages):
        return conversation(Ask([*messages], ask().sampling, 9), b"salt")

    assert of(system, first) == of(system, first, reply, second)
    assert len({of(first), of(system, first), of(system, reply), key("else")}) == 4
    assert key("a", b"one") != key("a", b"two"), "another process knows it by another name"


@examples(100)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=6), st.text(max_size=5))
def test_nobody_is_asked_who_is_much_busier_than_another(loads, text):
    assert choose(servers(*loads), key(text)).outstanding <= min(loads) + SLACK


def test_a_conversation_stays_where_it_is_while_others_come_and_go():
    all_of_them = servers(0, 0, 0, 0)
    for text in map(str, range(40)):
        home = choose(all_of_them, key(text))
        for gone in all_of_them:
            left = [one for one in all_of_them if one is not gone]
            assert (choose(left, key(text)) is home) is (gone is not home)


def test_conversations_spread():
    chosen = [choose(servers(0, 0, 0), key(str(number))).url for number in range(300)]
    assert all(60 < chosen.count(url) < 140 for url in set(chosen)) and len(set(chosen)) == 3


def test_a_home_that_is_too_busy_gives_way_to_the_least_busy():
    pair = servers(0, 0)
    home = choose(pair, key("a"))
    [other] = [one for one in pair if one is not home]
    home.outstanding = SLACK
    assert choose(pair, key("a")) is home
    home.outstanding = SLACK + 1
    assert choose(pair, key("a")) is other
