"""Announcements as values: what may be typed, whom they are for, and when two are the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import AnnouncementError
from digest.model.announcements import (
    LONGEST_SUBJECT,
    LONGEST_TEXT,
    Audience,
    Draft,
    audience_of,
    draft_of,
    name_of,
)
from subscribers.model import Consent, Subscriber
from subscribers.preferences import Preferences
from subscribers.topics import TopicFilter
from tests.support import NOW

ALL = Audience()


def person(address="ada@example.org", *topics):
    filters = tuple(map(TopicFilter, topics))
    return Subscriber(1, "1", address, filters, Preferences(), Consent.CONFIRMED, NOW)


def test_a_subject_is_one_line_and_a_text_has_line_feeds_only():
    draft = draft_of("  We\n move ", "\r\none\r\ntwo\rthree\t.\n\n", ALL)
    assert draft == Draft("We move", "one\ntwo\nthree   .", ALL)


@pytest.mark.parametrize(
    ("subject", "text", "why"),
    [
        ("", "text", "the subject is empty"),
        (" \n ", "text", "the subject is empty"),
        ("Subject", " \n\t", "the text is empty"),
        ("x" * (LONGEST_SUBJECT + 1), "text", "the subject has 201 characters, and may have 200"),
        ("Subject", "x" * (LONGEST_TEXT + 1), "the text has 20001 characters"),
        ("Sub\0ject", "text", r"line 1 of the subject has a control character \(U\+0000\)"),
        ("Subject", "one\ntwo\x1b[0m", r"line 2 of the text has a control character \(U\+001B\)"),
        ("Subject", "one \ud800", r"line 1 of the text has a control character \(U\+D800\)"),
    ],
)
def test_what_no_mail_can_have_is_refused_with_its_place(subject, text, why):
    with pytest.raises(AnnouncementError, match=why):
        draft_of(subject, text, ALL)


def test_the_longest_is_taken():
    assert draft_of("x" * LONGEST_SUBJECT, "x" * LONGEST_TEXT, ALL)


@given(st.text(), st.text())
def test_whatever_is_typed_is_taken_or_refused_with_a_reason(subject, text):
    try:
        draft = draft_of(subject, text, ALL)
    except AnnouncementError as error:
        assert str(error)  # noqa: PT017
    else:
        assert draft_of(draft.subject, draft.text, ALL) == draft


def test_two_letters_have_one_key_only_if_they_are_the_same():
    drafts = [
        Draft("a", "b"),
        Draft("b", "a"),
        Draft("a", "b", Audience("robots")),
        Draft("a", "b", Audience("", "de")),
        Draft("a", "b", Audience(addresses=("a@x.example",))),
    ]
    assert len({draft.key for draft in drafts}) == len(drafts)
    assert Draft("a", "b").key == Draft("a", "b").key


# ---- whom it is for ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("audience", "is_included"),
    [
        (ALL, True),
        (Audience("ROBOT"), True),
        (Audience("video"), False),
        (Audience(language="de"), True),
        (Audience(language="en"), False),
        (Audience(addresses=("ada@example.org",)), True),
        (Audience(addresses=("bob@example.org",)), False),
        (Audience("robot", "de", ("ada@example.org",)), True),
        (Audience("robot", "en", ("ada@example.org",)), False),
    ],
)
def test_everything_that_is_given_must_apply(audience, is_included):
    ada = person("Ada@Example.org", "agents", "soft robots")
    assert audience.includes(ada, "de") is is_included


def test_who_has_no_topics_has_none_with_a_word():
    assert not Audience("a").includes(person(), "en")


def test_addresses_stand_in_lines_or_between_commas_and_their_case_is_ignored():
    audience = audience_of(addresses="B@x.example, a@x.example\n\na@X.example;\tc@x.example\n")
    assert audience.addresses == ("a@x.example", "b@x.example", "c@x.example")


@pytest.mark.parametrize("typed", ["Ada", "a@x.example bob", "x" * 500])
def test_what_is_no_address_is_named(typed):
    with pytest.raises(AnnouncementError, match="is not an address") as refused:
        audience_of(addresses=typed)
    assert len(str(refused.value)) < 100


def test_it_survives_being_stored():
    for audience in (ALL, Audience("模型", "ar", ("a@x.example", "b@x.example"))):
        assert Audience.from_json(audience.to_json()) == audience


def test_it_says_whom_it_is_for():
    assert str(ALL) == "all confirmed readers"
    audience = Audience("robots", "de", ("a@x.example",))
    assert str(audience) == (
        "confirmed readers with 'robots' in a topic and with emails in de and among 1 addresses"
    )


def test_a_name_is_a_line_of_some_length():
    assert name_of("We move") == "the announcement 'We move'"
    assert len(name_of("word " * 40)) < 80
