"""Nobody has more than their share, nobody is overtaken by who has as much, and nothing is kept by who has left."""

import asyncio
from types import SimpleNamespace

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from medserver.admission import Admission
from medserver.errors import TooMany, Unavailable
from tests.scripted import examples, run, turns

CLIENTS = ("ward", "phone", "script")


class AdmissionMachine(RuleBasedStateMachine):
    """Compared at every step with three plain lists."""

    @initialize(per_client=st.integers(1, 3), slots=st.integers(1, 3), queue=st.integers(0, 3))
    def open(self, per_client, slots, queue):
        self.per_client, self.slots, self.queue = per_client, slots, queue
        self.admission = Admission(per_client=per_client, slots=lambda: slots, queue=queue)
        self.arrived, self.active, self.waiting, self.left = [], [], [], []
        self.ousted = []

    def held(self, client):
        return sum(ticket.client == client for ticket in (*self.arrived, *self.active, *self.waiting, *self.ousted))

    def would_be_last(self, client):
        """Whether there is no slot and no place, and nobody in the queue would have a later turn."""
        if len(self.active) < self.slots or len(self.waiting) < self.queue:
            return False
        newcomer = SimpleNamespace(client=client)
        return self.line(newcomer)[-1] is newcomer

    def line(self, *newcomers):
        """Whose turn it would be, one after the other: of those with the fewest at work, who came first."""
        waiting, working, order = [*self.waiting, *newcomers], [ticket.client for ticket in self.active], []
        while waiting:
            order.append(min(waiting, key=lambda ticket: working.count(ticket.client)))
            waiting.remove(order[-1])
            working.append(order[-1].client)
        return order

    @rule(client=st.sampled_from(CLIENTS))
    def enter(self, client):
        if self.held(client) >= self.per_client:
            with pytest.raises(TooMany) as refused:
                self.admission.enter(client)
            assert refused.value.code == "too_many_streams"
        elif self.would_be_last(client):
            with pytest.raises(Unavailable) as refused:
                self.admission.enter(client)
            assert refused.value.code == "queue_full"
        else:
            self.arrived.append(self.admission.enter(client))

    @precondition(lambda self: self.arrived)
    @rule(number=st.integers(0, 20))
    def line_up(self, number):
        ticket = self.arrived[number % len(self.arrived)]
        if self.would_be_last(ticket.client):
            with pytest.raises(Unavailable):
                self.admission.line_up(ticket)
            return
        self.arrived.remove(ticket)
        self.admission.line_up(ticket)
        (self.active if len(self.active) < self.slots else self.waiting).append(ticket)
        if len(self.waiting) > self.queue:
            self.ousted.append(self.line()[-1])
            self.waiting.remove(self.ousted[-1])

    @precondition(lambda self: self.arrived or self.active or self.waiting or self.ousted)
    @rule(number=st.integers(0, 20))
    def leave(self, number):
        places = (self.arrived, self.active, self.waiting, self.ousted)
        everyone = [ticket for place in places for ticket in place]
        ticket = everyone[number % len(everyone)]
        self.admission.leave(ticket)
        next(place for place in places if ticket in place).remove(ticket)
        self.left.append(ticket)
        if len(self.active) < self.slots and self.waiting:
            self.active.append(self.line()[0])
            self.waiting.remove(self.active[-1])

    @precondition(lambda self: self.left)
    @rule(number=st.integers(0, 20))
    def leave_again(self, number):
        self.admission.leave(self.left[number % len(self.left)])

    @invariant()
    def agrees_with_the_lists(self):
        if not hasattr(self, "admission"):
            return
        assert self.admission.active == len(self.active) <= self.slots
        assert self.admission.waiting == len(self.waiting) <= self.queue
        assert self.admission.idle.is_set() is not bool(self.active)
        assert all(self.admission.holds_slot(ticket) for ticket in self.active)
        without = (*self.arrived, *self.waiting, *self.ousted, *self.left)
        assert not any(self.admission.holds_slot(ticket) for ticket in without)
        assert [self.admission.ahead_of(ticket) for ticket in self.line()] == list(range(len(self.waiting)))
        assert all(ticket.moved.is_set() for ticket in (*self.active, *self.ousted))
        for ticket in self.ousted:
            with pytest.raises(Unavailable):
                self.admission.ahead_of(ticket)

    def teardown(self):
        if not hasattr(self, "admission"):
            return
        for ticket in (*self.arrived, *self.waiting, *self.active, *self.ousted):
            self.admission.leave(ticket)
        assert (self.admission.active, self.admission.waiting) == (0, 0)
        assert not self.admission._clients, "the table of clients grows for ever"


TestAdmissionMachine = AdmissionMachine.TestCase
TestAdmissionMachine.settings = examples(40)


def lined_up(admission: Admission, client: str):
    ticket = admission.enter(client)
    admission.line_up(ticket)
    return ticket


def test_refusals_say_when_to_try_again_and_leave_others_alone():
    admission = Admission(per_client=1, slots=lambda: 1, queue=1)
    lined_up(admission, "a")
    with pytest.raises(TooMany) as refused:
        admission.enter("a")
    assert refused.value.status == 429 and refused.value.retry_after > 0
    lined_up(admission, "b")
    with pytest.raises(Unavailable) as refused:
        admission.enter("c")
    assert refused.value.status == 503 and refused.value.retry_after > 0
    assert (admission.active, admission.waiting) == (1, 1)


def test_who_has_only_arrived_is_in_nobodys_way():
    admission = Admission(per_client=1, slots=lambda: 1, queue=0)
    slow = admission.enter("slow")
    quick = lined_up(admission, "quick")
    assert admission.holds_slot(quick)
    with pytest.raises(Unavailable):
        admission.line_up(slow)


def test_who_finds_a_free_slot_does_not_wait():
    async def scene():
        async with Admission(per_client=1, slots=lambda: 1, queue=0).enter("a") as ticket:
            assert [ahead async for ahead in ticket.turn()] == []

    run(scene())


def test_the_queue_moves_up_in_the_order_of_arrival():
    async def scene():
        admission = Admission(per_client=9, slots=lambda: 1, queue=9)
        first, *others = lined_up(admission, "a"), *(admission.enter("a") for _ in range(3))
        seen = {}

        async def wait(name, ticket):
            seen[name] = []
            async for ahead in ticket.turn():
                seen[name].append(ahead)
            served.append(name)

        served = []
        tasks = [asyncio.create_task(wait(name, ticket)) for name, ticket in enumerate(others)]
        for ticket in (first, *others):
            await turns()
            admission.leave(ticket)
        await asyncio.gather(*tasks)
        assert served == [0, 1, 2]
        assert seen == {0: [0], 1: [1, 0], 2: [2, 1, 0]}

    run(scene())


def test_a_script_with_many_questions_does_not_hold_up_a_ward_with_one():
    admission = Admission(per_client=9, slots=lambda: 2, queue=9)
    script = [lined_up(admission, "script") for _ in range(5)]
    ward, phone = lined_up(admission, "ward"), lined_up(admission, "phone")
    assert [admission.ahead_of(ticket) for ticket in (ward, phone, *script[2:])] == [0, 1, 2, 3, 4]
    admission.leave(script[0])
    assert admission.holds_slot(ward)
    admission.leave(ward)
    assert admission.holds_slot(phone)
    late = lined_up(admission, "late")
    admission.leave(phone)
    assert admission.holds_slot(late)
    admission.leave(script[1])
    assert admission.holds_slot(script[2])


def test_a_script_does_not_keep_the_queue_to_itself_and_loses_its_last_place_to_a_ward():
    async def scene():
        admission = Admission(per_client=9, slots=lambda: 1, queue=3)
        lined_up(admission, "script")
        told = []

        async def wait():
            try:
                async with admission.enter("script") as ticket:
                    async for ahead in ticket.turn():
                        told.append(ahead)
            except Unavailable as refused:
                told.append(refused.code)

        stays = [lined_up(admission, "script") for _ in range(2)]
        last = asyncio.create_task(wait())
        await turns()
        with pytest.raises(Unavailable):
            admission.enter("script")  # nobody has more
        ward = lined_up(admission, "ward")
        await last
        assert told == [2, "queue_full"]
        assert [admission.ahead_of(ticket) for ticket in (ward, *stays)] == [0, 1, 2]
        phone, other = lined_up(admission, "phone"), lined_up(admission, "other")
        with pytest.raises(Unavailable):
            admission.enter("late")  # each of them has one, as this one would
        assert [admission.ahead_of(ticket) for ticket in (ward, phone, other)] == [0, 1, 2]

    run(scene())


@pytest.mark.parametrize("how", ["cancelled", "failed"])
def test_who_is_ended_while_waiting_gives_the_place_back(how):
    async def scene():
        admission = Admission(per_client=1, slots=lambda: 1, queue=2)
        holder, after = lined_up(admission, "a"), None

        async def wait():
            async with admission.enter("b") as ticket:
                async for _ in ticket.turn():
                    if how == "failed":
                        raise ValueError
                raise AssertionError("it never had its turn")

        task = asyncio.create_task(wait())
        if how == "cancelled":
            await turns()
            after = lined_up(admission, "c")
            assert admission.ahead_of(after) == 1
            task.cancel()
        [ending] = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(ending, asyncio.CancelledError if how == "cancelled" else ValueError)
        assert admission.waiting == (1 if after else 0)
        admission.enter("b")
        admission.leave(holder)
        assert after is None or admission.holds_slot(after)

    run(scene())


def test_a_slot_that_is_given_up_wakes_exactly_one_waiter():
    async def scene():
        admission = Admission(per_client=9, slots=lambda: 2, queue=9)
        holders = [lined_up(admission, "a") for _ in range(2)]
        waiting = [lined_up(admission, "b") for _ in range(3)]
        admission.leave(holders[1])
        assert [admission.holds_slot(ticket) for ticket in waiting] == [True, False, False]
        assert admission.active == 2

    run(scene())


def test_a_position_is_said_again_only_when_it_has_changed():
    async def scene():
        admission = Admission(per_client=9, slots=lambda: 1, queue=9)
        lined_up(admission, "a")
        seen = []

        async def wait(ticket):
            async for ahead in ticket.turn():
                seen.append(ahead)

        task = asyncio.create_task(wait(admission.enter("b")))
        for _ in range(3):
            await turns()
            lined_up(admission, "c")
        await turns()
        task.cancel()
        assert seen == [0]

    run(scene())
