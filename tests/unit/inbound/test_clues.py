"""What a report shows of the mail that it is about."""

import json
from email import message_from_bytes, message_from_string

from hypothesis import given
from hypothesis import strategies as st

from digest.inbound.clues import Clues, clues_in
from subscribers.tokens import Purpose, Tokens

TOKEN = Tokens(["a secret for tests only and a long one"]).make(Purpose.UNSUBSCRIBE, "0" * 32)
SENDER = "bounces+7-" + "a" * 20 + "@example.org"
COMPLAINT = f"""\
From: complaints@provider.example
To: complaints@example.org
Content-Type: multipart/report; report-type=feedback-report; boundary=one

--one
Content-Type: message/feedback-report

Feedback-Type: abuse
Original-Mail-From: <{SENDER}>
--one
Content-Type: message/rfc822

Return-Path: <{SENDER.upper()}>
To: redacted@example.org
List-Unsubscribe: <https://digest.example.org/unsubscribe/{TOKEN}>,
 <mailto:unsubscribe@example.org?subject={TOKEN}>

--one--
"""


def test_a_mail_is_sent_to_whom_its_headers_say():
    mail = message_from_string(
        f"To: Bounces <{SENDER}>, other@localhost\n"
        "Delivered-To: one@example.org\nDelivered-To: two@example.org\n"
        "X-Original-To: three@example.org\nEnvelope-To: four@example.org,five@example.org\n"
        "Cc: copied@example.org\n\nto six@example.org\n"
    )
    others = [f"{name}@example.org" for name in ("one", "two", "three", "four", "five")]
    assert clues_in(mail) == Clues((SENDER, "other@localhost", *others))


def test_a_complaint_shows_senders_and_tokens_of_what_it_returns():
    found = clues_in(message_from_string(COMPLAINT))
    assert found.sent_to == ("complaints@example.org",)
    assert found.senders == (SENDER, SENDER.upper())
    assert found.tokens[0] == TOKEN


def test_amazon_tells_the_sender_of_the_mail():
    body = json.dumps({"notificationType": "Bounce", "mail": {"source": SENDER}})
    text = f"From: no-reply@sns.amazonaws.com\nTo: bounces@example.org\n\n{body}\n"
    assert clues_in(message_from_string(text)).sent_to[1:] == (SENDER,)
    forged = text.replace("sns.amazonaws.com", "example.net")
    assert clues_in(message_from_string(forged)).sent_to == ("bounces@example.org",)


def test_headers_of_what_is_returned_are_not_the_reports_own():
    assert "redacted@example.org" not in clues_in(message_from_string(COMPLAINT)).sent_to


def test_it_is_bounded():
    many = ",".join(f"a{n}@example.org" for n in range(9999))
    mail = message_from_string(f"To: {many}\n" * 99 + f"Delivered-To: {many}\n" * 99 + "\n")
    assert len(clues_in(mail).sent_to) <= 40


@given(st.binary(max_size=300))
def test_any_mail_may_come(octets):
    clues_in(message_from_bytes(octets))
    clues_in(message_from_bytes(b"To: " + octets + b"\r\nDelivered-To: " + octets + b"\r\n\r\n"))
