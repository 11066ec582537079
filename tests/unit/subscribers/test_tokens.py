"""Tokens: they say who and what for, and nothing else passes for one."""

import re
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from itsdangerous import URLSafeSerializer

from subscribers.errors import TokenError
from subscribers.tokens import Purpose, Tokens
from tests.support import NOW

PERSON = "0123456789abcdef0123456789abcdef"
TOKENS = Tokens(["the newest key", "an older key"])
TOKEN = TOKENS.make(Purpose.UNSUBSCRIBE, PERSON)
SOON = NOW + timedelta(hours=1)


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


@pytest.mark.parametrize(("purpose", "other"), list(permutations(Purpose, 2)))
def test_a_token_of_one_purpose_is_void_for_every_other(purpose, other):
    with pytest.raises(TokenError):
        TOKENS.read(other, TOKENS.make(purpose, PERSON))
    with pytest.raises(TokenError):
        TOKENS.read_at(other, TOKENS.make_until(purpose, PERSON, SOON), NOW)


@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_token_with_an_end_and_one_without_do_not_stand_for_each_other(purpose):
    with pytest.raises(TokenError):
        TOKENS.read(purpose, TOKENS.make_until(purpose, PERSON, SOON))
    with pytest.raises(TokenError):
        TOKENS.read_at(purpose, TOKENS.make(purpose, PERSON), NOW)


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
def test_any_id_survives(public_id, purpose):
    assert TOKENS.read(purpose, TOKENS.make(purpose, public_id)) == public_id


# ---- with an end -------------------------------------------------------------------------------


@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_token_with_an_end_is_good_until_then(purpose):
    token = TOKENS.make_until(purpose, PERSON, SOON)
    assert TOKENS.read_at(purpose, token, NOW) == PERSON
    assert TOKENS.read_at(purpose, token, SOON - timedelta(seconds=1)) == PERSON
    for late in (SOON, SOON + timedelta(days=1000)):
        with pytest.raises(TokenError, match=r"^this link is not valid$"):
            TOKENS.read_at(purpose, token, late)


@pytest.mark.parametrize(
    "value",
    [PERSON, [], [PERSON], [PERSON, "9999999999"], [PERSON, None], [PERSON, 1e12], [1, 9999999999],
     [PERSON, 9999999999, 1], {PERSON: 9999999999}, None],
)  # fmt: skip
def test_signed_but_no_person_with_an_end(value):
    with pytest.raises(TokenError):
        TOKENS.read_at(Purpose.UNSUBSCRIBE, _signed_like_ours(value), NOW)


@given(
    st.text(),
    st.sampled_from(Purpose),
    st.datetimes(datetime(1971, 1, 1), datetime(9000, 1, 1), timezones=st.just(UTC)),
    st.integers(-1_000_000, 1_000_000),
)
def test_any_id_survives_until_its_end(public_id, purpose, end, seconds):
    token = TOKENS.make_until(purpose, public_id, end)
    now = end.replace(microsecond=0) + timedelta(seconds=seconds)
    if seconds < 0:
        assert TOKENS.read_at(purpose, token, now) == public_id
    else:
        with pytest.raises(TokenError):
            TOKENS.read_at(purpose, token, now)


# ---- nothing else ------------------------------------------------------------------------------

URL_SAFE = st.text(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.", max_size=120
)


def _refuses(tokens, text):
    for purpose in Purpose:
        with pytest.raises(TokenError, match=r"^this link is not valid$"):
            tokens.read(purpose, text)
        with pytest.raises(TokenError, match=r"^this link is not valid$"):
            tokens.read_at(purpose, text, NOW)


@given(st.text(st.characters()) | URL_SAFE)
def test_no_text_that_was_not_made_is_ever_read(text):
    _refuses(TOKENS, text)


@given(
    st.sampled_from(Purpose),
    st.booleans(),
    st.integers(0, 200),
    st.integers(0, 3),
    URL_SAFE.map(lambda text: text[:3]),
)
def test_no_token_that_was_changed_is_ever_read(purpose, ends, at, dropped, put):
    token = TOKENS.make_until(purpose, PERSON, SOON) if ends else TOKENS.make(purpose, PERSON)
    at %= len(token) + 1
    changed = token[:at] + put + token[at + dropped :]
    assume(changed[:-1] != token[:-1])  # of the last character two bits mean nothing
    _refuses(TOKENS, changed)


@given(URL_SAFE, URL_SAFE)
def test_no_key_reads_what_another_signed(one, other):
    assume(one and other and one != other)
    for purpose in Purpose:
        with pytest.raises(TokenError):
            Tokens([one]).read(purpose, Tokens([other]).make(purpose, PERSON))
