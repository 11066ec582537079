"""Everybody's clocks, on both databases: together where they are the same, and only theirs."""

from datetime import time, timedelta

from sqlalchemy import update

from subscribers.model import MailSchedule
from subscribers.preferences import EVERY_DAY, Preferences
from subscribers.store.tables import subscribers
from tests.support import NOW

LATER = NOW + timedelta(hours=1)


def add(registry, name, now=NOW, **wishes):
    person = registry.add(f"{name}@example.org", (), source="test", now=now)
    registry.set_preferences(person.public_id, (), Preferences.from_json(wishes))
    return person


def test_people_with_the_same_clock_are_together(registry):
    ada = add(registry, "ada", at="07:30", timezone="Europe/Oslo", max_papers=3)
    bob = add(registry, "bob", LATER, at="07:30", timezone="Europe/Oslo", trending=False)
    eve = add(registry, "eve", at="07:30", timezone="Europe/Oslo", cadence="weekly")
    oslo = {"at": time(7, 30), "timezone": "Europe/Oslo"}
    found = registry.overview.mail_schedules()
    assert len(found) == 2
    assert MailSchedule(Preferences(**oslo), {ada.id: NOW, bob.id: LATER}) in found
    assert MailSchedule(Preferences(days=frozenset({"mon"}), **oslo), {eve.id: NOW}) in found


def test_only_those_who_have_confirmed_have_one(registry):
    registry.ask("ada@example.org", (), source="test", now=NOW)
    gone = add(registry, "bob")
    registry.withdraw(gone.public_id, source="test", now=NOW)
    assert registry.overview.mail_schedules() == []


def test_what_a_record_does_not_say_or_nobody_can_read_is_as_usual(registry, engine):
    ada, bob = add(registry, "ada"), add(registry, "bob", at="06:00")
    with engine.begin() as connection:
        of_ada = update(subscribers).where(subscribers.c.id == ada.id)
        connection.execute(of_ada.values(preferences={}))
        of_bob = update(subscribers).where(subscribers.c.id == bob.id)
        odd = {"timezone": "Mars/Olympus", "at": "06:00", "cadence": "daily"}
        connection.execute(of_bob.values(preferences=odd))
    found = {
        tuple(mail_schedule.people): mail_schedule.preferences
        for mail_schedule in registry.overview.mail_schedules()
    }
    assert found[(ada.id,)] == Preferences()
    assert found[(bob.id,)] == Preferences(days=EVERY_DAY, at=time(6))
