"""What a report says of one address."""

import pytest

from digest.inbound.diagnostic_text import LONGEST_DIAGNOSTIC, diagnosed, recipient
from digest.inbound.diagnostics import shipped_table
from digest.inbound.report import Kind, Report


def is_hard(text, *, transcript=""):
    report = Report(Kind.SOFT, (recipient("ada@example.org", text, transcript=transcript),))
    return diagnosed(report, shipped_table()).kind is Kind.HARD


def test_a_refusal_of_something_else_does_not_kill_the_address():
    when = "SMTP error from remote mail server after MAIL FROM:<us@example.com>"
    assert is_hard("550 user unknown")
    assert not is_hard("550 user unknown", transcript=when)


@pytest.mark.parametrize(
    "when", ["(in reply to RCPT TO command)", ">>> RCPT TO:<ada@example.org>\n<<< 550 Requested"]
)
def test_an_unavailable_mailbox_is_none_if_it_is_what_was_asked_for(when):
    said = "550 Requested action not taken: mailbox unavailable"
    assert is_hard(said, transcript=when)
    assert not is_hard(said)
    assert not is_hard(said, transcript="reply to end of DATA")
    assert not is_hard(f"{said}, quota exceeded", transcript=when)


def test_of_very_many_recipients_the_first_are_diagnosed():
    many = tuple(recipient(f"{i}@example.org", "550 no such user") for i in range(1000))
    assert (
        sum(one.is_hard for one in diagnosed(Report(Kind.SOFT, many), shipped_table()).recipients)
        == 100
    )


def test_a_diagnostic_is_one_short_line():
    said = recipient("ada@example.org", "550\r\n\tno " * 1000).diagnostic
    assert len(said) <= LONGEST_DIAGNOSTIC
    assert said.startswith("550 no 550")
