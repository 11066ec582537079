"""What each form of mail reports. The mails are made up; who sends what is not."""

from pathlib import Path

import pytest

from digest.inbound.report import Kind
from digest.inbound.report_reader import read_report

MAILS = Path(__file__).parents[2] / "fixtures" / "mail"
ADA, GRACE = "ada@example.org", "grace@example.org"
DEAD, ALIVE = True, False

FAILURES = {
    "dsn_several": {ADA: (DEAD, "5.1.1"), GRACE: (ALIVE, "5.2.2")},
    "dsn_expired": {ADA: (ALIVE, "4.4.7")},
    "dsn_status_vague": {ADA: (ALIVE, "5.7.26")},
    "dsn_mute": {ADA: (DEAD, "5.0.0")},
    "dsn_after_data": {ADA: (DEAD, "5.0.0")},
    "dsn_forwarded_twice": {ADA: (ALIVE, "5.3.0")},
    "dsn_base64": {ADA: (DEAD, "5.1.1")},
    "dsn_global": {"dörte@example.org": (DEAD, "5.1.1")},
    "dsn_within_mixed": {ADA: (DEAD, "5.1.1")},
    "dsn_wrapped": {ADA: (DEAD, "5.1.1")},
    "dsn_of_a_dsn": {ADA: (DEAD, "5.1.1")},
    "dsn_boundary_lost": {ADA: (DEAD, "5.1.1")},
    "qmail": {ADA: (DEAD, "5.1.1"), GRACE: (ALIVE, "5.2.2")},
    "exim": {ADA: (DEAD, ""), GRACE: (ALIVE, "5.7.1")},
    "exchange": {ADA: (DEAD, "5.1.10")},
    "sendmail": {ADA: (DEAD, "")},
    "plain": {ADA: (DEAD, "")},
    "german": {ADA: (DEAD, "")},
    "japanese": {ADA: (DEAD, "")},
    "returned_to": {ADA: (DEAD, "")},
    "no_address": {},
}
COMPLAINTS = {
    "complaint": [ADA, GRACE],
    "complaint_removal": [ADA],
    "complaint_to": [ADA],
    "complaint_microsoft": [ADA],
    "complaint_hidden": [],
}
OTHERS = {
    "dsn_delayed": Kind.DELAYED,
    "delay_in_words": Kind.DELAYED,
    "dsn_delivered": Kind.UNKNOWN,
    "praise": Kind.UNKNOWN,
    "auth_failure": Kind.AUTHENTICATION,
    "away_marked": Kind.AUTO_REPLY,
    "away_old": Kind.AUTO_REPLY,
    "away_subject": Kind.AUTO_REPLY,
    "away_postmaster": Kind.AUTO_REPLY,
    "gone_unmarked": Kind.UNKNOWN,
    "person": Kind.UNKNOWN,
    "list": Kind.UNKNOWN,
    "forwarded_by_person": Kind.UNKNOWN,
    "read_receipt": Kind.UNKNOWN,
}


def report_of(name):
    return read_report((MAILS / f"{name}.eml").read_bytes())


def test_every_mail_here_is_expected():
    names = {path.stem for path in MAILS.iterdir()}
    assert names == {*FAILURES, *COMPLAINTS, *OTHERS}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_names_whom_it_did_not_reach(name):
    report = report_of(name)
    assert {
        recipient.address: (recipient.is_hard, recipient.status) for recipient in report.recipients
    } == FAILURES[name]
    is_hard = any(dead for dead, _ in FAILURES[name].values())
    assert report.kind is (Kind.HARD if is_hard else Kind.SOFT)


@pytest.mark.parametrize("name", FAILURES)
def test_line_ends_of_the_network_change_nothing(name):
    content = (MAILS / f"{name}.eml").read_bytes()
    assert b"\r" not in content
    assert read_report(content.replace(b"\n", b"\r\n")) == read_report(content)


@pytest.mark.parametrize("name", COMPLAINTS)
def test_a_complaint_names_who_complained(name):
    report = report_of(name)
    assert report.kind is Kind.COMPLAINT
    assert [recipient.address for recipient in report.recipients] == COMPLAINTS[name]
    assert not any(recipient.is_hard for recipient in report.recipients)


@pytest.mark.parametrize("name", OTHERS)
def test_where_nothing_failed_nobody_is_named(name):
    report = report_of(name)
    assert report.kind is OTHERS[name]
    assert report.recipients == ()


def test_whom_a_server_is_still_trying_is_told_apart():
    assert report_of("dsn_delayed").waiting == (ADA,)
    assert report_of("delay_in_words").waiting == (ADA,)
    assert report_of("dsn_several").waiting == ("kurt@example.org",)


def test_what_the_server_said_is_one_line():
    ada, grace = report_of("dsn_several").recipients
    assert ada.diagnostic == "550 5.1.1 <a.lovelace@forward.example.net>: nobody of this name"
    assert grace.diagnostic == "552 5.2.2 mailbox of grace is full"


def test_each_of_several_has_their_own_diagnostic():
    ada, grace = report_of("exim").recipients
    assert "550 Unknown user" in ada.diagnostic
    assert "554 5.7.1" in grace.diagnostic
    assert "554" not in ada.diagnostic


def test_a_mail_with_a_token_in_its_subject_is_a_wish():
    token = b"a" * 40 + b"." + b"b" * 30
    assert read_report(b"Subject: " + token + b"\n\n").kind is Kind.UNSUBSCRIBE
    assert read_report(b"Subject: hello\n\n" + token).kind is Kind.UNKNOWN
