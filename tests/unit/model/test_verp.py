"""Envelope senders that name their delivery: what fits, what is recognised, and what is not."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from digest.compose.from_identity import from_identity
from digest.errors import SettingError
from digest.model.verp import LONGEST_LOCAL_PART, Tag, Verp
from tests.support import make_settings

KEYS = ("a secret for tests only and a long one",)
ADA = "ada@example.org"
VERP = Verp(KEYS, "bounces@example.org")

numbers = st.integers(1, 2**31 - 1)
mailboxes = st.builds(
    "{}@{}".format, st.text(min_size=1, max_size=64), st.sampled_from(["example.org", "x.test"])
)


def tag_of(sender: str) -> Tag:
    tag = VERP.tag_in(sender)
    assert tag is not None
    return tag


@given(numbers, mailboxes)
def test_a_sender_names_its_delivery_and_proves_it(number, address):
    tag = tag_of(VERP.sender_for(number, address))
    assert tag.delivery_id == number
    assert VERP.is_genuine(tag, address)


@given(numbers, st.sampled_from([str.upper, str.lower, str.title, str.swapcase]))
def test_letter_case_is_lost_on_the_way(number, change):
    tag = tag_of(change(VERP.sender_for(number, ADA)))
    assert tag.delivery_id == number
    assert VERP.is_genuine(tag, change(ADA))


@given(numbers)
def test_a_sender_is_an_address_that_every_server_takes(number):
    local_part, _, domain = VERP.sender_for(number, "åse@example.org").partition("@")
    assert re.fullmatch(r"bounces\+[0-9]{1,10}-[a-z2-7]{20}", local_part)
    assert (len(local_part) <= LONGEST_LOCAL_PART, domain) == (True, "example.org")


@given(numbers, numbers)
def test_another_delivery_is_not_proven(number, other):
    tag = tag_of(VERP.sender_for(number, ADA))
    assert VERP.is_genuine(Tag(other, tag.mac), ADA) == (number == other)


@given(numbers)
def test_whoever_has_moved_is_not_meant(number):
    assert not VERP.is_genuine(tag_of(VERP.sender_for(number, ADA)), "ada@elsewhere.example")


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz234567", min_size=20, max_size=20))
def test_nobody_guesses_a_signature(mac):
    assert not VERP.is_genuine(Tag(1, mac), ADA)


@given(st.text())
@example("bounces+1-" + "a" * 20 + "@example.org\n")
@example("bounces+1-" + "a" * 20 + "@a@example.org")
@example("bounces+1-" + "a" * 20)
@example("bounces+12345678901-" + "a" * 20 + "@example.org")
@example("bounces+١-" + "a" * 20 + "@example.org")
@example("bounces+1-" + "ſ" * 20 + "@example.org")
@example("bounces+1-" + "1" * 20 + "@example.org")
@example("\ud800")
def test_any_text_may_come(text):
    tag = VERP.tag_in(text)
    assert tag is None or not VERP.is_genuine(tag, ADA)


def test_a_tag_before_ours_stays():
    tagged = Verp(KEYS, "mail+papers@example.org")
    sender = tagged.sender_for(7, ADA)
    assert sender.startswith("mail+papers+7-")
    assert VERP.tag_in(sender) == tagged.tag_in(sender) == tag_of(VERP.sender_for(7, ADA))


def test_where_it_was_forwarded_to_does_not_matter():
    sender = VERP.sender_for(7, ADA)
    assert VERP.is_genuine(tag_of(sender.replace("example.org", "mx.example.net")), ADA)


def test_the_newest_key_signs_and_every_key_verifies():
    old, new = Verp(["the older one"], "b@example.org"), Verp(["new", "the older one"], "b@x.test")
    assert new.is_genuine(tag_of(old.sender_for(7, ADA)), ADA)
    assert not old.is_genuine(tag_of(new.sender_for(7, ADA)), ADA)


@pytest.mark.parametrize(("length", "has_room"), [(1, True), (32, True), (33, False), (64, False)])
def test_a_long_address_has_no_room(length, has_room):
    verp = Verp(KEYS, f"{'b' * length}@example.org")
    assert verp.has_room is has_room
    longest = verp.sender_for(9_999_999_999, ADA).partition("@")[0]
    assert (len(longest) <= LONGEST_LOCAL_PART) is has_room


def test_an_operator_whose_address_is_too_long_is_told():
    too_long = f"{'b' * 40}@example.org"
    with pytest.raises(
        SettingError, match="set DIGEST_BOUNCE_ADDRESS to a shorter one, or DIGEST_VERP"
    ):
        from_identity(make_settings(bounce_address=too_long))
    assert (
        from_identity(make_settings(bounce_address=too_long, verp="no")).bounce_address == too_long
    )
