"""The letters after joining and after leaving: when they are sent, and when they are not."""

import re
from datetime import timedelta

import pytest

from digest.compose.from_identity import from_identity
from digest.compose.transactional_composer import TransactionalComposer
from subscribers.model import Consent, Standing, Subscriber, SuppressionReason
from subscribers.preferences import Preferences
from subscribers.tokens import Purpose
from subscribers.topics import parse_topics
from subscribers.web.page_context import MOST_PER_ADDRESS, UNDO_WITHIN, FirstDigest, When
from tests.integration.at_once import at_once
from tests.integration.house import House
from tests.integration.site import SENDER, TEMPLATES
from tests.raw_message import read
from tests.support import NOW, make_settings

ADA = "ada@example.org"


@pytest.fixture
def house(ledger, registry):
    return House(ledger, registry, welcomes=True, says_goodbye=True)


def subjects(house):
    return [read(mail.content).one("Subject") for mail in house.mails]


def reader(house):
    return house.registry.add(ADA, parse_topics(["ants"]), source="test", now=NOW)


def leave(house, person, **values):
    path = f"/unsubscribe/{SENDER.tokens.make(Purpose.UNSUBSCRIBE, person.public_id)}"
    return house.post(path, **values)


# ---- joining -----------------------------------------------------------------------------------


def test_whoever_confirms_is_welcomed_once(house):
    house.subscribe(ADA, "robots")
    link = house.link()
    house.get(link)
    assert len(house.mails) == 1, "looking is not confirming"
    house.post(link)
    house.post(link)
    assert subjects(house) == [
        "Please confirm your subscription to Paper Digest",
        "Welcome to Paper Digest",
    ]
    assert house.mailed == [ADA, ADA]
    said = read(house.mails[-1].content).parts[0].text
    assert "robots" in said
    preferences, out = re.findall(rf"{SENDER.base_url}(/\S+)", said)
    assert "robots" in house.get(preferences).text
    house.post(out)
    assert house.registry.file_of(ADA).subscriber.consent is Consent.WITHDRAWN


@pytest.mark.parametrize("said", ["confirmed", "withdrawn"])
def test_saying_it_twice_at_once_leads_to_one_letter(house, engine, said):
    """As a button does that is pressed twice."""
    house.subscribe(ADA, "robots")
    link = house.link()
    if said == "withdrawn":
        house.post(link)
        [ada] = house.registry.everybody()
        link = f"/unsubscribe/{SENDER.tokens.make(Purpose.UNSUBSCRIBE, ada.public_id)}"
    before = len(house.mails)
    press = lambda: house.post(link).status_code  # noqa: E731
    assert at_once(engine, press, press, before=("UPDATE subscribers",)) == [200, 200]
    assert len(house.mails) == before + 1


def test_nobody_is_welcomed_where_the_operator_does_not_want_that(ledger, registry):
    house = House(ledger, registry)
    house.subscribe(ADA)
    house.post(house.link())
    assert len(house.mails) == 1


def test_a_blocked_address_is_not_welcomed(house):
    house.subscribe(ADA)
    link = house.link()
    house.registry.suppressions.add(ADA, SuppressionReason.COMPLAINT, now=NOW)
    assert house.post(link).status_code == 200
    assert len(house.mails) == 1


def test_a_link_that_is_void_welcomes_nobody(house):
    house.subscribe(ADA)
    link = house.link()
    [ada] = house.registry.everybody()
    house.registry.withdraw(ada.public_id, source="test", now=NOW)
    house.post(link)
    house.now = NOW + timedelta(days=30)
    house.post(link)
    assert len(house.mails) == 1


def test_whoever_comes_back_by_confirming_is_welcomed_again(house):
    ada = reader(house)
    house.registry.withdraw(ada.public_id, source="test", now=NOW)
    house.subscribe(ADA)
    house.post(house.link())
    assert subjects(house)[-1] == "Welcome to Paper Digest"


# ---- leaving -----------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [{}, {"data": {"List-Unsubscribe": "One-Click"}}])
def test_whoever_leaves_is_told_once_and_can_undo_it(house, body):
    ada = reader(house)
    leave(house, ada, **body)
    leave(house, ada, **body)
    assert subjects(house) == ["You have unsubscribed from Paper Digest"]
    assert house.mailed == [ADA]
    page = house.get(house.link())
    assert house.registry.standing(ada.id) is Standing.WITHDRAWN, "looking is not undoing"
    action = re.search(r'<form method="post" action="([^"]+)"', page.text)[1]
    assert "You’re subscribed" in house.post(action).text
    assert house.registry.standing(ada.id) is Standing.MAY_RECEIVE
    assert "You’re subscribed" in house.get(house.link()).text, "it is undone already"
    assert len(house.mails) == 1


def test_the_way_back_ends(house):
    leave(house, reader(house))
    house.now = NOW + UNDO_WITHIN
    assert house.get(house.link()).status_code == house.post(house.link()).status_code == 404


def test_by_default_nothing_comes_after_leaving(ledger, registry):
    house = House(ledger, registry)
    leave(house, reader(house))
    assert house.mails == []


def test_looking_at_the_way_out_sends_nothing(house):
    ada = reader(house)
    house.get(f"/unsubscribe/{SENDER.tokens.make(Purpose.UNSUBSCRIBE, ada.public_id)}")
    assert house.mails == []


def test_a_blocked_address_gets_no_goodbye(house):
    ada = reader(house)
    house.registry.suppressions.add(ADA, SuppressionReason.COMPLAINT, now=NOW)
    assert "unsubscribed" in leave(house, ada).text
    assert house.mails == []


def test_whoever_never_confirmed_gets_no_goodbye(house):
    house.subscribe(ADA)
    [ada] = house.registry.everybody()
    leave(house, ada)
    assert len(house.mails) == 1
    assert house.registry.standing(ada.id) is Standing.WITHDRAWN


def test_whoever_was_only_asked_to_come_back_gets_no_goodbye(house):
    ada = reader(house)
    leave(house, ada)
    house.subscribe(ADA)
    before = len(house.mails)
    leave(house, ada)
    assert len(house.mails) == before
    assert house.registry.standing(ada.id) is Standing.WITHDRAWN


def test_leaving_and_undoing_in_turns_floods_nobody(house):
    ada = reader(house)
    for _ in range(MOST_PER_ADDRESS + 3):
        page = leave(house, ada)
        house.post(re.search(r'action="(/undo/[^"]+)"', page.text)[1])
    assert len(house.mails) == MOST_PER_ADDRESS
    leave(house, ada)
    assert house.registry.standing(ada.id) is Standing.WITHDRAWN


def test_an_undo_link_of_nobody_offers_nothing(house):
    token = SENDER.tokens.make_until(Purpose.UNDO, "f" * 32, NOW + UNDO_WITHIN)
    assert "<form" not in house.get(f"/undo/{token}").text


# ---- the first digest ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "asked", "said", "welcomes"),
    [
        (When.AT_ONCE, "come within minutes", "first digest is on its way", 0),
        (When.WAITS, "as soon as emails go out again", "as soon as emails go out again", 0),
        (When.LATER, "with the next edition", "subscribed", 1),
    ],
)
def test_the_pages_say_when_the_first_digest_comes(ledger, registry, when, asked, said, welcomes):
    then = NOW + timedelta(days=1, hours=2)
    first = lambda _: FirstDigest(when, then)  # noqa: E731
    house = House(ledger, registry, welcomes=True, first_digest=first)
    house.subscribe(ADA, "robots", at="18:00", timezone="Europe/Oslo")
    link = house.link()
    assert asked in house.get(link).text
    page = " ".join(house.post(link).text.split())
    assert said in page
    assert "<b>tomorrow at 18:00</b>" in page
    assert len(house.mails) == 1 + welcomes
    again = house.post(link).text
    assert "on its way" not in again, "it was promised once"
    assert len(house.mails) == 1 + welcomes


def test_the_email_promises_a_first_digest_only_where_there_are_any():
    pending = Subscriber(1, "a" * 32, ADA, (), Preferences(), Consent.PENDING, NOW)
    for settings, promises in (
        ({}, True),
        ({"first_digest": "no"}, False),
        ({"send_window": "06:00-07:00"}, False),
    ):
        composer = TransactionalComposer(TEMPLATES, from_identity(make_settings(**settings)))
        for part in read(composer.confirmation(pending, NOW).content).parts:
            assert ("within minutes" in " ".join(part.text.split())) == promises
