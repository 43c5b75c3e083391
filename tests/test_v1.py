"""The door for OpenAI clients: the same corridor as /api/chat, and on this side of it only OpenAI's words."""

import asyncio
from dataclasses import replace

import orjson
import pytest

from medserver.chat import Sampling
from medserver.engine.base import Ask, End
from medserver.engine.client import EngineClient
from medserver.errors import BadRequest, EngineLost, InvalidRequest, OutOfMemory, Problem, TooMany, Unavailable
from medserver.events import Done, Queued, Thought, Timings, Token, Usage
from medserver.openai_door import problems, unsupported
from medserver.openai_door.completion import understood
from medserver.openai_door.wire import OpenAIWire
from medserver.schemas import ImagePart, TextPart
from tests.front import app_with, frames, until
from tests.scripted import FACTS, Exchange, ended, run

CANARY = "CANARY-7731"
A, B = "data:image/png;base64,QQ==", "data:image/jpeg;base64,Qg=="
USER = {"role": "user", "content": CANARY}
ENDING = Done("stop", Usage(7, 3), Timings(12.5, 40.0))
USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
COMPLETIONS = "/v1/chat/completions"


def asking(**fields) -> dict:
    return {"messages": [USER], **fields}


def image(url: str, **more) -> dict:
    return {"type": "image_url", "image_url": {"url": url, **more}}


def text(words: str) -> dict:
    return {"type": "text", "text": words}


def request(method: str = "POST", path: str = COMPLETIONS, headers=None, **fields) -> Exchange:
    body = orjson.dumps(asking(**fields)) if method == "POST" else b""
    return Exchange(body, path=path, method=method, headers=headers)


async def answered(*scripts, exchange: Exchange | None = None, problem=None, settings=None, **fields):
    """One request to the whole front: (its exchange, the engine's side of it)."""
    app, house, engine = app_with(*scripts, problem=problem, **(settings or {}))
    exchange = exchange or request(**fields)
    await exchange.of(app)
    assert (house.admission.active, house.admission.waiting, engine.open) == (0, 0, 0)
    return exchange, engine


def refused(**fields) -> Problem:
    with pytest.raises(Problem) as wrong:
        understood(asking(**fields))
    assert CANARY not in wrong.value.sentence
    return wrong.value


def test_a_stream_is_role_pieces_end_and_done():
    exchange, _ = run(answered(["The ", "heart", ended()], stream=True))
    assert exchange.headers["content-type"] == "text/event-stream; charset=utf-8"
    role, first, second, last, done = frames(exchange.body)
    assert done == "[DONE]"
    assert role["choices"] == [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]
    assert [one["choices"][0]["delta"] for one in (first, second)] == [{"content": "The "}, {"content": "heart"}]
    assert last["choices"] == [{"index": 0, "delta": {}, "finish_reason": "stop"}]
    assert last["medserver"]["finish_reason"] == "stop" and last["medserver"]["timings"]["ttft_ms"] >= 0
    chunks = (role, first, second, last)
    assert {one["id"] for one in chunks} == {f"chatcmpl-{exchange.headers['x-request-id']}"}
    assert {(one["object"], one["model"]) for one in chunks} == {("chat.completion.chunk", "demo")}
    assert not any("usage" in one or "medserver" in one for one in chunks[:-1])


def test_a_whole_answer_is_one_completion():
    exchange, _ = run(answered(["The ", "heart", ended("length")]))
    found = orjson.loads(exchange.body)
    assert (exchange.status, found["object"], found["usage"]) == (200, "chat.completion", USAGE)
    [choice] = found["choices"]
    assert choice["message"] == {
        "role": "assistant",
        "content": "The heart",
        "reasoning_content": None,
        "refusal": None,
    }
    assert (choice["index"], choice["finish_reason"], choice["logprobs"]) == (0, "length", None)
    assert found["id"].startswith("chatcmpl-") and isinstance(found["created"], int)


def test_usage_comes_in_a_last_chunk_of_its_own_and_is_null_before():
    exchange, _ = run(answered(["a", ended()], stream=True, stream_options={"include_usage": True}))
    *chunks, usage, _done = frames(exchange.body)
    assert usage["choices"] == [] and usage["usage"] == USAGE
    assert all(one["usage"] is None for one in chunks)


@pytest.mark.parametrize("stream", [True, False])
def test_thoughts_go_apart_and_their_markers_go_nowhere(stream):
    script = ["<unused94>thought\nlook ", "closer<unus", "ed95>A clear film.", ended()]
    exchange, _ = run(answered(script, stream=stream))
    assert b"unused9" not in exchange.body
    if stream:
        deltas = [one["choices"][0]["delta"] for one in frames(exchange.body)[:-1]]
        thought = "".join(delta.get("reasoning_content", "") for delta in deltas)
        answer = "".join(delta.get("content", "") for delta in deltas)
    else:
        message = orjson.loads(exchange.body)["choices"][0]["message"]
        thought, answer = message["reasoning_content"], message["content"]
    assert (thought, answer) == ("look closer", "A clear film.")


@pytest.mark.parametrize(("reason", "told"), [("repetition", "stop"), ("cancelled", "stop"), ("length", "length")])
def test_an_end_without_a_name_on_this_wire_is_a_stop_and_the_extra_field_says_which(reason, told):
    done = replace(ENDING, reason=reason)
    [last] = frames(OpenAIWire("r", "m").frame(done))[1:]
    whole = OpenAIWire("r", "m").whole("a", "", done)
    for found in (last, whole):
        assert found["choices"][0]["finish_reason"] == told
        extra = {"finish_reason": reason, "timings": {"ttft_ms": 12.5, "tokens_per_second": 40.0}}
        assert found["medserver"] == extra


def test_the_queue_is_a_comment_and_begins_nothing():
    wire = OpenAIWire("r", "m")
    assert wire.frame(Queued(2)) == b": queue 2\n\n"
    assert wire.frame(Token("a")).count(b'"role"') == 1
    assert wire.frame(Thought("b")).count(b'"role"') == 0


def test_each_chunk_is_one_line_whatever_the_text_holds():
    wire = OpenAIWire("r", "m", include_usage=True)
    for event in (Token("\n\ndata: [DONE]\n\n"), Thought('"\r\n\\肝'), ENDING):
        for part in wire.frame(event).split(b"\n\n")[:-1]:
            assert part.startswith(b"data: {") and b"\n" not in part and orjson.loads(part[6:])


def test_what_fails_in_mid_stream_is_an_error_frame_then_done():
    exchange, _ = run(answered(["a", EngineLost()], stream=True))
    *_, error, done = frames(exchange.body)
    assert done == "[DONE]"
    message = EngineLost().sentence
    assert error == {"error": {"message": message, "type": "server_error", "param": None, "code": "engine_lost"}}


def test_what_fails_before_the_first_piece_is_a_status():
    exchange, _ = run(answered([EngineLost()], stream=True))
    assert (exchange.status, orjson.loads(exchange.body)["error"]["code"]) == (503, "engine_lost")
    assert exchange.headers["retry-after"] == "5"


def test_a_client_that_leaves_stops_the_work():
    async def scene():
        app, house, engine = app_with(["a", asyncio.Event()])
        exchange = request(stream=True)
        task = exchange.of(app)
        await until(lambda: engine.open)
        exchange.left.set()
        await task
        assert (house.admission.active, engine.open) == (0, 0)

    run(scene())


def test_the_servers_own_system_prompt_is_not_added():
    _, engine = run(answered(["a", ended()]))
    assert engine.asks[0].messages == [{"role": "user", "content": CANARY}]


def test_system_and_developer_messages_become_the_system_text():
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "developer", "content": [text("In German.")]},
        USER,
    ]
    _, engine = run(answered(["a", ended()], messages=messages))
    assert engine.asks[0].messages[0] == {"role": "system", "content": "Be brief.\n\nIn German."}


def test_everything_that_can_be_set_reaches_the_engine():
    sent = {"temperature": 1, "top_p": 0.5, "top_k": 40, "seed": 7, "stop": "END", "repetition_penalty": 1.1}
    sent |= {"max_tokens": 5, "max_completion_tokens": 9, "min_tokens": 4, "ignore_eos": True}
    _, engine = run(answered(["a", ended()], **sent))
    sampling = engine.asks[0].sampling
    assert (sampling.temperature, sampling.top_p, sampling.top_k, sampling.seed) == (1, 0.5, 40, 7)
    assert (sampling.stop, sampling.repetition_penalty) == (("END",), 1.1)
    assert (sampling.max_tokens, sampling.min_tokens, sampling.ignore_eos) == (9, 4, True)


@pytest.mark.parametrize(("left", "least"), [(9, 4), (3, 3)])
def test_what_benchmarks_ask_for_goes_on_to_any_engine(left, least):
    ask = Ask([], Sampling(9, 0.0, 1.0, min_tokens=4, ignore_eos=True), max_tokens=left)
    sent = orjson.loads(EngineClient(None, "m", FACTS)._body(ask))
    assert (sent["ignore_eos"], sent["min_tokens"], sent["max_tokens"]) == (True, least, left)
    usual = orjson.loads(EngineClient(None, "m", FACTS)._body(replace(ask, sampling=Sampling(9, 0.0, 1.0))))
    assert not {"ignore_eos", "min_tokens"} & set(usual)


def test_a_null_is_as_good_as_nothing():
    names = {*unsupported.HARMLESS, "model", "stop", "stream", "stream_options", "max_tokens", "top_k", "temperature"}
    names |= {"min_tokens", "ignore_eos", "thinking", "chat_template_kwargs", "max_completion_tokens", "seed", "user"}
    assert understood(asking(**dict.fromkeys(names))) == understood(asking())


def test_a_top_k_of_minus_one_means_all():
    assert understood(asking(top_k=-1)).chat.top_k == 0


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "auto"),
        ({"thinking": "on"}, "on"),
        ({"chat_template_kwargs": {"enable_thinking": True}}, "on"),
        ({"chat_template_kwargs": {"enable_thinking": False, "other": 1}}, "off"),
        ({"chat_template_kwargs": {}}, "auto"),
        ({"thinking": "auto", "chat_template_kwargs": {"enable_thinking": True}}, "auto"),
    ],
)
def test_thinking_is_switched_here_or_as_other_servers_have_it(fields, expected):
    assert understood(asking(**fields)).chat.thinking == expected


def test_images_keep_their_places_between_the_texts():
    content = [text("prior"), image(A, detail="high"), text("current"), image(B)]
    [message] = understood({"messages": [{"role": "user", "content": content}]}).chat.messages
    assert message.image_data == [A, B]
    assert [type(part) for part in message.content] == [TextPart, ImagePart, TextPart, ImagePart]


@pytest.mark.parametrize("url", ["http://host/a.png", "https://host/a.png", "file:///etc/passwd", "/etc/passwd", ""])
def test_an_image_is_a_data_url_and_is_never_fetched(url):
    wrong = refused(messages=[{"role": "user", "content": [text(CANARY), image(url)]}])
    assert (wrong.status, wrong.code, wrong.field) == (400, "bad_image", "messages.0.content.1.image_url.url")
    assert "data: URL" in wrong.sentence


@pytest.mark.parametrize("role", ["system", "assistant"])
def test_only_a_user_sends_images(role):
    assert refused(messages=[{"role": role, "content": [image(A)]}, USER]).field == "messages.0.content"


@pytest.mark.parametrize("kind", ["input_audio", "file", "video_url", "refusal"])
def test_a_part_of_another_kind_is_refused_by_name(kind):
    wrong = refused(messages=[{"role": "user", "content": [{"type": kind, kind: {"data": CANARY}}]}])
    assert (wrong.code, wrong.field) == ("unsupported_parameter", "messages.0.content.0.type")
    assert kind in wrong.sentence


def test_a_part_of_an_unknown_kind_is_not_repeated():
    assert refused(messages=[{"role": "user", "content": [{"type": CANARY}]}]).code == "unsupported_parameter"


ASKED_FOR = [
    ("logprobs", True),
    ("top_logprobs", 3),
    ("n", 2),
    ("best_of", 4),
    ("tools", [{"type": "function", "function": {"name": "f"}}]),
    ("functions", [{"name": "f"}]),
    ("tool_choice", "auto"),
    ("response_format", {"type": "json_object"}),
    ("logit_bias", {"5": 1}),
    ("audio", {"voice": "x"}),
    ("modalities", ["text", "audio"]),
    ("frequency_penalty", 0.5),
    ("presence_penalty", -1),
    ("suffix", "x"),
    ("echo", True),
    ("reasoning_effort", "high"),
    ("min_p", 0.1),
    ("structured_outputs", {"json": {}}),
]


@pytest.mark.parametrize(("name", "value"), ASKED_FOR)
def test_what_cannot_be_honoured_is_refused_by_name(name, value):
    wrong = refused(**{name: value})
    assert (wrong.status, wrong.code, wrong.field) == (400, "unsupported_parameter", name)
    assert wrong.sentence.startswith(f"{name}: ")


@pytest.mark.parametrize(("name", "values"), unsupported.HARMLESS.items())
def test_what_asks_for_nothing_is_let_through(name, values):
    for value in values:
        assert understood(asking(**{name: value})) == understood(asking())


def test_unknown_fields_are_ignored():
    message = {**USER, "name": "x", "reasoning_content": "a thought of before"}
    assert understood({"messages": [message], "user": "x", "made_up": [1]}) == understood(asking())


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"messages": []}, "messages"),
        ({"messages": CANARY}, "messages"),
        ({"messages": [{"role": "user"}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": None}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages.0.content.0.text"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages.0.content.0.image_url"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.role"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": "5"}, "max_tokens"),
        ({"temperature": CANARY}, "temperature"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": True}, "stream_options"),
        ({"thinking": CANARY}, "thinking"),
        ({"chat_template_kwargs": {"enable_thinking": "x"}}, "chat_template_kwargs.enable_thinking"),
        ({"min_tokens": -1}, "min_tokens"),
        ({"top_k": -2}, "top_k"),
        ({"model": 5}, "model"),
    ],
)
def test_a_wrong_field_is_named(fields, field):
    wrong = refused(**fields)
    assert isinstance(wrong, InvalidRequest)
    assert wrong.field == field and wrong.sentence.startswith(field)


@pytest.mark.parametrize("fields", [None, 5, [], "x"])
def test_a_body_that_is_no_object_is_refused(fields):
    with pytest.raises(InvalidRequest):
        understood(fields)


def test_a_history_with_tools_in_it_is_refused_and_an_empty_answer_is_not():
    messages = [USER, {"role": "assistant", "content": None, "tool_calls": [{"id": "x"}]}, USER]
    assert refused(messages=messages).field == "messages.1.tool_calls"
    assert understood({"messages": [USER, {"role": "assistant", "content": None}, USER]})


REFUSALS = [
    ({"temperature": 9}, 400, "sampling_out_of_range", "temperature"),
    ({"temperature": "warm"}, 400, "invalid_request", "temperature"),
    ({"max_tokens": 3, "min_tokens": 4}, 400, "invalid_request", "min_tokens"),
    ({"stop": ["x"] * 17}, 400, "invalid_request", "stop"),
    ({"model": "gpt-4"}, 404, "model_not_found", "model"),
    ({"messages": [{"role": "user", "content": "x" * 50_001}]}, 400, "text_too_long", None),
    ({"tools": [{}]}, 400, "unsupported_parameter", "tools"),
]


@pytest.mark.parametrize(("fields", "status", "code", "param"), REFUSALS)
def test_refusals_are_openais_error_object(fields, status, code, param):
    exchange, _ = run(answered(**fields))
    error = orjson.loads(exchange.body)["error"]
    assert (exchange.status, error["code"], error["param"]) == (status, code, param)
    assert error["type"] == "invalid_request_error" and error["message"]
    assert len(exchange.headers["x-request-id"]) == 32


def test_no_other_shape_of_refusal_is_found_here():
    async def scene():
        loading = Unavailable("The model is still loading.", code="loading", retry_after=5)
        cases = [
            (Exchange(b"{", path=COMPLETIONS), None, 400, "invalid_request"),
            (Exchange(b"", path=COMPLETIONS, headers={"content-length": str(10**12)}), None, 413, "payload_too_large"),
            (request("GET"), None, 405, "bad_method"),
            (request("GET", "/v1/nothing"), None, 404, "not_found"),
            (request("POST", "/v1/completions"), None, 404, "not_found"),
            (request("GET", "/v1"), None, 404, "not_found"),
            (request(), loading, 503, "loading"),
            (request(), RuntimeError(CANARY), 500, "internal"),
        ]
        for exchange, problem, status, code in cases:
            await answered(exchange=exchange, problem=problem)
            body = orjson.loads(exchange.body)
            assert (exchange.status, body["error"]["code"]) == (status, code)
            assert set(body) == {"error"} and set(body["error"]) == {"message", "type", "param", "code"}
            assert CANARY not in str(body)

    run(scene())


def test_other_paths_keep_their_own_shape():
    exchange, _ = run(answered(exchange=request("GET", "/v12/nothing")))
    assert orjson.loads(exchange.body) == {"detail": "There is nothing here.", "code": "not_found"}


def test_too_many_requests_say_when_to_come_again():
    async def scene():
        app, *_ = app_with(["a", ended()], rate_limit="1/minute")
        await request().of(app)
        again = request()
        await again.of(app)
        assert (again.status, orjson.loads(again.body)["error"]["type"]) == (429, "rate_limit_error")
        assert 1 <= int(again.headers["retry-after"]) <= 60

    run(scene())


@pytest.mark.parametrize(
    ("problem", "status", "kind"),
    [
        (BadRequest("x"), 400, "invalid_request_error"),
        (InvalidRequest("x"), 400, "invalid_request_error"),
        (TooMany("x"), 429, "rate_limit_error"),
        (Unavailable("x"), 503, "server_error"),
        (OutOfMemory(), 507, "server_error"),
    ],
)
def test_each_problem_has_the_status_and_type_that_clients_know(problem, status, kind):
    assert (problems.status(problem), problems.body(problem)["error"]["type"]) == (status, kind)


def test_what_memory_has_no_room_for_is_not_asked_again():
    exchange, _ = run(answered([OutOfMemory()]))
    assert (exchange.status, exchange.headers["x-should-retry"]) == (507, "false")


def test_the_models_are_the_one_that_is_served():
    async def scene():
        app, *_ = app_with()
        listing, card, other = (request("GET", f"/v1/models{rest}") for rest in ("", "/demo", "/google/other"))
        for exchange in (listing, card, other):
            await exchange.of(app)
        models = orjson.loads(listing.body)
        assert models["object"] == "list" and [one["id"] for one in models["data"]] == ["demo"]
        assert orjson.loads(card.body) == models["data"][0]
        assert models["data"][0]["object"] == "model" and models["data"][0]["max_model_len"] == 8192
        assert (other.status, orjson.loads(other.body)["error"]["code"]) == (404, "model_not_found")

    run(scene())


@pytest.mark.parametrize("model", [None, "", "demo", "MedServer demo"])
def test_the_model_may_be_left_out_or_called_by_any_of_its_names(model):
    exchange, _ = run(answered(["a", ended()], model=model))
    assert (exchange.status, orjson.loads(exchange.body)["model"]) == (200, "demo")


def test_any_key_will_do():
    exchange, _ = run(answered(["a", ended()], exchange=request(headers={"authorization": "Bearer none"})))
    assert exchange.status == 200


def test_sampling_that_the_server_keeps_to_itself_is_kept_here_too():
    settings = {"allow_client_sampling_config": False, "default_temperature": 0.2}
    _, engine = run(answered(["a", ended()], settings=settings, temperature=1.5, top_k=3, seed=4))
    sampling = engine.asks[0].sampling
    assert (sampling.temperature, sampling.top_k, sampling.seed) == (0.2, 0, 4)


def test_a_thought_that_is_cut_off_keeps_the_counts_whole():
    script = ["<unused94>thought\n", *["x"] * 8], ["answer", End("stop", Usage(20, 2))]
    exchange, engine = run(answered(*script, max_tokens=8, min_tokens=8))
    found = orjson.loads(exchange.body)
    assert found["choices"][0]["message"]["content"] == "answer"
    assert len(engine.asks) == 2 and found["usage"]["completion_tokens"] >= 2


def test_an_engine_knows_clients_apart_but_not_who_they_are():
    async def salts(*addresses: str) -> list[str]:
        """Of one run of the server."""
        app, _, engine = app_with(*(["a", ended()] for _ in addresses))
        for address in addresses:
            exchange = Exchange(orjson.dumps(asking()), path=COMPLETIONS, client=address)
            await exchange.of(app)
            assert exchange.status == 200
        return [ask.cache_salt for ask in engine.asks]

    first, again, other = run(salts("192.0.2.1", "192.0.2.1", "192.0.2.2"))
    assert first == again != other and "192.0.2.1" not in first
    assert run(salts("192.0.2.1")) != [first], "nor one run from another"


def test_the_model_that_was_asked_for_reaches_the_engine_and_is_named_in_the_answer(monkeypatch):
    monkeypatch.setattr("tests.scripted.MODELS", ("demo", "other"))
    for asked, reached, named in (("other", "other", "other"), (None, None, "demo"), ("demo", "demo", "demo")):
        exchange, engine = run(answered(["a", ended()], model=asked))
        assert (engine.asks[0].model, orjson.loads(exchange.body)["model"]) == (reached, named)
