"""What a server's reply means: how it ends an attempt, and whom it is about."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.deliver.transport.replies import LONGEST_TEXT, Reply, has_had_enough, outcome_of
from digest.model.diagnosis import Phase
from digest.model.messages import Outcome, OutcomeKind

A, D, R = OutcomeKind.ACCEPTED, OutcomeKind.DEFERRED, OutcomeKind.REFUSED


def answer(code: int, text: bytes, phase: Phase = Phase.DOT) -> Outcome:
    return outcome_of(Reply(code, text), phase)


# ---- how it ends -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "reply", "kind"),
    [
        (250, b"2.0.0 OK", A),
        (250, b"OK", A),
        (200, b"OK", A),
        (299, b"OK", A),
        (300, b"No end of a message", D),
        (499, b"Later", D),
        (500, b"What?", R),
        (250, b"", A),
        (421, b"4.7.0 Too many connections", D),
        (450, b"4.2.1 Greylisted", D),
        (452, b"4.2.2 Mailbox full", D),
        (451, b"Try again", D),
        (550, b"5.1.1 No such user", R),
        (550, b"5.1.2 No such host", R),
        (501, b"5.1.3 Bad address", R),
        (550, b"5.1.6 Moved away", R),
        (556, b"5.1.10 Null MX", R),
        (550, b"5.2.1 Disabled", R),
        (552, b"5.2.2 Mailbox full", R),
        (552, b"5.3.4 Too big", R),
        (550, b"5.7.1 Not from you", R),
        (554, b"5.7.26 DMARC", R),
        (550, b"No such user", R),
        # A reply code that contradicts its enhanced code: the milder of the two.
        (550, b"4.2.2 Mailbox full", D),
        (450, b"5.1.1 No such user", D),
        (250, b"5.1.1 No such user", A),
        # What no server should say here.
        (354, b"Go on", D),
        # Texts that only look like an enhanced code.
        (550, b"5.1.1: no such user", R),
        (550, b"5.1.1.1 no such user", R),
        (550, b"no 5.1.1 here", R),
        (550, b"5.1.1", R),
        (550, b"5.1.11 unlisted", R),
    ],
)
def test_an_answer_to_the_final_dot(code, reply, kind):
    outcome = answer(code, reply)
    assert (outcome.kind, outcome.code, outcome.phase) == (kind, code, Phase.DOT)


@pytest.mark.parametrize("phase", [Phase.OPENING, Phase.MAIL, Phase.RCPT, Phase.DATA])
@pytest.mark.parametrize("code", [220, 250, 252, 354])
def test_before_the_final_dot_nothing_is_accepted(code, phase):
    assert answer(code, b"2.0.0 OK", phase).kind is D


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (b"5.1.1 No such user", "5.1.1"),
        (b"5.1.1", "5.1.1"),
        (b"5.1.1 No such\n5.7.1 user", "5.1.1"),
        (b"4.4.2 Slow", "4.4.2"),
        (b"2.1.5 Fine", "2.1.5"),
        (b"5.1.1: no such user", ""),
        (b"3.1.1 no such class", ""),
        (b"No such user", ""),
        (b"", ""),
    ],
)
def test_the_status_is_the_enhanced_code(reply, status):
    assert answer(550, reply).status == status


# ---- whom it is about --------------------------------------------------------------------------

RELAY, OTHER = True, False


@pytest.mark.parametrize(
    ("reply", "mail", "rcpt", "data", "dot"),
    [
        ("550 No", RELAY, OTHER, OTHER, OTHER),
        ("451 4.3.0 Later", RELAY, OTHER, OTHER, OTHER),
        ("451 4.7.1 Greylisted", RELAY, OTHER, OTHER, OTHER),
        ("550 5.7.1 Not from you", RELAY, OTHER, OTHER, OTHER),
        ("550 5.1.1 No such user", RELAY, OTHER, OTHER, OTHER),
        ("552 5.2.2 Mailbox full", OTHER, OTHER, OTHER, OTHER),
        ("452 4.2.2 Mailbox full", RELAY, OTHER, OTHER, OTHER),
        # of the message
        ("552 Too big", OTHER, OTHER, OTHER, OTHER),
        ("552 5.3.4 Too big", OTHER, OTHER, OTHER, OTHER),
        ("550 5.2.3 Too big for it", OTHER, OTHER, OTHER, OTHER),
        ("554 5.6.1 Not this kind", OTHER, OTHER, OTHER, OTHER),
        ("550 5.6.7 Not beyond ASCII", OTHER, OTHER, OTHER, OTHER),
        # of the relay, or of us
        ("421 4.7.0 Slow down", RELAY, RELAY, RELAY, RELAY),
        ("421 4.2.2 Closing", RELAY, RELAY, RELAY, RELAY),
        ("530 5.7.0 Log in first", RELAY, RELAY, RELAY, RELAY),
        ("553 5.1.8 Bad sender", RELAY, RELAY, OTHER, OTHER),
        ("550 5.1.7 Bad sender", RELAY, RELAY, OTHER, OTHER),
        ("452 Too many recipients", RELAY, RELAY, OTHER, OTHER),
        ("452 4.5.3 Too many recipients", RELAY, RELAY, OTHER, OTHER),
        ("452 4.3.1 Disk full", RELAY, RELAY, RELAY, RELAY),
    ],
)
def test_whom_it_is_about(reply, mail, rcpt, data, dot):
    code, _, text = reply.partition(" ")
    phases = (Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.DOT)
    about = [answer(int(code), text.encode(), phase).is_about_relay for phase in phases]
    assert about == [mail, rcpt, data, dot]
    assert answer(int(code), text.encode(), Phase.OPENING).is_about_relay


@pytest.mark.parametrize(
    ("code", "text", "enough"),
    [
        (452, b"4.5.3 Too many recipients", True),
        (450, b"4.5.3 Too many recipients", True),
        (452, b"Too many recipients", True),
        (452, b"4.3.1 Disk full", True),
        (452, b"4.2.2 Mailbox full", False),
        (450, b"4.2.1 Greylisted", False),
        (550, b"5.1.1 No such user", False),
    ],
)
def test_a_server_has_had_enough(code, text, enough):
    assert has_had_enough(Reply(code, text), Phase.RCPT) is enough
    for phase in set(Phase) - {Phase.RCPT}:
        assert not has_had_enough(Reply(code, text), phase)


# ---- its text ----------------------------------------------------------------------------------


def test_a_reply_of_several_lines_is_one_line():
    assert answer(550, b"5.1.1 No such\n  user\there").text == "5.1.1 No such user here"


def test_a_reply_that_is_not_utf_8_is_readable_all_the_same():
    assert answer(550, b"5.1.1 na\xefve").text == "5.1.1 na\N{REPLACEMENT CHARACTER}ve"


def test_a_long_reply_is_cut():
    assert answer(550, b"5.7.1 " + b"x" * 9000).text == "5.7.1 " + "x" * (LONGEST_TEXT - 6)


@given(
    code=st.integers(200, 599),
    reply=st.binary(max_size=700) | st.from_regex(rb"[245]\.\d{1,2}\.\d{1,2}( .*)?"),
    phase=st.sampled_from(Phase),
)
def test_any_reply_has_an_outcome_and_only_a_5yz_refuses(code, reply, phase):
    outcome = answer(code, reply, phase)
    assert (outcome.kind is A) == (200 <= code < 300 and phase is Phase.DOT)
    assert outcome.kind in {A, D} or code >= 500
    assert len(outcome.text) <= LONGEST_TEXT


def test_what_was_accepted_keeps_the_servers_status():
    assert answer(250, b"2.6.0 queued").status == "2.6.0"
