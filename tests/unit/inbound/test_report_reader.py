"""Which texts in a mail's subject may be tokens."""

from email import message_from_bytes
from email.header import Header
from email.message import Message

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from digest.inbound.report_reader import unsubscribe_tokens
from subscribers.tokens import Purpose, Tokens

TOKEN = Tokens(["a secret for tests only"]).make(Purpose.UNSUBSCRIBE, "0" * 32)


def with_subject(subject):
    return message_from_bytes(b"From: a@example.org\r\nSubject: " + subject + b"\r\n\r\nbody\r\n")


@pytest.mark.parametrize(
    "subject",
    [
        TOKEN,
        f"Re: {TOKEN}",
        f"unsubscribe {TOKEN} please",
        f"\r\n {TOKEN}",
        Header(f"Avmelding {TOKEN}", "utf-8").encode(),
        Header(f"Désinscription: {TOKEN}", "iso-8859-1").encode(),
    ],
)
def test_a_token_is_found_in_the_subject(subject):
    assert unsubscribe_tokens(with_subject(subject.encode())) == [TOKEN]


@pytest.mark.parametrize("subject", ["", "unsubscribe", "Re: 12 papers", "v1.2", "=?utf-8?b?!!?="])
def test_other_subjects_hold_none(subject):
    assert unsubscribe_tokens(with_subject(subject.encode())) == []


def test_a_mail_that_quotes_ours_asks_for_nothing():
    mail = message_from_bytes(b"Subject: Out of office\r\n\r\n> " + TOKEN.encode() + b"\r\n")
    assert unsubscribe_tokens(mail) == []
    assert unsubscribe_tokens(Message()) == []


@given(st.binary(max_size=300))
@example(b"=?unknown?q?=ff?=")
@example(b"=?utf-8?b?/w==?=")
@example(b"\xff\xfe")
def test_no_subject_whatever_raises(octets):
    unsubscribe_tokens(message_from_bytes(b"Subject: " + octets + b"\r\n\r\n"))
    unsubscribe_tokens(message_from_bytes(octets))
