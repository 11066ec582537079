"""What a server's reply means: enhanced status code first, then the reply code."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.deliver.replies import LONGEST_TEXT, outcome_of
from digest.model import OutcomeKind

A, D, R = OutcomeKind.ACCEPTED, OutcomeKind.DEFERRED, OutcomeKind.REFUSED


@pytest.mark.parametrize(
    ("code", "reply", "kind", "dead"),
    [
        (250, b"2.0.0 OK", A, False),
        (250, b"OK", A, False),
        (250, b"", A, False),
        (421, b"4.7.0 Too many connections", D, False),
        (450, b"4.2.1 Greylisted", D, False),
        (452, b"4.2.2 Mailbox full", D, False),
        (451, b"Try again", D, False),
        (550, b"5.1.1 No such user", R, True),
        (550, b"5.1.2 No such host", R, True),
        (501, b"5.1.3 Bad address", R, True),
        (550, b"5.1.6 Moved away", R, True),
        (556, b"5.1.10 Null MX", R, True),
        (550, b"5.2.1 Disabled", R, True),
        (552, b"5.2.2 Mailbox full", R, False),
        (552, b"5.3.4 Too big", R, False),
        (550, b"5.7.1 Not from you", R, False),
        (554, b"5.7.26 DMARC", R, False),
        (550, b"No such user", R, False),
        # A reply code that contradicts its enhanced code: the milder of the two.
        (550, b"4.2.2 Mailbox full", D, False),
        (450, b"5.1.1 No such user", D, False),
        (250, b"5.1.1 No such user", A, False),
        # What no server should say here.
        (354, b"Go on", D, False),
        (-1, b"?", D, False),
        # Texts that only look like an enhanced code.
        (550, b"5.1.1: no such user", R, False),
        (550, b"5.1.1.1 no such user", R, False),
        (550, b"no 5.1.1 here", R, False),
        (550, b"5.1.1", R, True),
        (550, b"5.1.11 unlisted", R, False),
    ],
)
def test_reply(code, reply, kind, dead):
    outcome = outcome_of(code, reply)
    assert (outcome.kind, outcome.address_is_dead, outcome.code) == (kind, dead, code)


def test_a_reply_of_several_lines_is_one_line():
    assert outcome_of(550, b"5.1.1 No such\n  user\there").text == "5.1.1 No such user here"


def test_a_reply_that_is_not_utf_8_is_readable_all_the_same():
    assert outcome_of(550, b"5.1.1 na\xefve").text == "5.1.1 na\N{REPLACEMENT CHARACTER}ve"


def test_a_long_reply_is_cut():
    assert outcome_of(550, b"5.7.1 " + b"x" * 9000).text == "5.7.1 " + "x" * (LONGEST_TEXT - 6)


@given(code=st.integers(-1, 999), reply=st.binary(max_size=700))
def test_any_reply_has_an_outcome_and_only_a_5yz_refuses(code, reply):
    outcome = outcome_of(code, reply)
    assert (outcome.kind is A) == (200 <= code < 300)
    assert outcome.kind in {A, D} or code >= 500
    assert not outcome.address_is_dead or outcome.kind is R
    assert len(outcome.text) <= LONGEST_TEXT
