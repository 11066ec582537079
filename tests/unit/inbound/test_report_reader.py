"""Which texts in a mail's subject may be tokens."""

from email import message_from_bytes
from email.header import Header
from email.message import Message

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from digest.inbound.answers import unsubscribe_tokens
from digest.inbound.report import Kind
from digest.inbound.report_reader import read_report
from subscribers.tokens import Purpose, Tokens
from tests import reports

TOKEN = Tokens(["a secret for tests only and a long one"]).make(Purpose.UNSUBSCRIBE, "0" * 32)


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
    assert unsubscribe_tokens(with_subject(subject.encode()))[0] == TOKEN


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


@pytest.mark.parametrize(
    "before", [b"", b"\n", b"\r\n\r\n", b"From x@y Mon Jan  1\n", b"\nFrom x@y\n"]
)
def test_a_report_may_begin_with_a_blank_line_or_an_mbox_line(before):
    report = read_report(before + reports.failure("us@example.com"))
    assert report.kind is Kind.HARD
    assert [recipient.status for recipient in report.recipients] == ["5.1.1"]


@pytest.mark.parametrize("said", ["宛先が見つかりません", "ユーザが存在しません"])
@pytest.mark.parametrize("charset", ["iso-2022-jp", "euc_jp", "utf-8"])
def test_a_diagnostic_in_japanese_is_decoded(said, charset):
    content = reports.failure("us@example.com", "5.0.0", "SAID").replace(
        b"550 5.0.0 SAID", b"550 " + said.encode(charset)
    )
    [recipient] = read_report(content).recipients
    assert recipient.diagnostic == f"550 {said}"
    assert recipient.is_hard


def test_microsofts_oldest_form_of_a_complaint_is_one():
    content = (
        b"From: staff@hotmail.com\nSubject: complaint about message from 192.0.2.1\n"
        b"Content-Type: message/rfc822\n\nTo: ada@example.org\nSubject: papers\n\nhi\n"
    )
    report = read_report(content)
    assert report.kind is Kind.COMPLAINT
    assert [recipient.address for recipient in report.recipients] == ["ada@example.org"]
