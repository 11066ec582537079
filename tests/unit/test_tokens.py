"""Tokens: they say who and what for, and nothing else passes for one."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from itsdangerous import URLSafeSerializer

from subscribers.errors import TokenError
from subscribers.tokens import Purpose, Tokens

PERSON = "0123456789abcdef0123456789abcdef"
TOKENS = Tokens(["the newest key", "an older key"])
TOKEN = TOKENS.make(Purpose.UNSUBSCRIBE, PERSON)


@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_token_is_read_as_it_was_made(purpose):
    assert TOKENS.read(purpose, TOKENS.make(purpose, PERSON)) == PERSON


def test_it_is_the_same_each_time():
    assert TOKENS.make(Purpose.UNSUBSCRIBE, PERSON) == TOKEN


def test_it_differs_by_purpose_and_person():
    others = {TOKENS.make(Purpose.PREFERENCES, PERSON), TOKENS.make(Purpose.UNSUBSCRIBE, "b" * 32)}
    assert len({TOKEN, *others}) == 3


def test_it_needs_no_escaping_in_a_link():
    assert re.fullmatch(r"[A-Za-z0-9._-]+", TOKEN)


def test_a_token_of_one_purpose_is_void_for_the_other():
    with pytest.raises(TokenError):
        TOKENS.read(Purpose.PREFERENCES, TOKEN)


def test_a_token_of_another_key_is_refused():
    with pytest.raises(TokenError):
        Tokens(["somebody else's"]).read(Purpose.UNSUBSCRIBE, TOKEN)


def test_links_in_old_mails_keep_working():
    old = Tokens(["an older key"]).make(Purpose.UNSUBSCRIBE, PERSON)
    assert TOKENS.read(Purpose.UNSUBSCRIBE, old) == PERSON


def test_the_newest_key_signs():
    assert Tokens(["the newest key"]).read(Purpose.UNSUBSCRIBE, TOKEN) == PERSON


def test_a_dropped_key_is_refused():
    with pytest.raises(TokenError):
        Tokens(["the newest key"]).read(
            Purpose.UNSUBSCRIBE, Tokens(["an older key"]).make(Purpose.UNSUBSCRIBE, PERSON)
        )


def test_the_key_is_not_inside():
    assert "newest" not in TOKEN


@pytest.mark.parametrize("secrets", [[], [""], ["a good key", ""]])
def test_an_empty_key_is_not_taken(secrets):
    with pytest.raises(ValueError, match="at least one secret"):
        Tokens(secrets)


def _signed_like_ours(value):
    """What only somebody with the key can make, but no public id."""
    ours = TOKENS._serializers[Purpose.UNSUBSCRIBE]
    assert isinstance(ours, URLSafeSerializer)
    return ours.dumps(value)


BAD = {
    "empty": "",
    "a dot": ".",
    "dots": "." * 50,
    "huge": "x" * 1_000_000,
    "huge and dotted": "x." * 100_000,
    "not ASCII": "é.à",
    "a lone surrogate": "\ud800.x",
    "NUL": "\x00",
    "without signature": TOKEN.rpartition(".")[0],
    "without content": "." + TOKEN.rpartition(".")[2],
    "cut off": TOKEN[:-2],
    "in capitals": TOKEN.upper(),
    "with a blank": TOKEN + " ",
    "a person in clear": PERSON,
    "a signed number": _signed_like_ours(1),
    "a signed list": _signed_like_ours([PERSON]),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_everything_else_is_refused_in_the_same_words(bad):
    with pytest.raises(TokenError) as caught:
        TOKENS.read(Purpose.UNSUBSCRIBE, bad)
    assert str(caught.value) == "this link is not valid"


# The last character of the signature holds two bits that nothing uses, so it may read the same.
@pytest.mark.parametrize("at", range(len(TOKEN) - 1))
def test_no_character_can_be_changed(at):
    other = "A" if TOKEN[at] != "A" else "B"
    with pytest.raises(TokenError):
        TOKENS.read(Purpose.UNSUBSCRIBE, TOKEN[:at] + other + TOKEN[at + 1 :])


@given(st.text(), st.sampled_from(Purpose))
@settings(deadline=None)
def test_any_id_survives(public_id, purpose):
    assert TOKENS.read(purpose, TOKENS.make(purpose, public_id)) == public_id


@given(st.text())
@settings(deadline=None)
def test_any_other_text_is_a_token_error(text):
    with pytest.raises(TokenError):
        TOKENS.read(Purpose.UNSUBSCRIBE, text)
