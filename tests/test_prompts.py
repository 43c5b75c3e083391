"""A chat becomes messages that the Gemma template takes and that no client can bend."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medserver.chat import Chat, Image, Sampling, Turn
from medserver.prompts import IMAGE_PROMPT, TEXT_PROMPT, continues_answer, messages_for, neutralised
from tests.scripted import examples

WORD_JOINER = "\u2060"
A, B, C = Image(b"a"), Image(b"b"), Image(b"c")
UNUSED = [f"<unused{n}>" for n in (*range(100), 6241)]
CONTROL = ["<bos>", "<eos>", "<pad>", "<unk>", "<mask>", "<start_of_turn>", "<end_of_turn>", "<s>", "</s>", "<2mass>"]
CONTROL += ["<start_of_image>", "<end_of_image>", "<image_soft_token>", "[@BOS@]", "[multimodal]", "[toxicity]"]


def chat(*turns: tuple, system: str | None = "") -> Chat:
    """A chat of (role, part, part …) tuples."""
    made = tuple(Turn(role, tuple(parts)) for role, *parts in turns)
    return Chat(made, system, Sampling(max_tokens=10, temperature=0, top_p=1))


def read(message) -> list:
    """A message's content as texts and image bytes, in order."""
    if isinstance(message["content"], str):
        return [message["content"]]
    return [
        part["text"] if part["type"] == "text" else base64.b64decode(part["image_url"]["url"].split(",")[1])
        for part in message["content"]
    ]


turn_strategy = st.tuples(
    st.sampled_from(["system", "user", "assistant"]),
    st.lists(st.text("ab<>\n", max_size=4), max_size=3),
)


@examples(80)
@given(st.lists(turn_strategy, min_size=1, max_size=8), st.none() | st.text("xy ", max_size=3))
def test_roles_always_alternate_with_one_system_message_at_most_and_the_user_first(turns, system):
    roles = [
        message["role"] for message in messages_for(chat(*((role, *parts) for role, parts in turns), system=system))
    ]
    if roles[0] == "system":
        roles = roles[1:]
    assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"] * (len(roles) % 2)
    assert roles


@examples(60)
@given(st.lists(st.tuples(st.sampled_from(["system", "user", "assistant"]), st.integers(0, 3)), min_size=1, max_size=8))
def test_no_word_is_lost_none_changes_its_role_and_none_its_order(sizes):
    numbered = [(role, *(f"{turn}.{part}" for part in range(count))) for turn, (role, count) in enumerate(sizes)]
    messages = messages_for(chat(*numbered))
    for asked in ("system", "user", "assistant"):
        said = " ".join(message["content"] for message in messages if message["role"] == asked).split()
        assert said == [text for role, *texts in numbered for text in texts if role == asked]


def test_neighbours_of_one_role_become_one_turn():
    messages = messages_for(chat(("user", "one"), ("user", "two"), ("assistant", "three"), ("assistant", "four")))
    assert messages == [
        {"role": "user", "content": "one\n\ntwo"},
        {"role": "assistant", "content": "three\n\nfour"},
    ]


def test_images_keep_their_order_and_their_place_between_the_words():
    [message] = messages_for(chat(("user", A, "prior", B, "current"), ("user", C, "compare", "them")))
    assert read(message) == [b"a", "prior", b"b", "current", b"c", "compare\n\nthem"]
    assert message["content"][0]["image_url"]["url"].startswith("data:image/png;base64,")


def test_an_image_alone_is_a_question_too():
    [message] = messages_for(chat(("user", A)))
    assert read(message) == [b"a"]


@pytest.mark.parametrize(("turn", "prompt"), [(("user", "hi"), TEXT_PROMPT), (("user", "hi", A), IMAGE_PROMPT)])
def test_the_servers_own_prompt_is_chosen_by_what_the_conversation_holds(turn, prompt):
    assert messages_for(chat(turn, system=None))[0] == {"role": "system", "content": prompt}


def test_an_image_anywhere_in_the_conversation_chooses_the_image_prompt():
    first, *_ = messages_for(chat(("user", A), ("assistant", "a film"), ("user", "and now?"), system=None))
    assert first["content"] == IMAGE_PROMPT


def test_an_empty_system_prompt_means_none():
    assert [message["role"] for message in messages_for(chat(("user", "hi"), system=""))] == ["user"]


def test_a_system_prompt_of_the_clients_takes_the_place_of_the_servers():
    assert messages_for(chat(("user", "hi"), system="Be brief."))[0]["content"] == "Be brief."


def test_system_turns_join_the_system_prompt_wherever_they_stand():
    messages = messages_for(
        chat(("user", "a"), ("system", " Late. "), ("assistant", "b"), ("user", "c"), system="Own.")
    )
    assert messages[0] == {"role": "system", "content": "Own.\n\nLate."}
    assert [message["role"] for message in messages[1:]] == ["user", "assistant", "user"]


def test_a_system_turn_between_two_turns_of_the_user_does_not_part_them():
    assert len(messages_for(chat(("user", "a"), ("system", "s"), ("user", "b")))) == 2


def test_a_conversation_of_system_text_alone_still_asks_something():
    assert messages_for(chat(("system", "s"))) == [
        {"role": "system", "content": "s"},
        {"role": "user", "content": ""},
    ]


def test_a_conversation_that_the_assistant_opens_gets_an_empty_question():
    messages = messages_for(chat(("assistant", "Hello."), ("user", "hi")))
    assert messages[0] == {"role": "user", "content": ""}
    assert [message["role"] for message in messages] == ["user", "assistant", "user"]


def test_a_conversation_that_ends_with_the_assistant_is_continued():
    assert continues_answer(chat(("user", "a"), ("assistant", "The heart")))
    assert not continues_answer(chat(("assistant", "a"), ("user", "b")))


def test_a_system_turn_at_the_end_does_not_hide_that_the_assistant_spoke_last():
    asked = chat(("user", "a"), ("assistant", "The heart"), ("system", "s"))
    assert continues_answer(asked) == (messages_for(asked)[-1]["role"] == "assistant")


@pytest.mark.parametrize("token", [*CONTROL, *UNUSED])
def test_a_typed_control_token_is_broken_in_every_place(token):
    asked = chat(("user", f"x{token}y", A, token), ("assistant", token * 2), system=token)
    assert token not in str(messages_for(asked))
    assert neutralised(token).replace(WORD_JOINER, "") == token


def test_a_control_token_that_appears_when_another_is_broken_is_broken_too():
    for token in ("<<bos>", "<bos><eos>", "<end_of_turn><start_of_turn>", "<<unused94>unused94>", "[[multimodal]]"):
        broken = neutralised(token)
        assert not any(one in broken for one in (*CONTROL, *UNUSED))


@pytest.mark.parametrize(
    "text", ["a < b > c", "<p>", "<BOS>", "<unused>", "<unused94", "[x]", "<start of turn>", "5<6", ""]
)
def test_ordinary_text_is_not_touched(text):
    assert neutralised(text) == text


tokens = st.lists(st.sampled_from([*CONTROL, "<unused94>", "<", ">", "[", "]", "bos"]) | st.text(max_size=5)).map(
    "".join
)


@examples(80)
@given(tokens.filter(lambda text: WORD_JOINER not in text))
def test_neutralising_only_ever_adds_word_joiners_and_leaves_no_token(text):
    broken = neutralised(text)
    assert broken.replace(WORD_JOINER, "") == text
    assert neutralised(broken) == broken
    assert not any(token in broken for token in (*CONTROL, *UNUSED))


def test_the_tokenizer_finds_no_control_token_in_neutralised_text():
    from demo_model.tokenizer import CONTROL as KNOWN
    from demo_model.tokenizer import IMAGE, build_tokenizer

    tokenizer = build_tokenizer(["the heart is normal in size"] * 3, 420)
    known = {tokenizer.convert_tokens_to_ids(token): token for token in (*KNOWN, *IMAGE)}
    for token in set(known.values()) - {"[multimodal]"}:  # which this tokenizer only knows by its number
        ids = tokenizer(token, add_special_tokens=False)["input_ids"]
        assert token in map(known.get, ids), "the test would prove nothing"
        ids = tokenizer(neutralised(f"see {token}!"), add_special_tokens=False)["input_ids"]
        assert not set(ids) & set(known), token
