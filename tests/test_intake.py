"""After intake a chat keeps every limit: what breaks one is refused with its own code, and decoded never."""

import asyncio
import base64

import pytest

from medserver.catalogue import Catalogue
from medserver.chat import Image
from medserver.config import MAX_STOP_STRINGS, Settings
from medserver.engine.base import Serving
from medserver.errors import BadRequest, InvalidRequest, NotFound, PayloadTooLarge, Refusal
from medserver.forms import validated
from medserver.intake import Intake
from medserver.models import VARIANTS
from medserver.schemas import AnalyzeForm, ChatRequest
from tests.scripted import run, turns

CANARY = "CANARY-7731"
MB = Settings(model="demo", max_payload_mb=1).max_image_bytes
HI = {"role": "user", "content": "hi"}


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


class Decoders:
    """Takes every payload for a picture; `bad` ones are refused, those in `slow` take their time."""

    def __init__(self, bad=(), slow=()):
        self.seen: list[bytes] = []
        self.bad, self.slow = bad, slow

    async def decode(self, payload: bytes, *, base64_encoded: bool) -> Image:
        data = base64.b64decode(payload) if base64_encoded else payload
        if data in self.slow:
            await turns(20)
        self.seen.append(data)
        if data in self.bad:
            raise BadRequest("The image is damaged.", code="bad_image")
        return Image(data)


def intake(decoders=None, supports_images=True, **settings) -> Intake:
    serving = Serving(VARIANTS["demo"], "nowhere", supports_images, 32, 16)
    catalogue = Catalogue(serving.variant, lambda: ("demo", "other"), lambda: 8192)
    return Intake(Settings(model="demo", **settings), serving, decoders or Decoders(), catalogue)


def chat(*messages, into: Intake | None = None, **fields):
    request = validated(ChatRequest, {"messages": list(messages) or [HI], **fields})
    return run((into or intake()).chat(request))


def refused(*messages, into: Intake | None = None, kind=BadRequest, **fields) -> Refusal:
    with pytest.raises(kind) as wrong:
        chat(*messages, into=into, **fields)
    assert CANARY not in wrong.value.sentence
    return wrong.value


def user(content="x", *images: str) -> dict:
    return {"role": "user", "content": content, "image_data": list(images)}


def test_a_chat_comes_through_as_it_was_said():
    said = chat({"role": "system", "content": "s"}, HI, {"role": "assistant", "content": "a"}, HI, system_prompt="own")
    assert [(turn.role, turn.parts) for turn in said.turns] == [
        ("system", ("s",)),
        ("user", ("hi",)),
        ("assistant", ("a",)),
        ("user", ("hi",)),
    ]
    assert (said.system_prompt, said.thinking, said.has_images) == ("own", "auto", False)


def test_null_and_empty_system_prompts_stay_different():
    assert chat(system_prompt=None).system_prompt is None
    assert chat(system_prompt="").system_prompt == ""


def test_as_many_messages_as_allowed_are_taken_and_one_more_is_not():
    into = intake(max_history_messages=3)
    assert len(chat(HI, HI, HI, into=into).turns) == 3
    assert refused(HI, HI, HI, HI, into=into).code == "too_many_messages"


@pytest.mark.parametrize("role", ["system", "user", "assistant"])
def test_a_message_as_long_as_allowed_is_taken_and_a_longer_one_is_not(role):
    into = intake(max_text_length=12)
    chat({"role": role, "content": CANARY + "x"}, into=into)
    assert refused({"role": role, "content": CANARY + "xx"}, into=into).code == "text_too_long"


def test_characters_are_counted_and_not_bytes():
    chat({"role": "user", "content": "肝" * 12}, into=intake(max_text_length=12, max_conversation_length=12))


def test_the_parts_of_a_message_count_together():
    parts = [{"type": "text", "text": CANARY}, {"type": "text", "text": "xx"}]
    assert refused(user(parts), into=intake(max_text_length=12)).code == "text_too_long"


def test_a_system_prompt_is_limited_like_a_message():
    assert refused(into=intake(max_text_length=10), system_prompt=CANARY).code == "text_too_long"


def test_a_conversation_as_long_as_allowed_is_taken_and_a_longer_one_is_not():
    into = intake(max_conversation_length=25)
    long = {"role": "user", "content": CANARY}
    chat(long, long, into=into, system_prompt="xxx")
    assert refused(long, long, into=into, system_prompt="xxxx").code == "conversation_too_long"


def test_images_do_not_count_as_text():
    chat(user("x", b64(bytes(600))), into=intake(max_text_length=5, max_conversation_length=5))


def test_as_many_images_as_allowed_are_taken_and_one_more_is_not():
    decoders = Decoders()
    into = intake(decoders, max_image_count=2)
    assert chat(user("x", "YQ==", "Yg=="), user("y", "Yw==", "ZA=="), into=into).has_images
    decoders.seen.clear()
    assert refused(user("x", "YQ==", "YQ==", "YQ=="), into=into).code == "too_many_images"
    assert not decoders.seen


def test_no_images_at_all_may_be_the_limit():
    assert refused(user("x", "YQ=="), into=intake(max_image_count=0)).code == "too_many_images"


def test_an_image_as_large_as_allowed_is_taken_and_a_larger_one_is_not():
    decoders = Decoders()
    into = intake(decoders, max_payload_mb=1)
    chat(user("x", b64(bytes(MB // 3 * 3))), into=into)
    decoders.seen.clear()
    wrong = refused(user("x", "YQ==", b64(bytes(MB + 3))), into=into, kind=PayloadTooLarge)
    assert (wrong.status, wrong.code) == (413, "payload_too_large")
    assert not decoders.seen


def test_a_text_model_takes_no_images_and_says_so():
    into = intake(supports_images=False)
    assert chat(into=into)
    assert refused(user("x", "YQ=="), into=into).code == "images_not_supported"
    with pytest.raises(BadRequest) as wrong:
        run(into.analyze(AnalyzeForm(), [b"a"]))
    assert wrong.value.code == "images_not_supported"


A, B, C = b64(b"a"), b64(b"b"), b64(b"c")
MARK = {"type": "image"}


def text(words):
    return {"type": "text", "text": words}


@pytest.mark.parametrize(
    ("content", "images", "parts"),
    [
        ("x", [A, B], (b"a", b"b", "x")),
        ([text("x")], [A], (b"a", "x")),
        ([text("x"), MARK, text("y"), MARK], [A, B], ("x", b"a", "y", b"b")),
        ([text("x"), MARK, text("y")], [A, B, C], (b"a", b"b", "x", b"c", "y")),
        ([MARK], [A], (b"a",)),
        ([], [A], (b"a",)),
        ([], [], ()),
        ("", [], ("",)),
    ],
)
def test_images_stand_where_they_are_marked_and_the_others_first(content, images, parts):
    [turn] = chat(user(content, *images)).turns
    assert tuple(part.png if isinstance(part, Image) else part for part in turn.parts) == parts


def test_images_keep_their_places_when_the_first_is_the_slowest():
    into = intake(Decoders(slow=[b"a"]))
    [turn] = chat(user("x", A, B, C), into=into).turns
    assert [part.png for part in turn.parts[:3]] == [b"a", b"b", b"c"]


def test_more_marks_than_images_are_refused_by_name():
    wrong = refused(HI, user([MARK, MARK], A), kind=InvalidRequest)
    assert wrong.sentence.startswith("messages.1.image_data:")


@pytest.mark.parametrize("role", ["system", "assistant"])
def test_only_a_users_message_carries_images(role):
    wrong = refused({"role": role, "content": "x", "image_data": [A]}, kind=InvalidRequest)
    assert wrong.sentence.startswith("messages.0.image_data:")


@pytest.mark.parametrize(
    "given",
    [
        b64(b"abc"),
        f" {b64(b'abc')}\n",
        f"data:image/png;base64,{b64(b'abc')}",
        f"data:;base64,{b64(b'abc')}",
        f"DATA:image/jpeg;BASE64,{b64(b'abc')}",
        f"data:image/png;name=x.png;base64,{b64(b'abc')}",
    ],
)
def test_base64_and_data_urls_are_images(given):
    [turn] = chat(user("x", given)).turns
    assert turn.parts[0] == Image(b"abc")


@pytest.mark.parametrize(
    "given",
    [
        "",
        "  ",
        "data:",
        "data:image/png;base64",
        "data:image/png;base64,",
        f"data:image/png,{CANARY}",
        f"data:image/png;charset=utf-8,{CANARY}",
        "肝",
        "YQ\u00a0==",
    ],
)
def test_what_is_neither_is_refused_before_it_reaches_a_decoder(given):
    decoders = Decoders()
    assert refused(user("x", given), into=intake(decoders)).code == "bad_image"
    assert not decoders.seen


@pytest.mark.parametrize(
    "given",
    [
        "/etc/passwd",
        "file:///etc/passwd",
        f"http://127.0.0.1:1/{CANARY}.png",
        f"https://host/{CANARY}",
        f"C:\\scans\\{CANARY}.png",
        f"data:text/plain,{CANARY}",
        "@scan.png",
    ],
)
def test_a_path_or_a_url_is_never_fetched_and_is_a_bad_image(given):
    from medserver.imaging.pixels import Unreadable, square_png

    class Real(Decoders):
        async def decode(self, payload, *, base64_encoded):
            try:
                return Image(square_png(payload, base64_encoded=base64_encoded, side=8))
            except Unreadable as reason:
                raise BadRequest(str(reason), code="bad_image") from None

    assert refused(user("x", given), into=intake(Real())).code == "bad_image"


def test_one_bad_image_refuses_the_whole_chat():
    assert refused(user("x", A, B), into=intake(Decoders(bad=[b"b"]))).code == "bad_image"


def test_after_a_bad_image_no_further_one_is_decoded():
    async def scene():
        decoders = Decoders(bad=[b"a"], slow=[b"b"])
        with pytest.raises(BadRequest):
            await intake(decoders).chat(validated(ChatRequest, {"messages": [user("x", A, B)]}))
        await turns(50)
        assert decoders.seen == [b"a"]

    run(scene())


def test_sampling_falls_back_to_the_servers_defaults():
    into = intake(default_temperature=0.4, default_top_p=0.8)
    sampling = chat(into=into).sampling
    assert (sampling.temperature, sampling.top_p, sampling.top_k, sampling.repetition_penalty) == (0.4, 0.8, 0, 1.0)
    assert (sampling.seed, sampling.stop) == (None, ())


def test_sampling_of_the_client_is_taken():
    sent = {
        "temperature": 0.0,
        "top_p": 0.01,
        "top_k": 7,
        "repetition_penalty": 1.3,
        "seed": 0,
        "stop": "END",
        "max_tokens": 9,
    }
    sampling = chat(**sent).sampling
    assert {name: getattr(sampling, name) for name in sent} == sent | {"stop": ("END",)}


@pytest.mark.parametrize(
    ("field", "value"), [("temperature", -0.01), ("temperature", 2.01), ("top_p", 0.0), ("top_p", 1.01), ("top_p", -1)]
)
def test_sampling_out_of_range_is_refused_by_name(field, value):
    wrong = refused(**{field: value})
    assert wrong.code == "sampling_out_of_range"
    assert field in wrong.sentence


@pytest.mark.parametrize(("field", "value"), [("temperature", 0), ("temperature", 2), ("top_p", 0.01), ("top_p", 1)])
def test_the_ends_of_the_range_belong_to_it(field, value):
    assert getattr(chat(**{field: value}).sampling, field) == value


def test_where_clients_may_not_choose_only_seed_stop_and_length_are_theirs():
    into = intake(allow_client_sampling_config=False)
    sent = {
        "temperature": 1.9,
        "top_p": 0.2,
        "top_k": 7,
        "repetition_penalty": 3.0,
        "seed": 5,
        "stop": ["."],
        "max_tokens": 9,
    }
    sampling = chat(into=into, **sent).sampling
    assert (sampling.temperature, sampling.top_p, sampling.top_k, sampling.repetition_penalty) == (0.3, 0.95, 0, 1.0)
    assert (sampling.seed, sampling.stop, sampling.max_tokens) == (5, (".",), 9)


def test_stop_strings_are_few_and_not_empty():
    assert len(chat(stop=["x"] * MAX_STOP_STRINGS).sampling.stop) == MAX_STOP_STRINGS
    for stop in (["x"] * (MAX_STOP_STRINGS + 1), [""], "", ["a", ""]):
        assert refused(stop=stop, kind=InvalidRequest).sentence.startswith("stop:")


def test_the_model_may_be_named_but_none_that_is_not_here():
    for name in (None, "", VARIANTS["demo"].name):
        assert chat(model=name).model is None, "the default one"
    assert [chat(model=name).model for name in ("demo", "other")] == ["demo", "other"]
    problem = refused(model=CANARY, kind=NotFound)
    assert problem.code == "model_not_found" and CANARY not in problem.sentence


def analyze(images, into=None, **fields):
    return run((into or intake()).analyze(validated(AnalyzeForm, fields), images))


def test_an_analysis_is_one_question_with_its_images_first():
    asked = analyze([b"a", b"b"], prompt="why?", thinking="on", temperature="0.1", max_tokens="5")
    [turn] = asked.turns
    assert (turn.role, turn.parts) == ("user", (Image(b"a"), Image(b"b"), "why?"))
    assert (asked.system_prompt, asked.thinking) == (None, "on")
    assert (asked.sampling.temperature, asked.sampling.max_tokens) == (0.1, 5)


@pytest.mark.parametrize(
    ("images", "settings", "fields", "code"),
    [
        ([], {}, {}, "invalid_request"),
        ([b"a"] * 3, {"max_image_count": 2}, {}, "too_many_images"),
        ([bytes(MB + 1)], {"max_payload_mb": 1}, {}, "payload_too_large"),
        ([b"a"], {"max_text_length": 5}, {"prompt": "longer"}, "text_too_long"),
        ([b"a"], {}, {"temperature": "3"}, "sampling_out_of_range"),
    ],
)
def test_the_limits_of_an_analysis_are_those_of_a_chat(images, settings, fields, code):
    with pytest.raises(Refusal) as wrong:
        analyze(images, intake(**settings), **fields)
    assert wrong.value.code == code


def test_the_limit_of_a_conversation_holds_for_an_analysis():
    with pytest.raises(BadRequest):
        analyze([b"a"], intake(max_conversation_length=5), prompt="longer")


def test_the_check_of_lengths_does_not_wait_for_an_image():
    async def scene():
        never = asyncio.Event()

        class Stuck(Decoders):
            async def decode(self, payload, *, base64_encoded):
                await never.wait()

        request = validated(ChatRequest, {"messages": [user("x" * 99, A)]})
        with pytest.raises(BadRequest):
            await intake(Stuck(), max_text_length=9).chat(request)

    run(scene())
