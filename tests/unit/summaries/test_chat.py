"""The answers of an API like OpenAI's, read."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.model.summaries import Tokens, Verdict
from digest.summaries.chat import Prompt, read_answer

MOST = Tokens(500, 300)


def completion(text="Hello.", finish="stop", **more):
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "finish_reason": finish,
    }
    return {"choices": [choice], **more}


def read(answer):
    return read_answer(json.dumps(answer).encode(), MOST)


def test_an_answer_with_what_it_took():
    reply = read(completion(usage={"prompt_tokens": 40, "completion_tokens": 7}))
    assert (reply.text, reply.tokens, reply.failure) == ("Hello.", Tokens(40, 7), None)


@pytest.mark.parametrize(
    "usage",
    [None, [], "x", {}, {"prompt_tokens": -1, "completion_tokens": True}, {"prompt_tokens": 1e99}],
)
def test_what_it_took_is_counted_in_full_if_the_server_does_not_say(usage):
    assert read(completion(usage=usage)).tokens == MOST


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"choices": []}', b'{"choices": [{"message": "x"}]}', b"[]", b"null", b"\xff",
     b"[" * 100_000, b'data: {"choices": [{"delta": {"content": "a stream"}}]}'],
)  # fmt: skip
def test_what_is_no_answer_is_told(body):
    reply = read_answer(body, MOST)
    assert (reply.text, reply.failure, reply.tokens) == ("", Verdict.UNREADABLE, MOST)


def test_half_an_answer_is_told():
    assert read(completion("And so they", "length")).failure is Verdict.CUT_OFF


@pytest.mark.parametrize("content", [None, 3, ["x"], {"text": "x"}])
def test_an_answer_without_text_is_empty(content):
    assert read(completion(content)).text == ""


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["choices", "message", "content", "usage", "prompt_tokens", "x"]), inner
        )
    ),
    max_leaves=12,
)


@given(json_values)
def test_no_answer_breaks_the_reader(value):
    reply = read(value)
    assert isinstance(reply.text, str)
    assert reply.tokens.total > 0


def test_an_estimate_is_no_less_than_it_takes():
    german = Prompt("", "Die Forscher haben ein Modell gebaut, das Proteine besser faltet. " * 20)
    assert german.most_tokens.sent > len(german.text) / 4
