"""The official client of OpenAI, unchanged, against the real server: what it sends is understood, and the other way."""

import asyncio
from collections.abc import Iterator

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from tests.serving import Running, picture

ASK = [{"role": "user", "content": "What is visible?"}]
PLAIN = {"max_tokens": 8, "temperature": 0, "extra_body": {"thinking": "off"}}


@pytest.fixture(scope="module")
def client(server: Running) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def model(client: OpenAI) -> str:
    return client.models.list().data[0].id


def image(color: str, kind: str = "PNG") -> dict:
    return {"type": "image_url", "image_url": {"url": f"data:image/{kind.lower()};base64,{picture(color, kind=kind)}"}}


def words(*parts: dict) -> list[dict]:
    return [{"role": "user", "content": list(parts)}]


def ask(client: OpenAI, messages=ASK, **fields):
    return client.chat.completions.create(model="demo", messages=messages, **PLAIN | fields)


def test_the_models_are_listed_and_found(client: OpenAI, model: str):
    assert client.models.retrieve(model).id == model == "demo"
    with pytest.raises(openai.NotFoundError) as wrong:
        client.models.retrieve("google/medgemma-27b-it")
    assert wrong.value.code == "model_not_found"


def test_a_whole_answer(client: OpenAI):
    answer = ask(client)
    [choice] = answer.choices
    assert choice.message.role == "assistant" and choice.finish_reason in ("stop", "length")
    assert choice.message.reasoning_content is None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer.usage.completion_tokens <= 8 and answer.medserver["timings"]["ttft_ms"] > 0


def test_a_stream_is_the_whole_answer_in_pieces(client: OpenAI):
    chunks = list(ask(client, stream=True, stream_options={"include_usage": True}))
    *pieces, usage = chunks
    assert pieces[0].choices[0].delta.role == "assistant"
    text = "".join(piece.choices[0].delta.content or "" for piece in pieces)
    whole = ask(client)
    assert text == whole.choices[0].message.content
    assert pieces[-1].choices[0].finish_reason == whole.choices[0].finish_reason
    assert usage.choices == [] and usage.usage == whole.usage
    assert all(piece.usage is None for piece in pieces)
    assert len({chunk.id for chunk in chunks}) == 1


def test_the_clients_own_helper_for_streams(client: OpenAI):
    with client.chat.completions.stream(model="demo", messages=ASK, **PLAIN) as stream:
        pieces = [event.delta for event in stream if event.type == "content.delta"]
        completion = stream.current_completion_snapshot  # the final one is refused by the client where it is cut
    assert "".join(pieces) == completion.choices[0].message.content == ask(client).choices[0].message.content


def test_many_at_a_time_without_threads(server: Running, client: OpenAI):
    async def scene() -> list[str]:
        async with AsyncOpenAI(base_url=f"{server.url}/v1", api_key="x", max_retries=0, timeout=60) as many:

            async def streamed() -> str:
                stream = await many.chat.completions.create(model="demo", messages=ASK, stream=True, **PLAIN)
                return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

            return await asyncio.gather(*(streamed() for _ in range(4)))

    assert set(asyncio.run(scene())) == {ask(client).choices[0].message.content}


def test_a_stream_that_is_closed_frees_its_slot(server: Running, client: OpenAI):
    with ask(client, stream=True, max_tokens=1500, extra_body={"ignore_eos": True, "thinking": "off"}) as stream:
        next(iter(stream))
    server.until(lambda health: health["queue"]["active"] == 0, 5)


def test_images_are_read_in_the_order_of_the_parts(client: OpenAI):
    def answer(*colors: str):
        parts = [part for color in colors for part in ({"type": "text", "text": "Film:"}, image(color))]
        return ask(client, words(*parts), max_tokens=12)

    one_way, other_way = answer("white", "black"), answer("black", "white")
    assert one_way.usage.prompt_tokens == other_way.usage.prompt_tokens
    assert one_way.choices[0].message.content != other_way.choices[0].message.content


def test_thinking_comes_apart_from_the_answer(client: OpenAI):
    for switch in ({"thinking": "on"}, {"chat_template_kwargs": {"enable_thinking": True}}):
        message = ask(client, max_tokens=20, extra_body=switch).choices[0].message
        assert message.reasoning_content and message.content
        chunks = ask(client, max_tokens=20, extra_body=switch, stream=True)
        thoughts = [getattr(chunk.choices[0].delta, "reasoning_content", None) or "" for chunk in chunks]
        assert "".join(thoughts) == message.reasoning_content
        assert not any(marker in message.reasoning_content + message.content for marker in ("unused94>", "unused95>"))


def test_system_messages_are_the_clients_own_and_none_is_added(client: OpenAI):
    def tokens(*before: dict) -> int:
        return ask(client, [*before, *ASK], max_tokens=1).usage.prompt_tokens

    plain = tokens()
    system, developer = (tokens({"role": role, "content": "Be brief."}) for role in ("system", "developer"))
    assert plain < system == developer < plain + 30


@pytest.mark.parametrize("least", [{"ignore_eos": True}, {"min_tokens": 64}])
def test_a_benchmark_gets_exactly_as_many_tokens_as_it_asks_for(client: OpenAI, least: dict):
    for stop in (None, ["never to be found"]):
        fields = {"max_tokens": 64, "temperature": 1, "seed": 3, "stop": stop}
        answer = ask(client, **fields, extra_body={"thinking": "off", **least})
        assert (answer.usage.completion_tokens, answer.choices[0].finish_reason) == (64, "length")


def test_a_seed_repeats_itself(client: OpenAI):
    texts = {ask(client, temperature=1.5, seed=seed, max_tokens=12).choices[0].message.content for seed in (5, 5, 6)}
    assert len(texts) == 2


@pytest.mark.parametrize(
    ("fields", "kind", "code"),
    [
        ({"temperature": 3}, openai.BadRequestError, "sampling_out_of_range"),
        ({"logprobs": True}, openai.BadRequestError, "unsupported_parameter"),
        ({"n": 2}, openai.BadRequestError, "unsupported_parameter"),
        ({"response_format": {"type": "json_object"}}, openai.BadRequestError, "unsupported_parameter"),
        ({"max_tokens": 0}, openai.BadRequestError, "invalid_request"),
        ({"messages": []}, openai.BadRequestError, "invalid_request"),
        ({"messages": [{"role": "user", "content": "word " * 3000}]}, openai.BadRequestError, "context_overflow"),
        (
            {"messages": words({"type": "image_url", "image_url": {"url": "http://127.0.0.1/a.png"}})},
            openai.BadRequestError,
            "bad_image",
        ),
        (
            {"messages": words({"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}})},
            openai.BadRequestError,
            "bad_image",
        ),
        ({"model": "gpt-4"}, openai.NotFoundError, "model_not_found"),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
def test_refusals_raise_the_clients_own_errors(client: OpenAI, fields: dict, kind: type, code: str, stream: bool):
    with pytest.raises(kind) as wrong:
        client.chat.completions.create(**{"model": "demo", "messages": ASK, "stream": stream, **fields})
    error = wrong.value
    assert error.code == code and error.type == "invalid_request_error"
    assert error.request_id and error.body["message"]


def test_a_path_that_is_not_there_raises_too(client: OpenAI):
    with pytest.raises(openai.NotFoundError):
        client.embeddings.create(model="demo", input="x")


def test_too_often_and_too_many_raise_a_rate_limit_error(multimodal_checkpoint):
    with Running("-m", "demo", "--model-path", str(multimodal_checkpoint), "--rate-limit", "3/minute") as strict:
        strict.until_ready()
        with OpenAI(base_url=f"{strict.url}/v1", api_key="x", max_retries=0) as client:
            endless = {"max_tokens": 1500, "extra_body": {"ignore_eos": True, "thinking": "off"}}
            with ask(client, stream=True, **endless) as stream:
                next(iter(stream))
                with pytest.raises(openai.RateLimitError) as second:
                    ask(client)
            strict.until(lambda health: health["queue"]["active"] == 0, 5)
            ask(client, max_tokens=1)
            with pytest.raises(openai.RateLimitError) as third:
                ask(client)
    assert (second.value.code, third.value.code) == ("too_many_streams", "rate_limited")
    assert all(int(wrong.value.response.headers["retry-after"]) >= 1 for wrong in (second, third))


def test_an_engine_that_is_killed_in_mid_stream_raises_an_api_error(multimodal_checkpoint):
    with Running("-m", "demo", "--model-path", str(multimodal_checkpoint)) as running:
        running.until_ready()
        with OpenAI(base_url=f"{running.url}/v1", api_key="x", max_retries=0) as client:
            stream = ask(client, stream=True, max_tokens=1500, extra_body={"ignore_eos": True, "thinking": "off"})
            next(stream)
            running.worker().kill()
            with pytest.raises(openai.APIError) as wrong:
                list(stream)
            assert wrong.value.code == "engine_lost"
            with pytest.raises(openai.InternalServerError) as away:
                ask(client)
            assert away.value.status_code == 503


def test_the_old_chat_client_works_with_nothing_changed_but_the_address(client: OpenAI):
    """A Gradio client of this project's ancestor: one JPEG, a text, every knob, a stream."""
    stream = client.chat.completions.create(
        model="demo",
        messages=[
            {"role": "system", "content": "You are an expert radiologist."},
            {"role": "user", "content": [{"type": "text", "text": "Describe."}, image("gray", "JPEG")]},
        ],
        temperature=0.7,
        top_p=0.9,
        max_tokens=16,
        stream=True,
        extra_body={"top_k": 40},
    )
    said = [chunk.choices[0].delta.content for chunk in stream if chunk.choices[0].delta.content is not None]
    assert said and said[0] == ""
