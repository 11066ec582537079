"""Announcements are planned for everybody who is chosen, once, whatever happens in between."""

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from digest.compose.composer import Composer
from digest.compose.environment import Templates
from digest.compose.from_identity import from_identity
from digest.errors import Stopped
from digest.ledger.instances import Instance
from digest.ledger.tables import announcements, deliveries, editions
from digest.model.announcements import Audience, Draft
from digest.model.deliveries import DeliveryState
from digest.plan import announcing
from subscribers.model import SuppressionReason
from subscribers.preferences import Preferences
from subscribers.store.tables import subscribers
from subscribers.topics import TopicFilter
from tests.integration.ledger.test_papers import absorb
from tests.integration.pipelines import make_pipeline
from tests.integration.senders import make_delivery_worker
from tests.support import NOW, TODAY, examples, make_settings, make_sighting

S = DeliveryState
DAY = timedelta(days=1)
DRAFT = Draft("We move", "On Sunday.\n\n- https://new.example/")


class House:
    """A list, and the pipeline of those who write to it."""

    def __init__(self, ledger, registry, **chosen):
        self.ledger = ledger
        self.registry = registry
        self.settings = make_settings(**chosen)
        self.pipeline = make_pipeline(self.settings, ledger, registry, deliver=self._deliver)

    def add(self, *names, topics=(), **preferences):
        for name in names:
            filters = tuple(map(TopicFilter, topics))
            person = self.registry.add(f"{name}@example.org", filters, source="test", now=NOW)
            wanted = Preferences.from_stored(preferences)
            self.registry.set_preferences(person.public_id, filters, wanted)

    def announce(self, draft=DRAFT, now=NOW):
        announcement = self.ledger.announcements.create(draft, now)
        assert self.pipeline.plan_announcements(now) == ()
        return announcement

    def _deliver(self, now, progress):
        composer = Composer(Templates(), from_identity(self.settings))
        sending = make_delivery_worker(self.settings, self.ledger, self.registry, composer)
        return sending.send(now)

    def rows(self, announcement):
        """The state of each delivery of an announcement, by the name of its reader."""
        with self.ledger.engine.connect() as connection:
            its = deliveries.c.edition_id == announcement.id
            found = connection.execute(select(deliveries).where(its)).all()
        assert len(found) == len({row.subscriber_id for row in found})
        return {self.name_of(row.subscriber_id): S(row.state) for row in found}

    def name_of(self, number):
        person = self.registry.get(number)
        return person.address.partition("@")[0] if person else "removed"

    def balance(self, announcement):
        balance = self.ledger.announcements.balance(announcement)
        assert balance.is_balanced, balance
        return balance


@pytest.fixture
def house(ledger, registry):
    return House(ledger, registry)


def of_server(smtp_server):
    return Counter(mail.rcpt_to[0].partition("@")[0] for mail in smtp_server.received)


# ---- whom it goes to -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("audience", "chosen"),
    [
        (Audience(), {"ada", "bob", "eve"}),
        (Audience("robot"), {"ada", "bob"}),
        (Audience(language="de"), {"bob"}),
        (Audience(language="en"), {"ada", "eve"}),
        (Audience("robot", addresses=("bob@example.org", "gone@example.org")), {"bob"}),
        (Audience("nothing such"), set()),
    ],
)
def test_confirmed_readers_are_chosen(house, audience, chosen):
    house.add("ada", topics=["robots"])
    house.add("bob", topics=["soft Robots"], locale="de")
    house.add("eve", topics=["video"])
    house.add("left")
    house.registry.ask("asked@example.org", (), Preferences(), source="test", now=NOW)
    person = house.registry.file_of("left@example.org").subscriber
    house.registry.withdraw(person.public_id, source="test", now=NOW)
    house.pipeline._planning.announcing._language_of = lambda locale: locale or "en"
    assert house.pipeline._planning.announcing.chosen(audience) == len(chosen)
    announcement = house.announce(Draft("We move", "Text", audience))
    assert house.rows(announcement).keys() == chosen
    assert house.balance(announcement).due == len(chosen)


def test_who_pauses_gets_none_and_is_counted(house):
    house.add("ada")
    house.add("away", paused_until=str(TODAY + 9 * DAY))
    announcement = house.announce()
    assert house.rows(announcement) == {"ada": S.PENDING, "away": S.SKIPPED}
    assert house.balance(announcement).skipped_for == {"paused": 1}


# ---- how it goes out -----------------------------------------------------------------------------


def test_it_is_sent_as_digests_are_to_each_who_still_wants_it(ledger, registry, smtp_server):
    house = House(ledger, registry, transport=smtp_server.url())
    house.add("ada", "left", "blocked", "gone")
    announcement = house.announce()
    person = registry.file_of("left@example.org").subscriber
    registry.withdraw(person.public_id, source="test", now=NOW)
    registry.suppressions.add("blocked@example.org", SuppressionReason.OPERATOR, now=NOW)
    registry.remove("gone@example.org")
    assert house.pipeline.deliver(NOW) == ()
    assert house.rows(announcement) == {
        "ada": S.ACCEPTED,
        "left": S.SKIPPED,
        "blocked": S.SUPPRESSED,
        "removed": S.SKIPPED,
    }
    [mail] = smtp_server.received
    head = mail.content.partition(b"\r\n\r\n")[0].decode()
    assert mail.mail_from.startswith("digest+"), "bounces name their delivery"
    for line in ("Subject: We move", "List-Unsubscribe-Post: List-Unsubscribe=One-Click"):
        assert line in head
    balance = house.balance(announcement)
    assert (balance.due, balance.accepted) == (4, 1)


def test_a_provider_that_is_paused_gets_it_when_the_pause_ends(ledger, registry, smtp_server):
    house = House(ledger, registry, transport=smtp_server.url())
    house.add("ada")
    announcement = house.announce()
    ledger.provider_queues.pause("*", "a test", NOW)
    house.pipeline.deliver(NOW)
    assert house.rows(announcement) == {"ada": S.PENDING}
    ledger.provider_queues.resume(None, NOW)
    house.pipeline.deliver(NOW + 2 * DAY)  # too late for a digest
    assert house.rows(announcement) == {"ada": S.ACCEPTED}


def test_the_digest_of_the_same_day_is_as_without_it(ledger, registry, smtp_server):
    house = House(ledger, registry, transport=smtp_server.url())
    house.add("ada", "bob")
    absorb(ledger, make_sighting(1))
    before = house.announce()
    run = house.pipeline.tick(NOW, everybody=True)
    after = house.announce(Draft("Another", "Text"))
    again = house.pipeline.tick(NOW, everybody=True)
    assert run.trouble == again.trouble == ()
    assert run.balance == again.balance
    assert (run.balance.edition, run.balance.due, run.balance.accepted) == (NOW.date(), 2, 2)
    assert of_server(smtp_server) == {"ada": 3, "bob": 3}
    assert {house.balance(its).accepted for its in (before, after)} == {2}
    absorb(ledger, make_sighting(2, listed_on=TODAY + DAY, seen_at=NOW + DAY))
    following = house.pipeline.tick(NOW + DAY, everybody=True)
    assert (following.balance.accepted, following.trouble) == (2, ())
    edition = ledger.editions.on((NOW + DAY).date())
    [report, _] = ledger.deliveries.reports(edition)
    assert [
        pick.candidate.paper_id for pick in ledger.editions.picks(edition, report.delivery)
    ] == [2]


# ---- once ----------------------------------------------------------------------------------------


def test_planning_that_is_broken_off_is_continued_by_any_run(house, monkeypatch):
    monkeypatch.setattr(announcing, "RANGE", 2)
    house.add(*(f"r{number}" for number in range(7)))
    announcement = house.ledger.announcements.create(DRAFT, NOW)
    house.pipeline.stop()
    with pytest.raises(Stopped):
        house.pipeline.plan_announcements(NOW)
    assert len(house.rows(announcement)) == 2
    assert house.ledger.announcements.balance(announcement).is_being_planned
    house.add("late")
    another = House(house.ledger, house.registry)
    assert another.pipeline.plan(NOW + DAY) == ()
    assert len(house.rows(announcement)) == 8
    assert house.balance(announcement).due == 8
    assert another.pipeline.plan(NOW + DAY) == ()
    assert len(house.rows(announcement)) == 8


def test_in_a_copy_of_the_ledger_the_rest_of_one_is_not_sent(house):
    """The original has perhaps sent it."""
    house.add("ada", "bob")
    before = house.ledger.announcements.create(DRAFT, NOW)
    house.ledger.instances.enter(Instance("a", "here", "/var", "m", NOW, sends_from=NOW))
    house.pipeline.plan_announcements(NOW)
    assert house.balance(before).skipped_for == {"dropped": 2}
    after = house.announce(Draft("Another", "Text"), NOW + DAY)
    assert house.balance(after).pending == 2


def test_stopped_while_it_is_planned_the_rest_is_not(house, monkeypatch):
    monkeypatch.setattr(announcing, "RANGE", 2)
    house.add(*(f"r{number}" for number in range(7)))
    announcement = house.ledger.announcements.create(DRAFT, NOW)
    plan = house.pipeline._planning.announcing
    plan.plan(NOW, lambda: house.ledger.announcements.stop(announcement, NOW))
    assert set(house.rows(announcement).values()) == {S.SKIPPED}
    balance = house.balance(announcement)
    assert (balance.due, balance.skipped_for) == (2, {"stopped": 2})


def test_somebody_who_is_not_planned_for_is_missed(house, monkeypatch):
    """The books count apart from the rows."""
    house.add("ada", "bob")
    plan = house.pipeline._planning.announcing
    chosen = plan._chosen
    monkeypatch.setattr(plan, "_chosen", lambda *given: chosen(*given)[1:])
    announcement = house.ledger.announcements.create(DRAFT, NOW)
    [told] = house.pipeline.plan_announcements(NOW)
    assert told == (
        "the balance of the announcement 'We move' does not add up: "
        "2 are due, and 1 have a delivery"
    )
    assert house.ledger.announcements.balance(announcement).due == 2


class BrokenOffError(Exception):
    """The program ended."""


@given(
    people=st.integers(0, 9),
    size=st.integers(1, 4),
    dies=st.lists(st.integers(1, 5), max_size=4),
    drafts=st.integers(1, 2),
)
@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_chosen_reader_exactly_once(house, people, size, dies, drafts):
    """Whenever planning ends in the middle, in the end there is one row for each who was chosen."""
    ledger = house.ledger
    with ledger.engine.begin() as connection:
        for table in (deliveries, announcements, editions, subscribers):
            connection.execute(delete(table))
    house.add(*(f"r{number}" for number in range(people)))
    made = [ledger.announcements.create(Draft(f"{n}", "Text"), NOW) for n in range(drafts)]
    plan = house.pipeline._planning.announcing
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(announcing, "RANGE", size)
        for after in dies:
            calls = iter(range(after))

            def between(calls=calls):
                if next(calls, None) is None:
                    raise BrokenOffError

            try:
                plan.plan(NOW, between)
            except BrokenOffError:
                continue
        plan.plan(NOW, lambda: None)
    for announcement in made:
        assert len(house.rows(announcement)) == people
        assert house.balance(announcement).due == people
