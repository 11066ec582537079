"""The mails about a subscription: to whom each goes, and what the log says when one does not."""

import re
from datetime import timedelta

import lxml.html
import pytest
from structlog.testing import capture_logs

from digest.compose.environment import Templates
from digest.compose.letters import CONFIRM_WITHIN, LetterComposer
from digest.compose.sender import sender_of
from digest.errors import TemplateError, TransportError
from digest.letters import Letters
from digest.model import Outcome, OutcomeKind
from subscribers.errors import TokenError
from subscribers.model import Consent, Move, Subscriber
from subscribers.preferences import Preferences
from subscribers.tokens import Purpose
from tests.raw_message import read
from tests.support import NOW, make_settings

SENDER = sender_of(make_settings())
COMPOSER = LetterComposer(Templates(), SENDER)
ADA = Subscriber(7, "a" * 32, "Ada@example.org", (), Preferences(), Consent.PENDING, NOW)
MOVE = Move("b" * 32, ADA, "ada@elsewhere.example")

LETTERS = {
    "confirmation": (lambda letters: letters.confirm(ADA), ADA.address),
    "confirmation of an address": (lambda letters: letters.confirm_address(MOVE), MOVE.address),
    "notice to an old address": (lambda letters: letters.address_changed(MOVE), ADA.address),
}
ALL = pytest.mark.parametrize("letter", LETTERS)


def send(letter, post, composer=COMPOSER):
    """What the log says of sending a letter."""
    with capture_logs() as logs:
        LETTERS[letter][0](Letters(composer, post, lambda: NOW))
    return logs


def answer(text, kind=OutcomeKind.REFUSED):
    return lambda message: Outcome(kind, text, 550)


@ALL
def test_a_letter_goes_to_its_address_and_nothing_is_logged(letter):
    assert send(letter, answer("ok", OutcomeKind.ACCEPTED)) == []
    assert posted(letter).envelope.rcpt_to == LETTERS[letter][1]


@ALL
@pytest.mark.parametrize("kind", [OutcomeKind.REFUSED, OutcomeKind.DEFERRED, OutcomeKind.UNCERTAIN])
def test_a_letter_that_is_not_accepted_is_told_by_number(letter, kind):
    assert send(letter, answer("5.7.1 not today", kind)) == [
        {
            "event": "a letter was not sent",
            "log_level": "error",
            "letter": letter,
            "subscriber": 7,
            "why": "5.7.1 not today",
        }
    ]


@ALL
def test_a_relay_that_cannot_be_used_is_told_and_nothing_is_raised(letter):
    def post(message):
        raise TransportError("smtp://relay.example:25: connection refused")

    [said] = send(letter, post)
    assert said["why"] == "smtp://relay.example:25: connection refused"


@ALL
def test_a_letter_that_cannot_be_made_is_told_and_not_posted(letter):
    class Broken(Templates):
        def render(self, name, **values):
            raise TemplateError(name, 1, "no such thing")

    [said] = send(letter, answer("posted"), LetterComposer(Broken(), SENDER))
    assert "line 1: no such thing" in said["why"]


@ALL
@pytest.mark.parametrize(
    "text",
    [
        "5.1.1 <{0}>: Recipient address rejected",
        "5.1.1 {0} does not exist, nor does {0}",
        "5.2.2 mailbox of {0} is full",
    ],
)
@pytest.mark.parametrize("spelt", [str, str.upper, str.lower])
def test_a_server_that_repeats_the_address_puts_it_in_no_log(letter, text, spelt):
    address = LETTERS[letter][1]
    [said] = send(letter, answer(text.format(spelt(address))))
    assert address.casefold() not in str(said).casefold()
    assert said["why"].startswith(text[:5])


# ---- the letters themselves --------------------------------------------------------------------


def posted(letter, now=NOW):
    """The message that a letter is sent as."""
    messages = []

    def post(message):
        messages.append(message)
        return Outcome(OutcomeKind.ACCEPTED, "ok", 250)

    LETTERS[letter][0](Letters(COMPOSER, post, lambda: now))
    return messages[0]


def links(message):
    plain, rich = (part.text for part in read(message.content).parts)
    found = re.findall(r"https://\S+", plain)
    assert lxml.html.fromstring(rich).xpath("//a[starts-with(@href, 'https:')]/@href") == found
    return found


@pytest.mark.parametrize(
    ("letter", "purpose", "public_id"),
    [
        ("confirmation", Purpose.CONFIRM, ADA.public_id),
        ("confirmation of an address", Purpose.ADDRESS, MOVE.public_id),
    ],
)
def test_the_only_link_is_good_for_its_purpose_and_time(letter, purpose, public_id):
    [link] = links(posted(letter))
    before, _, token = link.rpartition("/")
    assert before == f"{SENDER.base_url}/{purpose}"
    last = NOW + CONFIRM_WITHIN - timedelta(seconds=1)
    assert SENDER.tokens.read_at(purpose, token, last) == public_id
    with pytest.raises(TokenError):
        SENDER.tokens.read_at(purpose, token, NOW + CONFIRM_WITHIN)


def test_the_notice_has_no_link_but_the_way_to_a_person():
    message = posted("notice to an old address")
    assert links(message) == []
    for part in read(message.content).parts:
        assert SENDER.reply_to in part.text
        assert MOVE.address in part.text


@ALL
def test_a_letter_is_no_mail_of_the_list(letter):
    mail = read(posted(letter).content)
    assert [name for name, _ in mail.headers if name.startswith("List-")] == []
    assert re.fullmatch(r"[a-z-]+:account:paper-digest", mail.one("Feedback-ID"))
    assert mail.one("Auto-Submitted") == "auto-generated"
    assert mail.one("To") == LETTERS[letter][1]
    for part in mail.parts:
        assert SENDER.postal_address in part.text


def test_each_letter_is_one_of_its_own():
    ids = [posted(each, NOW + timedelta(seconds=n)).message_id for each in LETTERS for n in (0, 1)]
    assert len(set(ids)) == len(ids)
