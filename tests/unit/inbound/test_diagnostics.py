"""What a refusal means: each line of the table by its own example, and the order of the lines."""

import pytest

from digest.errors import SettingError
from digest.inbound.diagnostics import (
    best_status,
    code_in,
    diagnose,
    diagnosed_example,
    phase_in,
    plain_words,
    shipped_table,
    table_with,
)
from digest.model.diagnosis import Cause, Diagnosis, Phase, Scope

TABLE = shipped_table()


@pytest.mark.parametrize("rule", TABLE, ids=lambda rule: f"{rule.cause}: {rule.like[:60]}")
def test_each_line_of_the_table_decides_its_example(rule):
    """No line above it takes the example, and the line says who knows."""
    assert rule.like
    assert rule.source
    assert diagnosed_example(rule, TABLE) == Diagnosis(rule.cause, rule.scope, rule.source)


def cause_of(text, **context):
    return diagnose(text, **context).cause


@pytest.mark.parametrize(
    "said",
    [
        "550 No such user",
        "550 Unknown user",
        "550 <ada@example.org>: user unknown",
        "550 unknown recipient ada",
        "550 mailbox not found",
        "550 sorry, no mailbox here by that name",
        "550 this account does not exist",
        "550 not a valid mailbox",
        "553 unrouteable address",
        "550 Host unknown",
        "Unable to route: domain not found",
        "556 this domain does not accept mail",
        "554 rcpt <ada@example.org> does not exist",
        "550 no mail box for this name",
        "550 there is no one at this address",
        "550 <ada@example.org> not found",
        "550 address not present in directory",
        "550 no ada in our directory",
        "550 the address could not be found",
        "550 not an active address here",
        "550 not a local address",
        "550 non existent user",
        "550 recipient is not local",
        "550 this address has been replaced by another",
        "550 the account was terminated",
        "553 sorry, badrcptto",
        "550 domain must exist",
        "550 5.4.1 Recipient address rejected: Access denied",
        "odbiorca nie istnieje",
        "Empfänger unbekannt",
        "l'adresse n'existe pas",
    ],
)
def test_words_for_nobody(said):
    assert diagnose(said, reported=True).is_dead
    assert diagnose(said, status="5.0.0", reported=True).is_dead


@pytest.mark.parametrize(
    "said",
    [
        "",
        "550",
        "550 denied",
        "450 no such user",
        "552 no such user",
        "550 quota exceeded, user unknown",
        "550 mailbox full",
        "550 message too large for this user",
        "550 sender address rejected: domain not found",
        "550 blocked: your host is unknown to this user",
        "554 relay access denied",
        "host not found, temporary failure",
        "550 invalid DNS MX or A record of an invalid address",
        "550 unknown sender, invalid address",
        "550 access denied for this unknown user",
        "550 your domain does not exist",
        "550 address without reverse name: host not found",
        "550 you are not known in the address book of this user",
        "550 mailbox ada: unknown error",
        "550 user ada: connection terminated",
        "550 recipient ada: invalid header",
        "unbekannter Fehler",
        "erreur inconnue",
        "ukendt fejl",
        "ismeretlen hiba",
        "550 recipient is not unique, several were found in the directory",
        "the account is disabled",
        "Requested action not taken: mailbox unavailable",
    ],
)
def test_words_that_do_not_tell_leave_the_address_alive(said):
    assert not diagnose(said, reported=True).is_dead
    assert not diagnose(said, status="5.0.0", reported=True).is_dead


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ("550 5.1.1 <ada@example.org> - 192.0.2.10 has sent to too many recipients", Cause.RATE),
        ("550 5.1.1 rate limited, try again later", Cause.RATE),
        ("550 5.1.1 over quota", Cause.FULL),
        ("550 5.1.2 example.org: lookup failure", Cause.DNS),
        ("550 5.1.2 Host not found, try again", Cause.DNS),
        ("550 5.1.1 greylisted", Cause.TRANSIENT),
        ("550 5.1.1 rejected for SPF", Cause.AUTHENTICATION),
        ("550 5.2.1 this user is receiving mail at a rate that is too high", Cause.RATE),
        ("450 5.1.1 no such user", Cause.TRANSIENT),
        ("450 4.1.1 no such user", Cause.TRANSIENT),
        ("550 5.2.2 no such user", Cause.FULL),
        ("550 5.7.26 no such user", Cause.AUTHENTICATION),
    ],
)
def test_a_contradiction_is_decided_for_the_living(said, cause):
    assert cause_of(said) is cause


@pytest.mark.parametrize("status", ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"])
def test_a_status_for_a_dead_mailbox_counts_where_words_say_nothing(status):
    assert diagnose(f"550 {status} sorry").is_dead
    assert diagnose("550 sorry", status=status).is_dead
    assert not diagnose(f"450 {status} sorry").is_dead


@pytest.mark.parametrize(
    "said",
    [
        "550 5.7.1 No such user! 1770727568-8kRkAnR9J0U0",
        "550 5.1.1 <content@spam-policy.example>: user unknown",
        "550 5.1.1 user unknown, see https://example.org/policy/spam/blocked",
    ],
)
def test_words_for_nobody_outweigh_a_status_and_what_stands_in_addresses_and_links(said):
    assert diagnose(said, phase=Phase.RCPT).is_dead


@pytest.mark.parametrize(
    ("said", "phase", "cause", "scope"),
    [
        ("554 sender identity is not verified", Phase.DOT, Cause.RELAY, Scope.US),
        ("552 5.3.4 too big", Phase.DOT, Cause.SIZE, Scope.MESSAGE),
        ("550 5.6.3 no", Phase.DOT, Cause.CONTENT, Scope.MESSAGE),
        ("550 relay not permitted", Phase.RCPT, Cause.RELAY, Scope.US),
        ("530 5.7.0 log in first", Phase.RCPT, Cause.RELAY, Scope.US),
        ("550 no", Phase.RCPT, Cause.UNKNOWN, Scope.ADDRESS),
        ("550 no", Phase.DOT, Cause.UNKNOWN, Scope.MESSAGE),
        ("550 no", Phase.MAIL, Cause.UNKNOWN, Scope.US),
    ],
)
def test_a_refusal_for_our_own_fault_is_not_about_the_address(said, phase, cause, scope):
    diagnosis = diagnose(said, phase=phase)
    assert (diagnosis.cause, diagnosis.scope) == (cause, scope)
    assert diagnosis.counts_against_reader is (scope is Scope.ADDRESS)


def test_a_relay_refusal_in_a_report_is_about_the_address_that_lapsed():
    diagnosis = diagnose("554 5.7.1 <ada@example.org>: Relay access denied", reported=True)
    assert (diagnosis.cause, diagnosis.scope) == (Cause.RELAY, Scope.ADDRESS)


@pytest.mark.parametrize("phase", [Phase.OPENING, Phase.MAIL])
def test_no_server_knows_of_an_address_before_it_was_told_it(phase):
    assert diagnose("550 5.1.1 user unknown").is_dead
    assert not diagnose("550 5.1.1 user unknown", phase=phase).is_dead
    assert diagnose("550 5.1.1 user unknown", phase=Phase.DOT).is_dead


@pytest.mark.parametrize(
    ("said", "phase"),
    [
        ("550 no (in reply to RCPT TO command)", Phase.RCPT),
        ("550 no (in reply to end of DATA command)", Phase.DOT),
        ("550 no (in reply to DATA command)", Phase.DATA),
        ("550 no (in reply to MAIL FROM command)", Phase.MAIL),
        (">>> RCPT TO:<ada@example.org>\n<<< 550 Requested", Phase.RCPT),
        ("SMTP error after pipelined MAIL FROM:<us@example.com>", Phase.MAIL),
        ("550 no", None),
    ],
)
def test_what_was_answered_is_read_from_a_report(said, phase):
    assert phase_in(said) is phase


def test_a_sentence_over_several_lines_of_a_reply_is_read_as_one():
    said = "550-5.2.1 this user receives mail at a rate\n550-5.2.1 that prevents\n550 5.2.1 more"
    assert plain_words(said) == "550-5.2.1 this user receives mail at a rate that prevents more"


@pytest.mark.parametrize(
    ("status", "said", "best"),
    [
        ("5.0.0", "550 5.1.1 nobody", "5.1.1"),
        ("5.1.1", "550 5.7.1 not from you", "5.7.1"),
        ("5.1.1 (bad mailbox)", "550 nobody", "5.1.1"),
        ("5.0.0", "550 nobody", "5.0.0"),
        ("", "550 nobody (#5.1.1)", "5.1.1"),
        ("", "550 nobody at 5.1.1.7", ""),
        ("", "version 4.8.5.36", ""),
        ("2.0.0", "", ""),
    ],
)
def test_the_status_that_tells_most(status, said, best):
    assert best_status(status, said) == best


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("550 no", "550"),
        ("said: 450-4.2.1", "450"),
        ("192.0.2.550", ""),
        ("450 MB", ""),
        ("a550 b", ""),
    ],
)
def test_reply_codes(said, code):
    assert code_in(said) == code


# ---- an operator's own file ------------------------------------------------------------------

OWN = """
[[groups]]
class = "dead mailbox"
scope = "this address"
source = "our relay"
lines = [
  { words = 'gone fishing', like = '550 gone fishing' },
]
"""


def written(tmp_path, text):
    file = tmp_path / "own.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_an_operators_file_adds_and_overrides(tmp_path):
    own = written(tmp_path, OWN)
    assert diagnose("550 gone fishing", table=table_with(own)).source == "our relay"
    assert not diagnose("550 gone fishing").is_dead
    overriding = written(tmp_path, OWN.replace("gone fishing", "no such user"))
    assert diagnose("550 no such user", table=table_with(overriding)).source == "our relay"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("dead mailbox", "dead"), "line 7: 'dead' is not a valid Cause"),
        (("this address", "them"), "line 7: 'them' is not a valid Scope"),
        (("gone fishing'", "gone ('"), "line 7: missing )"),
        (("words =", "word ="), "line 7: there is no 'word'"),
        (("550 gone", "550 went"), "line 7: it does not fit its own example"),
        (("words = 'gone fishing'", "phase = ['HELO']"), "line 7: 'HELO' is not a valid Phase"),
        (("words = 'gone fishing'", "code = 550"), "line 7: code must be a text"),
        (("words = 'gone fishing'", "words = gone"), "line 7"),
        (("  {", "{ words = 'no' }, {"), "a line of its own"),
        (("words = 'gone fishing'", "phase = " + "[" * 3000), "own.toml"),
    ],
)
def test_a_fault_in_an_operators_file_is_told_with_its_line(tmp_path, change, complaint):
    own = written(tmp_path, OWN.replace(*change))
    with pytest.raises(SettingError, match=r"own\.toml") as caught:
        table_with(own)
    assert complaint in str(caught.value)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(SettingError, match=r"nothing\.toml"):
        table_with(tmp_path / "nothing.toml")
