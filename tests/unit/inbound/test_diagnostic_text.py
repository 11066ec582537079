"""What a report says of one address."""

import pytest

from digest.inbound.diagnostic_text import LONGEST_DIAGNOSTIC, recipient


def test_a_refusal_of_something_else_does_not_kill_the_address():
    when = "SMTP error from remote mail server after MAIL FROM:<us@example.com>"
    assert recipient("ada@example.org", "550 user unknown").is_hard
    assert not recipient("ada@example.org", "550 user unknown", transcript=when).is_hard


@pytest.mark.parametrize(
    "when", ["(in reply to RCPT TO command)", ">>> RCPT TO:<ada@example.org>\n<<< 550 Requested"]
)
def test_an_unavailable_mailbox_is_none_if_it_is_what_was_asked_for(when):
    said = "550 Requested action not taken: mailbox unavailable"
    assert recipient("ada@example.org", said, transcript=when).is_hard
    assert not recipient("ada@example.org", said).is_hard
    assert not recipient("ada@example.org", said, transcript="reply to end of DATA").is_hard
    assert not recipient("ada@example.org", f"{said}, quota exceeded", transcript=when).is_hard


def test_a_diagnostic_is_one_short_line():
    said = recipient("ada@example.org", "550\r\n\tno " * 1000).diagnostic
    assert len(said) <= LONGEST_DIAGNOSTIC
    assert said.startswith("550 no 550")
