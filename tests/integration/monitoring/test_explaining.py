"""What is said of one subscriber's day agrees with what is done, on both databases."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from digest.ledger.deliveries import Plan
from digest.ledger.ledger import Ledger
from digest.model.digests import SkipReason
from digest.monitoring.why import Why
from digest.monitoring.why_text import why_lines
from subscribers.store.registry import Registry
from tests.integration.birds import FRIDAY, MONDAY, SATURDAY, SUNDAY, House, pass_hours
from tests.integration.site import PLAIN_COMPOSER

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def house(ledger: Ledger, registry: Registry, tmp_path: Path) -> House:
    house = House(ledger, registry, tmp_path)
    house.composer = PLAIN_COMPOSER
    return house


def explain(house: House, name: str, of: datetime, now: datetime | None = None) -> Why:
    """Somebody and the edition of a moment's day, as seen at that moment or another."""
    person = house.registry.file_of(f"{name}@example.org")
    assert person
    return house.explain(person, of.date(), now or of)


def told(house: House, name: str, of: datetime, now: datetime | None = None) -> str:
    why = explain(house, name, of, now)
    return "\n".join(why_lines(why, house.settings.timezone))


@pytest.mark.parametrize("cadence", ["daily", "weekly", "mon+fri"])
@pytest.mark.parametrize("topics", [("ducks",), ()])
def test_what_they_would_get_is_what_they_get(house, cadence, topics):
    house.add("ada", *topics, cadence=cadence)
    for day in (FRIDAY, SATURDAY, SUNDAY):
        house.run(day)
    house.pipeline.collect([MONDAY.date()], SUNDAY + HOUR)
    before = explain(house, "ada", MONDAY, SUNDAY + HOUR)
    house.run(MONDAY)
    after = explain(house, "ada", MONDAY)
    assert not before.is_chosen
    assert after.is_chosen
    assert before.digest
    assert before.digest.picks == after.digest.picks == house.picks("ada", MONDAY.date())
    assert before.edition.new_since == after.edition.new_since


@pytest.mark.parametrize(
    ("wishes", "due"),
    [
        ({"at": "08:00"}, FRIDAY),
        ({"at": "07:30"}, FRIDAY - HOUR / 2),
        ({"at": "06:30"}, SATURDAY - HOUR * 3 / 2),
        ({"at": "18:00", "timezone": "America/New_York"}, FRIDAY + 15 * HOUR),
        ({"at": "08:00", "timezone": "Asia/Tokyo"}, FRIDAY + 15 * HOUR),
        ({"cadence": "mon"}, None),
        ({"cadence": "sat", "at": "06:30"}, SATURDAY - HOUR * 3 / 2),
    ],
)
def test_when_they_are_due_is_when_they_are_planned(house, wishes, due):
    house.add("ada", **wishes)
    came = pass_hours(house, FRIDAY, 24)
    assert explain(house, "ada", FRIDAY).due == due
    planned = [moment for moment in came.get("ada", ()) if due and moment >= due]
    assert bool(planned) is (due is not None)
    if due:
        assert planned[0] - max(due, FRIDAY) < HOUR


def test_an_edition_before_it_is_made_is_for_the_same_moments(house):
    house.add("ada", at="18:00", timezone="America/New_York")
    before = explain(house, "ada", FRIDAY, FRIDAY - HOUR)
    assert before.edition.to_be_made_at == FRIDAY
    house.run(FRIDAY)
    after = explain(house, "ada", FRIDAY)
    assert (before.due, before.next) == (after.due, after.next)
    assert after.due == after.next == FRIDAY + 15 * HOUR


def test_the_moments_of_a_day_without_an_edition_are_the_next_ones(house):
    house.add("ada", at="12:00")
    house.run(FRIDAY)
    house.run(MONDAY)
    why = explain(house, "ada", SUNDAY, MONDAY)
    assert (why.edition, why.instead) == (None, MONDAY.date())
    assert explain(house, "ada", MONDAY).due == MONDAY + 4 * HOUR


def test_a_time_that_was_missed_is_told(house):
    house.add("ada")
    house.run(SATURDAY)
    house.add("emmy")
    emmy = house.registry.file_of("emmy@example.org").subscriber
    edition = house.ledger.editions.on(SATURDAY.date())
    plan = Plan(emmy.id, skipped=SkipReason.MISSED)
    house.ledger.deliveries.plan(edition.id, [plan], MONDAY)
    said = told(house, "emmy", SATURDAY, MONDAY)
    assert "delivery 2: not sent: their time was too long ago when it could be planned" in said
    assert "  2026-02-23 08:00 planned" in said


def test_what_an_edition_lacks_is_told(house):
    house.add("ada")
    house.pipeline.collect([FRIDAY.date()], FRIDAY)
    house.ledger.editions.freeze(FRIDAY.date(), FRIDAY.date(), FRIDAY, missing=["arxiv"])
    assert "it lacks what had failed when it was made: arxiv" in told(house, "ada", FRIDAY)


def test_nothing_is_stored(house):
    house.add("ada", "ducks")
    house.pipeline.collect([FRIDAY.date()], FRIDAY)
    explain(house, "ada", FRIDAY)
    assert house.ledger.editions.on(FRIDAY.date()) is None
    house.run(FRIDAY)
    assert house.mailed() == ["ada"]
