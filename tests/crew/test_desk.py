"""Several houses over one desk, in one process: they are one server, and the end of a worker costs nothing."""

import asyncio
import socket
from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medserver import house
from medserver.config import QUEUE_LENGTH, Settings
from medserver.crew.desk import Desk
from medserver.crew.leased import Orders, leased
from medserver.crew.line import Line
from medserver.engine.base import Serving
from medserver.engine.host import EngineStatus, Standing
from medserver.hardware import Hardware
from medserver.models import VARIANTS
from medserver.server import create_app
from tests.access.asking import MACHINE, OWN_HOST
from tests.front import frames, until
from tests.scripted import MODELS, Exchange, ScriptedEngine, ScriptedHost, ended, examples, run, turns

STANDING = Standing(EngineStatus("scripted", "ready"), MODELS, 1)


class Crew:
    """`count` apps on one scripted engine of `slots`. A context manager."""

    def __init__(self, tmp_path, *scripts, count: int = 2, slots: int = 1, **chosen):
        self.settings = Settings(
            model="demo", **{"rate_limit": "1000/second", "open": True, "state_dir": tmp_path / "state"} | chosen
        )
        self.serving = Serving(VARIANTS["demo"], "nowhere", True, 32, 16)
        self.engine = ScriptedEngine(*scripts)
        host = ScriptedHost(self.engine)
        host.slots = slots
        self.common = house.build_common(self.settings, self.serving, host)
        self.desk = Desk(self.common)
        self._count = count
        self.lines: list[Line] = []
        self.houses: list = []
        self.apps: list = []

    async def __aenter__(self) -> "Crew":
        for _ in range(self._count):
            await self._join()
        return self

    async def _join(self) -> None:
        orders = Orders(
            self.settings, self.serving, Hardware(), STANDING, None, self.common.salt.hex(), self.common.started
        )
        window, heard = self.desk.open(lambda: None), {}
        line = Line(heard, lambda: None)
        common = replace(leased(orders, line, heard), host=self.common.host)
        for one, end in zip((window.line, line), socket.socketpair(), strict=True):
            await one.open(end)
        self.apps.append(create_app(self.settings, self.serving, common=common))
        self.lines.append(line)
        self.houses.append(self.apps[-1].house)

    async def __aexit__(self, *_) -> None:
        for line in self.lines:
            await line.close()

    def ask(self, worker: int, client: str) -> tuple[Exchange, asyncio.Task]:
        body = orjson.dumps({"messages": [{"role": "user", "content": "why?"}]})
        exchange = Exchange(body, path="/api/chat", client=client, headers={"host": OWN_HOST})
        return exchange, exchange.of(self.apps[worker])

    @property
    def queue(self) -> tuple[int, int]:
        return self.common.admission.active, self.common.admission.waiting


def code_of(exchange: Exchange) -> str:
    return orjson.loads(exchange.body)["code"]


def test_a_client_has_its_streams_over_all_workers_and_may_ask_another_the_moment_one_has_ended(tmp_path):
    go = asyncio.Event()

    async def scene():
        async with Crew(tmp_path, ["a", go, ended()], *(["b", ended()] for _ in range(20)), slots=9) as crew:
            first, answering = crew.ask(0, "192.0.2.1")
            await until(lambda: first.status)
            second, refusing = crew.ask(1, "192.0.2.1")
            await refusing
            assert (second.status, code_of(second)) == (429, "too_many_streams") and int(second.headers["retry-after"])
            go.set()
            await answering
            for number in range(20):
                again, task = crew.ask(number % 2, "192.0.2.1")
                while not again.body.endswith(b"[DONE]\n\n"):  # noqa: ASYNC110
                    await asyncio.sleep(0)
                assert again.status == 200, "asked again without waiting for the rest of the answer before it"
                task.add_done_callback(lambda _: None)
            await until(lambda: crew.queue == (0, 0))

    run(scene())


def test_who_waits_at_one_worker_goes_on_when_a_slot_comes_free_at_another(tmp_path):
    go = asyncio.Event()

    async def scene():
        async with Crew(tmp_path, ["a", go, ended()], ["b", ended()], ["c", ended()]) as crew:
            first, answering = crew.ask(0, "192.0.2.1")
            await until(lambda: first.status)
            asked = []
            for number, client in enumerate(("192.0.2.2", "192.0.2.3")):
                asked.append(crew.ask(1 - number, client))
                await until(lambda exchange=asked[-1][0]: exchange.status)
            await until(lambda: all(house.admission.waiting == 2 for house in crew.houses))
            assert [house.status.health()["queue"] for house in crew.houses] == [{"active": 1, "waiting": 2}] * 2
            go.set()
            await asyncio.gather(answering, *(task for _, task in asked))
            told = [[frame.get("queue", frame.get("token")) for frame in frames(one.body)[:-2]] for one, _ in asked]
            assert told == [[0, "b"], [1, 0, "c"]]

    run(scene())


def test_a_place_that_is_lost_to_a_client_of_another_worker_is_told(tmp_path):
    async def scene():
        async with Crew(tmp_path, ["a", asyncio.Event()], max_user_streams=1 + QUEUE_LENGTH) as crew:
            script = [crew.ask(0, "192.0.2.1") for _ in range(1 + QUEUE_LENGTH)]
            await until(lambda: crew.queue == (1, QUEUE_LENGTH))
            _, ward = crew.ask(1, "192.0.2.2")
            ended, others = await asyncio.wait([task for _, task in script], return_when=asyncio.FIRST_COMPLETED)
            [lost] = [exchange for exchange, task in script if task in ended]
            *_, error, done = frames(lost.body)
            assert error["code"] == "queue_full" and done == "[DONE]"
            assert crew.queue == (1, QUEUE_LENGTH)
            for task in (ward, *others):
                task.cancel()
            await asyncio.gather(ward, *others, return_exceptions=True)

    run(scene())


def test_what_a_worker_held_is_given_back_when_it_goes_and_the_others_go_on(tmp_path):
    async def scene():
        async with Crew(tmp_path, ["a", asyncio.Event()], ["b", ended()]) as crew:
            first, lost = crew.ask(0, "192.0.2.1")
            await until(lambda: first.status)
            _, waiting = crew.ask(0, "192.0.2.2")
            await until(lambda: crew.queue == (1, 1))
            other, answering = crew.ask(1, "192.0.2.3")
            await until(lambda: crew.queue == (1, 2))
            await crew.lines[0].close()
            await answering
            assert [frame for frame in frames(other.body) if "token" in frame] == [{"token": "b"}]
            assert crew.queue == (0, 0) and not crew.common.admission._clients
            for task in (lost, waiting):
                task.cancel()

    run(scene())


def test_requests_are_counted_for_all_workers_together(tmp_path):
    async def scene():
        async with Crew(tmp_path, *(["a", ended()] for _ in range(4)), rate_limit="4/hour", slots=9) as crew:
            statuses = []
            for number in range(6):
                exchange, task = crew.ask(number % 2, "192.0.2.1")
                await task
                statuses.append(exchange.status)
            assert statuses == [200] * 4 + [429] * 2
            assert code_of(exchange) == "rate_limited" and 1 <= int(exchange.headers["retry-after"]) <= 3600
            assert "4 per 1 hour" in orjson.loads(exchange.body)["detail"]

    run(scene())


def test_figures_and_the_audit_log_are_of_all_workers(tmp_path):
    log = tmp_path / "audit.jsonl"

    async def scene():
        async with Crew(tmp_path, *(["a", ended()] for _ in range(2)), audit_log=log) as crew:
            for worker in range(2):
                _, task = crew.ask(worker, f"192.0.2.{worker}")
                await task
            assert all(house.journal is None for house in crew.houses), "there is one writer"
            name = b'medserver_answers_total{finish_reason="stop"} 2.0'
            for app in crew.apps:
                asked = Exchange(path="/metrics", method="GET", client=MACHINE, headers={"host": "localhost:8000"})
                await asked.of(app)
                assert name in asked.body
            assert [orjson.loads(line)["finish_reason"] for line in log.read_bytes().splitlines()[:2]] == ["stop"] * 2

    run(scene())


def test_the_terminal_is_the_parents_and_a_worker_asks_for_a_code(tmp_path, monkeypatch):
    async def scene():
        async with Crew(tmp_path, open=False) as crew:
            offered = []

            async def offer(*, again: bool = False) -> None:
                offered.append(again)

            monkeypatch.setattr(crew.common.entrance, "offer", offer)
            await crew._join()  # windows are opened with what the parent has
            await crew.houses[-1].entrance.offer(again=True)
            assert offered == [True]

    run(scene())


@pytest.mark.parametrize("moment", range(8))
def test_a_client_that_leaves_while_it_is_let_in_keeps_nothing(tmp_path, moment):
    """Cancelled after so many rounds of the loop, wherever the questions are then."""

    async def scene():
        async with Crew(tmp_path, ["a", asyncio.Event()], slots=1) as crew:
            async with crew.houses[0].admission.enter("holder") as holder:
                assert [ahead async for ahead in holder.turn()] == []

                async def wait():
                    async with crew.houses[1].admission.enter("leaves") as ticket:
                        async for _ in ticket.turn():
                            pass

                task = asyncio.create_task(wait())
                await turns(moment)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                await until(lambda: crew.queue == (1, 0))
                await until(lambda: not crew.houses[1].admission._tickets)
            await until(lambda: crew.queue == (0, 0) and not crew.common.admission._clients)

    run(scene())


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5), st.integers(0, 3)), max_size=30))
@examples(10)
def test_whatever_workers_and_clients_do_nothing_is_kept_by_who_has_left(tmp_path, steps):
    """(worker, client, what it does): come, leave, do nothing, or the worker dies."""

    async def scene():
        async with Crew(tmp_path, count=3, slots=2, max_user_streams=2) as crew:
            tasks: dict[tuple[int, int], asyncio.Task] = {}

            async def stay(worker: int, client: int) -> None:
                async with crew.houses[worker].admission.enter(str(client)) as ticket:
                    async for _ in ticket.turn():
                        pass
                    await asyncio.Event().wait()

            for worker, client, deed in steps:
                if deed == 0 and (worker, client) not in tasks:
                    tasks[worker, client] = asyncio.create_task(stay(worker, client))
                elif deed == 1 and (task := tasks.pop((worker, client), None)):
                    task.cancel()
                elif deed == 2:
                    await turns(worker)
                elif client == 0:
                    await crew.lines[worker].close()
                active, waiting = crew.queue
                assert active <= 2 and waiting <= 32
                assert all(held <= 2 for held in crew.common.admission._clients.values())
            for line in crew.lines:
                await line.close()
            for task in tasks.values():
                task.cancel()
            await until(lambda: crew.queue == (0, 0) and not crew.common.admission._clients)

    run(scene())
