"""No address, token or password survives the mask, wherever it stands."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from digest.model.verp import Verp
from digest.monitoring.masking import Mask
from subscribers.tokens import Purpose, Tokens

QUOTED = st.builds(
    lambda local, domain: f'"{local}"@{domain}',
    st.text(st.characters(categories=["L", "N", "Zs", "P"], exclude_characters='"\\'), min_size=2),
    st.emails().map(lambda address: address.rpartition("@")[2]),
)
BEYOND_ASCII = st.builds(
    lambda local, domain: f"{local}@{domain}",
    st.text(st.characters(categories=["L", "N"]), min_size=2),
    st.text(st.characters(categories=["Ll"]), min_size=2),
)
ADDRESSES = st.one_of(st.emails(), QUOTED, BEYOND_ASCII)
# What stands around it in replies, traces and reprs; no letters, or they would be part of it.
BEFORE = st.sampled_from(
    ["", " ", "<", "'", '"', "to=<", "mailto:", "(", "[", "{'x': '", "\n", "="]
)
AFTER = st.sampled_from(["", " ", ">", "'", '"', ",", ";", ")", "]", "\n", "...", "> unknown"])
TEXTS = st.builds(lambda *parts: ("".join(parts), parts[1]), BEFORE, ADDRESSES, AFTER)
PLACES = st.sampled_from(
    [
        lambda text: text,
        lambda text: [text],
        lambda text: {"a": [{"b": (text,)}]},
        lambda text: {text: 1},
        lambda text: {text},
        ValueError,
        lambda text: text.encode(errors="surrogatepass"),
        lambda text: {"deep": [[[{"list": ValueError(f"550 5.1.1 {text}")}]]]},
    ]
)


@given(TEXTS, PLACES)
@example(("to=<a.b@example.org>", "a.b@example.org"), str)
@example(('"a@b c"@example.org', '"a@b c"@example.org'), str)
@example(("o'brien@example.org", "o'brien@example.org"), str)
@example(("ada@[192.0.2.1]", "ada@[192.0.2.1]"), str)
def test_no_address_survives(text, place):
    said, address = text
    assert address not in str(Mask().value(place(said)))
    assert address.encode() not in str(Mask().value(place(said))).encode(errors="surrogatepass")


@given(st.lists(ADDRESSES, min_size=1, max_size=5))
def test_none_of_many_survives(addresses):
    masked = Mask().text(" ".join(addresses))
    assert not [address for address in addresses if address in masked.split()]


@pytest.mark.parametrize(
    ("said", "masked"),
    [
        ("550 5.1.1 <ada@example.org>: unknown", "550 5.1.1 <a…@example.org>: unknown"),
        ("to 'ada@example.org'", "to 'a…@example.org'"),
        ("/api/v1/subscribers/ada%40example.org", "/…%40example.org"),
        ('"ada lovelace"@example.org', "…@example.org"),
        ("a@b.example and c@d.example", "a…@b.example and c…@d.example"),
        ("nobody is addressed", "nobody is addressed"),
        ("at 5 @ 6", "at 5 @ 6"),
    ],
)
def test_what_is_left_of_an_address(said, masked):
    assert Mask().text(said) == masked


def test_addresses_are_shown_where_the_operator_wants_them():
    mask = Mask(shows_addresses=True)
    assert mask.text("550 <ada@example.org>") == "550 <ada@example.org>"


@pytest.mark.parametrize("shows_addresses", [False, True])
def test_no_token_is_shown_in_any_case(shows_addresses):
    mask, tokens = Mask(shows_addresses), Tokens(["a key for tests"])
    end = datetime(2026, 2, 20, tzinfo=UTC) + timedelta(days=1)
    made = [tokens.make(purpose, "x" * 22) for purpose in Purpose]
    made.append(tokens.make_until(Purpose.CONFIRM, "x" * 22, end))
    for token in made:
        for text in (
            token,
            f"https://h.example/unsubscribe/{token}",
            f"mailto:u@h?subject={token}",
        ):
            assert token not in mask.text(text)
            assert token[-43:] not in mask.text(text)
    sender = Verp(["a key for tests"], "bounces@example.org").sender_for(17, "ada@example.org")
    mac = sender.partition("-")[2].partition("@")[0]
    assert mac not in mask.text(f"MAIL FROM:<{sender}>")
    if shows_addresses:
        assert mask.text(sender) == "bounces+17-…@example.org"


@pytest.mark.parametrize("shows_addresses", [False, True])
@pytest.mark.parametrize(
    "url",
    [
        "smtps://ada:hush@mail.example.org",
        "postgresql+psycopg://ada:hush@db/digest",
        "imaps://ada%40example.org:hu@sh@mail.example.org/INBOX",
        "smtp://ada:hu/sh?hush@mail.example.org:25",
    ],
)
def test_no_password_of_a_url_is_shown_in_any_case(shows_addresses, url):
    said = Mask(shows_addresses).text(f"{url}: connection refused")
    assert "hu" not in said
    assert said.endswith(": connection refused")


def test_known_secrets_are_shown_nowhere_the_longer_first():
    mask = Mask()
    mask.hide(["secret-", "secret-other", "short"])
    mask.hide(["secret-secret"])  # those of another installation in this process
    assert mask.text("x secret-secret, secret-other, short") == "x …, …, short"


def test_numbers_and_moments_stay_what_they_are():
    assert Mask().value({"code": 250, "is": True, "none": None, "of": 1.5}) == {
        "code": 250,
        "is": True,
        "none": None,
        "of": 1.5,
    }
    assert Mask().value(datetime(2026, 2, 20, tzinfo=UTC)) == "2026-02-20 00:00:00+00:00"


@pytest.mark.parametrize(
    "text",
    [
        "a" * 200_000 + " @",
        "=" * 100_000 + " b@c",
        '"' * 100_000 + "@",
        "a@" * 50_000,
        "://a:" * 20_000 + "@",
    ],
)
def test_a_long_text_takes_no_long_time(text):
    began = time.process_time()
    Mask().text(text)
    assert time.process_time() - began < 2
