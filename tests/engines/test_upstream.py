"""Several servers behind one engine: who is asked, who is left out and comes back, and when another is tried."""

import asyncio
import time
from contextlib import AsyncExitStack, aclosing, asynccontextmanager

import pytest

from medserver.engine import remote as remote_module
from medserver.engine import upstream as upstream_module
from medserver.engine.base import End, Serving
from medserver.engine.health import FAILURES
from medserver.engine.patience import Patience
from medserver.engine.remote import RemoteHost
from medserver.engine.routing import choose, conversation
from medserver.engine.upstream import Upstream
from medserver.errors import BadRequest, ContextOverflow, EngineLost, Unavailable
from medserver.models import VARIANTS
from medserver.parse import BadSetting, base_url
from tests.engines.upstreams import HI, MODEL, Router, Sglang, Wire, answered, ask, event
from tests.scripted import run
from tests.serving import free_port

SERVING = Serving(VARIANTS["4"], MODEL, True, 896, 256)
DOWN = (503, {"error": {"message": "no", "code": 503}})


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("http://host:8000", "http://host:8000/"),
        ("http://host:8000/", "http://host:8000/"),
        ("http://host:8000/v1", "http://host:8000/"),
        (" https://host/v1/ ", "https://host/"),
        ("https://host/llm/v1", "https://host/llm/"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/"),
        ("HTTP://Host:80", "http://host:80/"),
    ],
)
def test_an_address_is_written_in_one_way(given, address):
    assert base_url(given) == address


@pytest.mark.parametrize(
    "text", ["", "host:8000", "ftp://host", "file:///etc/passwd", "http://", "http://host:port", "http://[::1",
             "http://me:secret@host", "http://me@host", "http://host/?key=secret", "http://host/#x"],
)  # fmt: skip
def test_what_is_no_plain_address_is_refused_without_being_repeated(text):
    with pytest.raises(BadSetting) as refused:
        base_url(text)
    assert "secret" not in str(refused.value)


@asynccontextmanager
async def front(*wires: Wire, key: str | None = None, urls: tuple[str, ...] = (), patience: Patience | None = None):
    """A host in front of these servers, ready as soon as each of them was probed."""
    async with AsyncExitStack() as held:
        for wire in wires:
            await held.enter_async_context(wire.open())
        host = RemoteHost([*(wire.url for wire in wires), *urls], SERVING, 8192, key=key)
        for one in host._upstreams:
            one._patience = patience or one._patience
        host.start()
        held.push_async_callback(host.close)
        await until(lambda: all(one.probed for one in host._upstreams))
        yield host


async def until(condition, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        await asyncio.sleep(0.005)


async def said(host: RemoteHost, asked=None) -> str:
    async with aclosing(host.engine().stream(asked or ask())) as stream:
        *texts, end = [item async for item in stream]
    assert isinstance(end, End)
    return "".join(one.text for one in texts)


def of(host: RemoteHost, wire: Wire) -> Upstream:
    [found] = [one for one in host._upstreams if one.url == wire.url + "/"]
    return found


def home_first(host: RemoteHost, *wires: Wire, text: str = "why?") -> list[Wire]:
    """The servers, the one that this conversation belongs to before the others."""
    home = choose(host._upstreams, conversation(ask(text), host._engine._salt))
    return sorted(wires, key=lambda wire: of(host, wire) is not home)


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch):
    monkeypatch.setattr(upstream_module, "PROBE_SECONDS", 0.02)
    monkeypatch.setattr("medserver.engine.health.COOL_DOWN", (0.05, 0.2))


@pytest.mark.parametrize("kind", [Wire, Sglang, Router])
def test_a_server_is_probed_asked_and_described(kind):
    async def scene():
        async with front(kind()) as host:
            assert host.status.state == "ready" and host.status.name == "remote" and host.status.why is None
            assert await said(host) == "".join(HI)
            facts = host.engine().facts
            assert (facts.supports_images, facts.max_model_len, facts.thinking_ids) == (True, 4096, (100, 101))
        assert host.status.state == "stopped"

    run(scene())


def test_health_goes_on_being_asked():
    async def scene():
        wire = Wire()
        async with front(wire) as host:
            before = wire.probes
            await until(lambda: wire.probes > before + 3)
            wire.healthy = False
            await until(lambda: host.status.state == "failed")
            with pytest.raises(Unavailable) as refused:
                host.engine()
            assert refused.value.code == "engine_down" and refused.value.retry_after >= 1
            wire.healthy = True
            await until(lambda: host.status.state == "ready")
            assert await said(host) == "".join(HI)

    run(scene())


def test_a_server_that_is_not_there_yet_is_found_when_it_comes():
    async def scene():
        port = free_port()
        async with front(urls=(f"http://127.0.0.1:{port}/v1",)) as host:
            assert host.status.state == "failed" and host.status.why
            async with Wire().open(port):
                await until(lambda: host.status.state == "ready")
                assert await said(host) == "".join(HI)

    run(scene())


def test_before_the_first_probe_the_model_is_loading():
    async def scene():
        host = RemoteHost(["http://127.0.0.1:9"], SERVING, 8192)
        assert host.status.state == "starting"
        with pytest.raises(Unavailable) as refused:
            host.engine()
        assert refused.value.code == "loading"
        await host.close()

    run(scene())


def test_a_key_is_sent_and_a_refused_one_is_told():
    async def scene():
        async with front(Wire(key="right"), key="right") as host:
            assert await said(host) == "".join(HI)
        async with front(Wire(key="right"), key="wrong") as host:
            assert host.status.state == "failed" and "key" in host.status.why
            assert "wrong" not in repr(host.status)

    run(scene())


def test_a_key_that_is_refused_later_is_no_reason_to_ask_another():
    async def scene():
        wires = Wire(always=(401, {"error": "Unauthorized"})), Wire(always=(401, {"error": "Unauthorized"}))
        async with front(*wires) as host:
            with pytest.raises(Unavailable, match="refused our key"):
                await said(host)
            assert sum(len(wire.bodies) for wire in wires) == 1

    run(scene())


@pytest.mark.parametrize("fault", [DOWN, (502, ""), (504, "<html>"), [None], [event({"role": "assistant"}), None], []])
def test_another_server_is_tried_before_the_first_byte(fault):
    async def scene():
        wires = Wire(), Wire()
        async with front(*wires) as host:
            home, other = home_first(host, *wires)
            home.answers = [fault]
            assert await said(host) == "".join(HI)
            assert (len(home.bodies), len(other.bodies)) == (1, 1)

    run(scene())


def test_another_server_is_tried_where_one_refuses_the_connection(monkeypatch):
    monkeypatch.setattr(upstream_module, "PROBE_SECONDS", 60)  # so that the answers find out, and not a probe

    async def scene():
        wire, gone = Wire(), Wire()
        async with AsyncExitStack() as held:
            held_open = await held.enter_async_context(gone.open())
            async with front(wire, urls=(held_open.url,)) as host:
                await held.aclose()
                for text in map(str, range(60)):
                    assert await said(host, ask(text)) == "".join(HI)
                assert not of(host, gone).health.up, "it was left out after some failures"
                assert host.status.state == "ready"

    run(scene())


@pytest.mark.parametrize("fault", [[None], [event({}, finish="abort")], [b"data: {garbage\n\n"], []])
def test_nobody_else_is_tried_after_the_first_byte(fault):
    async def scene():
        wires = Wire(), Wire()
        async with front(*wires) as host:
            home, other = home_first(host, *wires)
            home.answers = [[event({"content": "The "}), *fault]]
            stream = host.engine().stream(ask())
            assert (await anext(stream)).text == "The "
            with pytest.raises(EngineLost):
                await anext(stream)
            assert (len(home.bodies), len(other.bodies)) == (1, 0)
            assert of(host, home).outstanding == 0

    run(scene())


@pytest.mark.parametrize(
    ("refusal", "problem"),
    [
        ((400, {"error": {"message": "odd", "code": 400}}), BadRequest),
        ((400, {"object": "error", "message": "maximum context length", "code": 400}), ContextOverflow),
        ((404, {"error": {"message": "no such model", "code": 404}}), Unavailable),
    ],
)  # fmt: skip
def test_a_refusal_is_an_answer(refusal, problem):
    async def scene():
        wires = Wire(always=refusal), Wire(always=refusal)
        async with front(*wires) as host:
            for _ in range(FAILURES + 1):
                with pytest.raises(problem):
                    await said(host)
            assert not all(wire.bodies for wire in wires), "all went to the conversation's home"
            assert host.status.why is None

    run(scene())


def test_a_stall_is_a_failure_and_another_is_tried_before_the_first_byte():
    async def scene():
        wires = Wire(), Wire()
        async with front(*wires, patience=Patience(0.2, 0.2)) as host:
            home, other = home_first(host, *wires)
            home.answers = [[asyncio.Event()], [event({"content": "a"}), asyncio.Event()]]
            assert await said(host) == "".join(HI)
            with pytest.raises(EngineLost):
                await said(host)
            assert (len(home.bodies), len(other.bodies)) == (2, 1)
            await until(lambda: home.running == 0)

    run(scene())


def test_no_request_is_tried_on_more_than_a_few_servers():
    async def scene():
        wires = [Wire(always=DOWN) for _ in range(5)]
        async with front(*wires) as host:
            with pytest.raises(EngineLost):
                await said(host)
            assert sum(len(wire.bodies) for wire in wires) == remote_module.ATTEMPTS == 3

    run(scene())


def test_a_server_whose_streams_are_cut_is_left_out_and_comes_back_when_they_are_not():
    async def scene():
        wires = Wire(), Wire()
        async with front(*wires) as host:
            home, other = home_first(host, *wires)
            cut = [event({"content": "a"}), None]
            home.answers = [cut] * FAILURES
            for _ in range(FAILURES):
                with pytest.raises(EngineLost):
                    await said(host)
            assert not of(host, home).health.up
            assert host.status.state == "ready" and host.status.why.startswith("1 of 2")
            assert await said(host) == "".join(HI) and len(other.bodies) == 1
            await until(lambda: of(host, home).health.up)
            assert not of(host, home).health.proven
            assert await said(host) == "".join(HI) and len(home.bodies) == FAILURES + 1
            assert of(host, home).health.proven and host.status.why is None

    run(scene())


def test_one_that_came_back_gets_a_single_answer_to_prove_itself():
    async def scene():
        wires = Wire(), Wire()
        async with front(*wires) as host:
            home, other = home_first(host, *wires)
            go = asyncio.Event()
            home.always = [go, *answered(*HI)]
            of(host, home).health._ejections = 1
            asked = [asyncio.create_task(said(host)) for _ in range(3)]
            await until(lambda: len(home.bodies) + len(other.bodies) == 3)
            assert len(home.bodies) == 1
            go.set()
            await asyncio.gather(*asked)

    run(scene())


def test_the_least_busy_is_asked_when_the_home_is_full():
    async def scene():
        wires = Wire(), Wire()
        async with front(*wires) as host:
            go = asyncio.Event()
            for wire in wires:
                wire.always = [go, *answered(*HI)]
            home, other = home_first(host, *wires)
            asked = []
            for number in range(1, 9):
                asked.append(asyncio.create_task(said(host)))
                await until(lambda number=number: sum(len(wire.bodies) for wire in wires) == number)
            assert (len(home.bodies), len(other.bodies)) == (5, 3), "apart by no more than the slack"
            go.set()
            await asyncio.gather(*asked)
            assert not any(one.outstanding for one in host._upstreams)

    run(scene())


def test_all_down():
    async def scene():
        wires = Wire(always=[None]), Wire(always=[None])
        async with front(*wires) as host:
            engine = host.engine()
            for _ in range(FAILURES * 2):
                for one in wires:
                    one.healthy = False
                try:
                    await said(host)
                except EngineLost:
                    continue
                except Unavailable:
                    break
            await until(lambda: host.status.state == "failed")
            with pytest.raises(Unavailable) as refused:
                async for _ in engine.stream(ask()):
                    pass
            assert (refused.value.code, refused.value.status) == ("engine_down", 503)
            assert 1 <= refused.value.retry_after <= 60

    run(scene())


def test_closing_the_stream_leaves_the_server():
    async def scene():
        wire = Sglang([event({"content": "a"}), asyncio.Event()])
        async with front(wire) as host:
            async with aclosing(host.engine().stream(ask())) as stream:
                await anext(stream)
                assert of(host, wire).outstanding == 1
            assert of(host, wire).outstanding == 0
            await until(lambda: wire.aborted and not wire.running)
            assert of(host, wire).health.proven, "a client that leaves says nothing about the server"

    run(scene())


def test_models_are_those_of_all_healthy_servers_and_each_is_asked_where_it_is():
    async def scene():
        one, two = Wire(models=(MODEL, "a")), Wire(models=(MODEL, "b"))
        async with front(one, two) as host:
            assert host.models == (MODEL, "a", "b")
            for _ in range(3):
                await said(host, ask(model="b"))
            assert [body["model"] for body in two.bodies] == ["b"] * 3 and not one.bodies
            with pytest.raises(Unavailable) as refused:
                await said(host, ask(model="c"))
            assert "does not have this model" in refused.value.sentence
            two.healthy = False
            await until(lambda: host.models == (MODEL, "a"))
            with pytest.raises(Unavailable) as refused:
                await said(host, ask(model="b"))
            assert "answering" in refused.value.sentence

    run(scene())


@pytest.mark.parametrize(("models", "asked"), [(("x", MODEL), MODEL), (("x", "y"), "x")])
def test_without_a_name_the_variants_model_is_asked_for_else_the_first(models, asked):
    async def scene():
        wire = Wire(models=models)
        async with front(wire) as host:
            await said(host, ask(model=None))
            assert wire.bodies[0]["model"] == asked

    run(scene())


def test_the_context_is_the_smallest_that_is_told_else_what_was_set():
    async def scene():
        one, two, three = Wire(), Sglang(), Router()
        one.max_model_len, two.max_model_len, three.max_model_len = 4096, 2048, None
        async with front(one, two, three) as host:
            assert host.engine().facts.max_model_len == 2048
        async with front(three) as host:
            assert host.engine().facts.max_model_len == 8192

    run(scene())


@pytest.mark.parametrize(
    "tokens",
    [
        {"<unused94>": [7, 8], "<unused95>": []},  # not one token
        {"<unused94>": ["100"], "<unused95>": [None]},
        {"<unused94>": None, "<unused95>": 3},
        {},  # the server fails
    ],
)
def test_ids_that_no_tokenizer_has_told_are_not_guessed(tokens):
    async def scene():
        wire = Wire()
        wire.tokens = tokens
        async with front(wire) as host:
            assert host.engine().facts.thinking_ids == (None, None)

    run(scene())


def test_ids_that_differ_between_servers_are_not_used():
    async def scene():
        one, two = Wire(), Wire()
        two.tokens = {"<unused94>": [7], "<unused95>": [8]}
        async with front(one, two) as host:
            assert host.engine().facts.thinking_ids == (None, None)

    run(scene())


@pytest.mark.parametrize("listing", [{"data": []}, {"data": [7]}, {"data": {"id": "x"}}, [], "x", None])
def test_a_server_that_lists_no_models_is_none(listing):
    class Odd(Wire):
        async def _models(self, request):
            from aiohttp import web

            return web.json_response(listing)

    async def scene():
        async with front(Odd()) as host:
            assert host.status.state == "failed" and host.status.why

    run(scene())


def test_a_listing_that_has_shown_to_be_old_is_asked_for_again(monkeypatch):
    monkeypatch.setattr(upstream_module, "LIST_EVERY", 10**6)

    async def scene():
        wire = Wire()
        async with front(wire) as host:
            wire.answers = [(404, {"error": {"message": "no", "code": 404}})]
            wire.models = ("another",)
            with pytest.raises(Unavailable):
                await said(host)
            await until(lambda: host.models == ("another",))

    run(scene())
