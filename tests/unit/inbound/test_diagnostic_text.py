"""Is an address dead, by what a server said of it?"""

import pytest

from digest.inbound.diagnostic_text import (
    LONGEST_DIAGNOSTIC,
    best_status,
    is_hard,
    recipient,
    reply_code,
)
from digest.model.messages import names_dead_mailbox, says_address_may_live


@pytest.mark.parametrize("status", ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"])
def test_a_dead_status_wins_over_words(status):
    assert names_dead_mailbox(status)
    assert is_hard(status, f"421 {status} try again later, this is spam")
    assert is_hard(status, "this is spam")


@pytest.mark.parametrize(
    "said",
    ["550 mailbox of ada is suspended", "550 message exceeds the size that is allowed", "554 spam"],
)
def test_a_status_that_the_reporter_has_made_up_does_not_win(said):
    assert not is_hard("5.1.1", said)
    assert is_hard("5.1.1", f"{said}, and no such user")
    assert is_hard("5.1.1", said.replace(" ", " 5.1.1 ", 1))


@pytest.mark.parametrize(
    "status",
    ["5.1.7", "5.1.8", "5.2.2", "5.2.3", "5.3.4", "5.6.1", "5.7.1", "5.7.26", "4.1.1", "4.4.7"],
)
def test_a_mild_status_wins_over_words(status):
    assert says_address_may_live(status)
    assert not is_hard(status, "550 no such user")


def test_a_mailbox_that_gets_too_much_is_not_disabled():
    assert not is_hard("5.2.1", "550-5.2.1 this user is receiving mail at a rate that is too high")


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
    assert is_hard("", said)
    assert is_hard("5.0.0", said)


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
    assert not is_hard("", said)
    assert not is_hard("5.0.0", said)


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
    assert reply_code(said) == code


@pytest.mark.parametrize(
    "when",
    ["after end of data", "after MAIL FROM:<us@example.com>", "in reply to end of DATA command"],
)
def test_a_refusal_of_something_else_does_not_kill_the_address(when):
    assert recipient("ada@example.org", "550 user unknown").is_hard
    assert not recipient("ada@example.org", "550 user unknown", transcript=when).is_hard
    assert recipient("ada@example.org", "550 5.1.1 user unknown", transcript=when).is_hard


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
