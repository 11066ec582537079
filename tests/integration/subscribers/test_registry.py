"""The registry: people, what they said, and who may be mailed."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from subscribers.errors import AddressError, ConsentError
from subscribers.model import Consent, ConsentChange, Standing, Subscriber, SuppressionReason
from subscribers.preferences import Preferences
from subscribers.store.registry import Registry
from subscribers.store.tables import consents, subscribers, suppressions
from subscribers.topics import parse_topics
from tests.support import NOW

pytestmark = pytest.mark.both_databases

TOPICS = parse_topics(["graph neural networks", "Schrödinger bridges"])


@pytest.fixture
def ada(registry: Registry) -> Subscriber:
    return registry.add("Ada@Example.org", TOPICS, source="test", now=NOW)


def evidence(registry: Registry) -> list[tuple[str, str]]:
    with registry._engine.connect() as connection:
        query = select(consents.c.event, consents.c.source).order_by(consents.c.id)
        return [tuple(row) for row in connection.execute(query)]


def reasons(registry: Registry) -> dict[str, str]:
    with registry._engine.connect() as connection:
        rows = connection.execute(select(suppressions.c.address_key, suppressions.c.reason))
        return dict(tuple(row) for row in rows)


def set_consent(registry: Registry, person: Subscriber, consent: Consent) -> None:
    with registry._engine.begin() as connection:
        row = subscribers.update().where(subscribers.c.id == person.id)
        connection.execute(row.values(consent=consent))


# ---- adding ----------------------------------------------------------------------------------


def test_an_added_person_is_confirmed_and_comes_back_as_added(registry, ada):
    assert ada.address == "Ada@example.org"
    assert (ada.topics, ada.consent, ada.since) == (TOPICS, Consent.CONFIRMED, NOW)
    assert registry.get(ada.id) == ada
    assert registry.by_public_id(ada.public_id) == ada
    assert registry.everybody() == [ada]
    assert registry.standing(ada.id) is Standing.MAY_RECEIVE
    assert evidence(registry) == [("vouched", "test")]


def test_public_ids_are_long_and_differ(registry, ada):
    grace = registry.add("grace@example.org", (), source="test", now=NOW)
    assert len(ada.public_id) == len(grace.public_id) == 32
    assert ada.public_id != grace.public_id


def test_the_same_mailbox_in_other_letters_is_the_same_person(registry, ada):
    again = registry.add("ADA@EXAMPLE.ORG", (), source="import", now=NOW + timedelta(days=1))
    assert (again.id, again.public_id, again.since) == (ada.id, ada.public_id, NOW)
    assert again.topics == TOPICS, "none given is none changed"
    assert len(registry.everybody()) == 1
    assert evidence(registry) == [("vouched", "test"), ("vouched", "import")]


def test_adding_again_replaces_the_topics(registry, ada):
    registry.add(ada.address, parse_topics(["rockets"]), source="test", now=NOW)
    assert registry.get(ada.id).topics == parse_topics(["rockets"])


def test_who_left_is_not_put_back(registry, ada):
    registry.withdraw(ada.public_id, source="link", now=NOW)
    with pytest.raises(ConsentError, match=r"Ada@example\.org has unsubscribed"):
        registry.add("Ada@example.org", TOPICS, source="test", now=NOW)
    assert registry.standing(ada.id) is Standing.WITHDRAWN
    assert evidence(registry) == [("vouched", "test"), ("withdrawn", "link")]


def test_who_is_pending_is_confirmed_on_the_operators_word(registry, ada):
    set_consent(registry, ada, Consent.PENDING)
    assert registry.standing(ada.id) is Standing.NOT_CONFIRMED
    registry.add("ada@example.org", TOPICS, source="test", now=NOW)
    assert registry.standing(ada.id) is Standing.MAY_RECEIVE


@pytest.mark.parametrize("address", ["", "ada", "ada@", "a b@example.org", "ada@example.org\r\nX"])
def test_a_bad_address_adds_nobody(registry, address):
    with pytest.raises(AddressError):
        registry.add(address, (), source="test", now=NOW)
    assert registry.everybody() == []


def test_a_moment_without_a_zone_is_refused_and_adds_nobody(registry):
    with pytest.raises(Exception, match="a moment needs a time zone"):
        registry.add("ada@example.org", (), source="test", now=NOW.replace(tzinfo=None))
    assert registry.everybody() == []


# ---- looking ---------------------------------------------------------------------------------


def test_people_are_listed_in_the_order_they_came_and_by_consent(registry, ada):
    grace = registry.add("grace@example.org", (), source="test", now=NOW)
    emmy = registry.add("emmy@example.org", (), source="test", now=NOW)
    registry.withdraw(grace.public_id, source="link", now=NOW)
    assert [person.id for person in registry.everybody()] == [ada.id, grace.id, emmy.id]
    assert [person.id for person in registry.everybody(Consent.CONFIRMED)] == [ada.id, emmy.id]
    assert [person.id for person in registry.everybody(Consent.WITHDRAWN)] == [grace.id]
    assert registry.everybody(Consent.PENDING) == []


def test_nobody_is_found_under_an_unknown_id(registry, ada):
    assert registry.get(ada.id + 1) is None
    assert registry.by_public_id("nobody") is None
    assert registry.standing(ada.id + 1) is Standing.REMOVED


# ---- topics ----------------------------------------------------------------------------------


def test_topics_are_replaced(registry, ada):
    grace = registry.add("grace@example.org", TOPICS, source="test", now=NOW)
    changed = registry.set_preferences(ada.public_id, parse_topics(["diffusion"]), ada.preferences)
    assert changed is not None
    assert [topic.text for topic in changed.topics] == ["diffusion"]
    assert registry.get(grace.id) == grace
    assert registry.set_preferences("nobody", TOPICS, Preferences()) is None


# ---- leaving ---------------------------------------------------------------------------------


def test_leaving_twice_is_leaving_once(registry, ada):
    left, again = (
        registry.withdraw(ada.public_id, source="link", now=NOW + timedelta(days=n)) for n in (0, 1)
    )
    assert left.person.consent is Consent.WITHDRAWN
    assert left.is_news
    assert again == ConsentChange(left.person, Consent.WITHDRAWN)
    assert registry.standing(ada.id) is Standing.WITHDRAWN
    assert evidence(registry) == [("vouched", "test"), ("withdrawn", "link")]


def test_only_the_one_who_leaves_leaves(registry, ada):
    grace = registry.add("grace@example.org", (), source="test", now=NOW)
    registry.withdraw(ada.public_id, source="link", now=NOW)
    assert registry.withdraw("nobody", source="link", now=NOW) is None
    assert registry.standing(grace.id) is Standing.MAY_RECEIVE


def test_a_removed_person_is_forgotten_with_their_evidence(registry, ada):
    assert registry.remove("ADA@example.org")
    assert not registry.remove("ada@example.org")
    assert registry.everybody() == []
    assert evidence(registry) == []
    assert registry.standing(ada.id) is Standing.REMOVED


def test_an_address_is_removed_as_it_was_added(registry):
    registry.add(" ada@bücher.example ", (), source="test", now=NOW)
    assert registry.remove(" ada@bücher.example ")
    assert registry.everybody() == []
    with pytest.raises(AddressError):
        registry.remove("nobody")


# ---- suppression -----------------------------------------------------------------------------


def test_a_suppressed_address_gets_nothing_whatever_its_letters(registry, ada):
    registry.suppressions.add("ADA@example.ORG", SuppressionReason.HARD_BOUNCE, now=NOW)
    assert registry.standing(ada.id) is Standing.SUPPRESSED


def test_the_first_reason_stays(registry):
    registry.suppressions.add("ada@example.org", SuppressionReason.COMPLAINT, now=NOW)
    registry.suppressions.add("Ada@example.org", SuppressionReason.HARD_BOUNCE, now=NOW)
    assert reasons(registry) == {"ada@example.org": "complaint"}


def test_suppression_outlives_removal_and_return(registry, ada):
    registry.suppressions.add(ada.address, SuppressionReason.COMPLAINT, now=NOW)
    registry.remove(ada.address)
    back = registry.add(ada.address, (), source="test", now=NOW)
    assert registry.standing(back.id) is Standing.SUPPRESSED


def test_suppression_and_consent_are_independent(registry, ada):
    registry.suppressions.add(ada.address, SuppressionReason.OPERATOR, now=NOW)
    person = registry.get(ada.id)
    assert person is not None
    assert person.consent is Consent.CONFIRMED
