"""The mails about a subscription: to whom each goes, and what the log says when one does not."""

import re
from dataclasses import replace
from datetime import timedelta

import lxml.html
import pytest
from structlog.testing import capture_logs

from digest.compose.environment import Templates
from digest.compose.from_identity import from_identity
from digest.compose.language import language
from digest.compose.transactional_composer import CONFIRM_WITHIN, TransactionalComposer
from digest.deliver.transactional_mail import TransactionalMail, alert_operator
from digest.errors import SettingError, TransportError
from digest.model.deliveries import Balance
from digest.model.messages import Outcome, OutcomeKind
from subscribers.errors import TokenError
from subscribers.model import AddressChange, Consent, Subscriber
from subscribers.preferences import Preferences
from subscribers.tokens import Purpose
from subscribers.topics import TopicFilter
from tests.raw_message import decoded, read
from tests.support import NOW, TODAY, make_settings

SENDER = from_identity(make_settings())
COMPOSER = TransactionalComposer(Templates(), SENDER)
ADA = Subscriber(7, "a" * 32, "Ada@example.org", (), Preferences(), Consent.PENDING, NOW)
OPERATOR = "operator@example.org"
TROUBLES = ["huggingface: HTTP 503", "smtp://relay.example:25: <b> refused"]
MOVE = AddressChange("b" * 32, ADA, "ada@elsewhere.example")

MESSAGES = {
    "confirmation": (lambda mail: mail.confirm(ADA), ADA.address),
    "welcome": (lambda mail: mail.welcome(ADA), ADA.address),
    "goodbye": (lambda mail: mail.goodbye(ADA, NOW + timedelta(hours=24)), ADA.address),
    "confirmation of an address": (lambda mail: mail.confirm_address(MOVE), MOVE.address),
    "notice to an old address": (lambda mail: mail.address_changed(MOVE), ADA.address),
}
ALL = pytest.mark.parametrize("name", MESSAGES)


def send(name, post, composer=COMPOSER):
    """What the log says of sending one."""
    with capture_logs() as logs:
        MESSAGES[name][0](TransactionalMail(composer, post, lambda: NOW))
    return logs


def answer(text, kind=OutcomeKind.REFUSED):
    return lambda message: Outcome(kind, text, 550)


@ALL
def test_a_message_goes_to_its_address_and_nothing_is_logged(name):
    assert send(name, answer("ok", OutcomeKind.ACCEPTED)) == []
    assert posted(name).envelope.rcpt_to == MESSAGES[name][1]


@ALL
@pytest.mark.parametrize("kind", [OutcomeKind.REFUSED, OutcomeKind.DEFERRED, OutcomeKind.UNCERTAIN])
def test_a_message_that_is_not_accepted_is_told_by_number(name, kind):
    assert send(name, answer("5.7.1 not today", kind)) == [
        {
            "event": "a message was not sent",
            "log_level": "error",
            "message": name,
            "subscriber": 7,
            "why": "5.7.1 not today",
        }
    ]


@ALL
def test_a_relay_that_cannot_be_used_is_told_and_nothing_is_raised(name):
    def post(message):
        raise TransportError("smtp://relay.example:25: connection refused")

    [said] = send(name, post)
    assert said["why"] == "smtp://relay.example:25: connection refused"


@ALL
def test_a_message_that_cannot_be_made_is_told_and_not_posted(name, tmp_path):
    own = tmp_path / "mail" / "partials"
    own.mkdir(parents=True)
    (own / "letter.mjml.j2").write_text("{{ mail.nothing }}")
    [said] = send(name, answer("posted"), TransactionalComposer(Templates(tmp_path), SENDER))
    assert "mail/partials/letter.mjml.j2, line 1: " in said["why"]


# ---- the messages themselves --------------------------------------------------------------------


def posted(name, now=NOW):
    """The message that is posted."""
    messages = []

    def post(message):
        messages.append(message)
        return Outcome(OutcomeKind.ACCEPTED, "ok", 250)

    MESSAGES[name][0](TransactionalMail(COMPOSER, post, lambda: now))
    return messages[0]


def links(message):
    plain, rich = (part.text for part in read(message.content).parts)
    found = re.findall(r"https://\S+", plain)
    assert lxml.html.fromstring(rich).xpath("//a[starts-with(@href, 'https:')]/@href") == found
    return found


@pytest.mark.parametrize(
    ("name", "purpose", "public_id"),
    [
        ("confirmation", Purpose.CONFIRM, ADA.public_id),
        ("confirmation of an address", Purpose.ADDRESS, MOVE.public_id),
    ],
)
def test_the_only_link_is_good_for_its_purpose_and_time(name, purpose, public_id):
    [link] = links(posted(name))
    before, _, token = link.rpartition("/")
    assert before == f"{SENDER.base_url}/{purpose}"
    last = NOW + CONFIRM_WITHIN - timedelta(seconds=1)
    assert SENDER.tokens.read_at(purpose, token, last) == public_id
    with pytest.raises(TokenError):
        SENDER.tokens.read_at(purpose, token, NOW + CONFIRM_WITHIN)


def test_a_welcome_leads_to_the_preferences_and_the_way_out():
    preferences, out = links(posted("welcome"))
    assert preferences == SENDER.link(Purpose.PREFERENCES, ADA.public_id)
    assert out == SENDER.link(Purpose.UNSUBSCRIBE, ADA.public_id)


def test_a_welcome_says_what_will_come():
    topics = tuple(map(TopicFilter, ("robots", "ants & bees")))
    person = replace(ADA, topics=topics, preferences=Preferences(days=frozenset({"tue", "fri"})))
    said = [part.text for part in read(COMPOSER.welcome(person, NOW).content).parts]
    shown = lxml.html.fromstring(said[1]).text_content()
    for text in (said[0], shown):
        assert "robots and ants & bees" in text
        assert "on Tuesday and Friday" in " ".join(text.split())
    assert "You have chosen no topics" in read(posted("welcome").content).parts[0].text


def test_a_goodbye_leads_back_for_its_time():
    [link] = links(posted("goodbye"))
    before, _, token = link.rpartition("/")
    assert before == f"{SENDER.base_url}/undo"
    last = NOW + timedelta(hours=24)
    assert SENDER.tokens.read_at(Purpose.UNDO, token, last - timedelta(seconds=1)) == ADA.public_id
    with pytest.raises(TokenError):
        SENDER.tokens.read_at(Purpose.UNDO, token, last)
    assert "24 hours" in read(posted("goodbye").content).parts[0].text


@pytest.mark.parametrize(
    ("locale", "code", "direction"),
    [
        ("de-AT", "de", "ltr"),
        ("ar", "ar", "rtl"),
        ("zh-CN", "zh-Hans", "ltr"),
        ("tlh", "fr", "ltr"),
    ],
)
def test_each_message_is_in_its_readers_language(locale, code, direction):
    """In an installation that speaks French; of Klingon there is no catalogue."""
    composer = TransactionalComposer(Templates(None, language("fr")), SENDER)
    reader = replace(ADA, preferences=Preferences(locale=locale), topics=(TopicFilter("robots"),))
    move, said = replace(MOVE, person=reader), language(code)
    for message, subject in (
        (composer.confirmation(reader, NOW), "Please confirm your subscription to %(brand)s"),
        (composer.welcome(reader, NOW), "Welcome to %(brand)s"),
        (composer.settings_link(reader, NOW), "Your settings at %(brand)s"),
        (composer.goodbye(reader, NOW + timedelta(hours=24), NOW), "You have unsubscribed from %(brand)s"),
        (composer.address_confirmation(move, NOW), "Please confirm your new address for %(brand)s"),
        (composer.address_notice(move, NOW), "Your address for %(brand)s was changed"),
    ):  # fmt: skip
        mail = read(message.content)
        assert decoded(mail.one("Subject")) == said.gettext(subject, brand=SENDER.name)
        page = lxml.html.document_fromstring(mail.parts[1].text)
        assert (page.get("lang"), page.get("dir")) == (code, direction)
    confirmation = read(composer.confirmation(reader, NOW).content).parts[0].text
    assert said.gettext("every day") in confirmation.replace("\n", " ")


def test_the_notice_has_no_link_but_the_way_to_a_person():
    message = posted("notice to an old address")
    assert links(message) == []
    for part in read(message.content).parts:
        assert SENDER.reply_to in part.text
        assert MOVE.address in part.text


@ALL
def test_a_message_is_no_mail_of_the_list(name):
    mail = read(posted(name).content)
    assert [name for name, _ in mail.headers if name.startswith("List-")] == []
    assert re.fullmatch(r"[a-z-]+:account:example\.org", mail.one("Feedback-ID"))
    assert mail.one("Auto-Submitted") == "auto-generated"
    assert mail.one("To") == MESSAGES[name][1]
    for part in mail.parts:
        assert SENDER.postal_address in part.text


def test_each_message_is_one_of_its_own():
    ids = [posted(name, NOW + timedelta(seconds=n)).message_id for name in MESSAGES for n in (0, 1)]
    assert len(set(ids)) == len(ids)


# ---- to the operator ---------------------------------------------------------------------------


def alert(post, composer=lambda: COMPOSER, **values):
    """What the log says of telling the operator."""

    def make():
        told = {"where": "mail.example.org, /srv/digest", **values}
        return composer().alert(OPERATOR, TROUBLES, now=NOW, **told)

    with capture_logs() as logs:
        alert_operator(make, post)
    return logs


@pytest.mark.parametrize(
    ("told", "what"),
    [
        ({"broken_off": True}, "The run was broken off: "),
        ({}, "Needs attention: "),
        ({"balance": Balance(TODAY, due=3, pending=3)}, "No digest went out today: "),
        ({"balance": Balance(TODAY, due=9, accepted=5, skipped=2)}, "5 of 7 digests went out: "),
        ({"balance": Balance(TODAY, due=9, accepted=7, skipped=2)}, "Needs attention: "),
    ],
)
def test_the_operator_is_told_all_there_is_to_know(told, what):
    messages = []

    def post(message):
        messages.append(message)
        return Outcome(OutcomeKind.ACCEPTED, "ok", 250)

    assert alert(post, **told) == []
    [message] = messages
    assert message.envelope.rcpt_to == OPERATOR
    mail = read(message.content)
    assert mail.one("Subject").startswith(f"Paper Digest: {what}{TROUBLES[0][:20]}")
    plain, rich = (part.text for part in mail.parts)
    for text in (plain, lxml.html.document_fromstring(rich).text_content()):
        said = " ".join(text.split())
        for part in (what, *TROUBLES, "mail.example.org, /srv/digest", "20 February 2026"):
            assert part in said
        assert "digest run" in said
        assert SENDER.postal_address in said


@pytest.mark.parametrize("kind", [OutcomeKind.REFUSED, OutcomeKind.DEFERRED, OutcomeKind.UNCERTAIN])
def test_an_alert_that_is_not_accepted_is_logged(kind):
    assert alert(answer(f"5.1.1 <{OPERATOR}> unknown", kind)) == [
        {
            "event": "the operator was not told",
            "log_level": "error",
            "why": f"5.1.1 <{OPERATOR}> unknown",
        }
    ]


def test_an_alert_that_cannot_be_made_is_logged():
    def composer():
        raise SettingError("DIGEST_FROM is not set")

    [said] = alert(answer("posted"), composer)
    assert said["why"] == "DIGEST_FROM is not set"
