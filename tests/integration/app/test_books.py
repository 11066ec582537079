"""The books can be wrong, and then say so: who is due is counted apart from their deliveries."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select

from digest.ledger.tables import attempts, deliveries
from digest.plan.edition_planner import EditionPlanner
from digest.plan.planning import Planning
from tests.integration.birds import FRIDAY, SATURDAY, House
from tests.support import TODAY

NAMES = [f"reader{number}" for number in range(10)]
HOUR = timedelta(hours=1)


@pytest.fixture
def house(ledger, registry, tmp_path):
    house = House(ledger, registry, tmp_path)
    for name in NAMES:
        house.add(name)
    return house


def every_second(found):
    return list(found)[::2]


def forget(monkeypatch, owner, method):
    """Have planning lose every second of those that one of its methods finds."""
    whole = getattr(owner, method)
    monkeypatch.setattr(owner, method, lambda *given: every_second(whole(*given)))


def test_all_are_counted_and_all_is_well(house):
    run = house.pipeline.tick(FRIDAY, everybody=True)
    assert run.trouble == ()
    assert (run.balance.due, run.balance.accepted) == (10, 10)
    assert run.balance.is_balanced
    assert run.balance.discrepancy == ""
    assert house.ledger.health.unbalanced([TODAY]) == []


def test_a_run_for_everybody_tells_of_those_whom_planning_forgot(house, monkeypatch):
    forget(monkeypatch, EditionPlanner, "plans")
    run = house.pipeline.tick(FRIDAY, everybody=True)
    assert (run.balance.due, run.balance.accepted) == (10, 5)
    assert not run.balance.is_balanced
    said = f"the balance of {TODAY} does not add up: 10 are due, and 5 have a delivery"
    assert run.trouble == (said,)
    assert house.ledger.health.unbalanced([TODAY]) == [TODAY]
    [past] = house.ledger.history.runs(2)
    assert past.trouble == (said,)


@pytest.mark.parametrize(("owner", "method"), [(EditionPlanner, "plans"), (Planning, "_due")])
def test_so_does_the_edition_that_the_schedule_makes(house, monkeypatch, owner, method):
    forget(monkeypatch, owner, method)
    run = house.pipeline.tick(FRIDAY)
    assert (run.balance.due, run.balance.accepted) == (10, 5)
    assert "10 are due, and 5 have a delivery" in run.trouble[0]
    assert house.ledger.health.unbalanced([TODAY]) == [TODAY]


def test_if_planning_finds_nobody_at_all_that_is_noticed_too(house, monkeypatch):
    monkeypatch.setattr(Planning, "_due", lambda *_: [])
    run = house.pipeline.tick(FRIDAY)
    assert (run.balance.due, run.balance.accepted) == (10, 0)
    assert not run.balance.is_balanced


def test_readers_that_the_query_loses_are_missed(house, monkeypatch):
    whole = house.registry.everybody
    monkeypatch.setattr(house.registry, "everybody", lambda *given: every_second(whole(*given)))
    run = house.pipeline.tick(FRIDAY, everybody=True)
    assert (run.balance.due, run.balance.accepted) == (10, 5)


def test_what_planning_adds_later_the_same_day_is_counted(house):
    house.add("later", at="12:00")
    house.pipeline.tick(FRIDAY)
    edition = house.ledger.editions.on(TODAY)
    assert house.ledger.editions.balance(edition).due == 10
    assert house.pipeline.plan(FRIDAY + 4 * HOUR) == ()
    balance = house.ledger.editions.balance(edition)
    assert (balance.due, balance.pending) == (11, 1)
    assert balance.is_balanced


def test_who_is_forgotten_later_the_same_day_is_told(house, monkeypatch):
    house.add("later", at="12:00")
    house.pipeline.tick(FRIDAY)
    with monkeypatch.context() as patch:
        patch.setattr(EditionPlanner, "plans", lambda *_: iter(()))
        [told] = house.pipeline.plan(FRIDAY + 4 * HOUR)
        assert "11 are due, and 10 have a delivery" in told
    # Once planning is mended, they get it after all, and the balance adds up.
    assert house.pipeline.plan(FRIDAY + 4 * HOUR) == ()
    assert house.ledger.health.unbalanced([TODAY]) == []


def test_a_delivery_that_is_lost_is_missed(house):
    house.pipeline.tick(FRIDAY, everybody=True)
    with house.ledger.engine.begin() as connection:
        lost = connection.execute(select(func.min(deliveries.c.id))).scalar_one()
        connection.execute(delete(attempts).where(attempts.c.delivery_id == lost))
        connection.execute(delete(deliveries).where(deliveries.c.id == lost))
    assert house.ledger.health.unbalanced([TODAY]) == [TODAY]


def test_who_leaves_or_missed_it_upsets_no_balance(house):
    house.add("noon", at="12:00")
    house.pipeline.tick(FRIDAY)
    leaving = house.registry.file_of("reader0@example.org").subscriber
    house.registry.withdraw(leaving.public_id, source="link", now=FRIDAY)
    house.registry.remove("reader1@example.org")
    # A standstill of more than two days: noon's edition of Friday is written down as missed.
    later = FRIDAY + timedelta(days=3)
    house.pipeline.tick(later)
    days = [TODAY, SATURDAY.date(), later.date()]
    assert house.ledger.health.unbalanced(days) == []
    [friday] = house.ledger.history.days(TODAY, TODAY)
    assert friday.balance.due == 11


def test_a_run_for_everybody_without_an_edition_plans_nobody_for_an_older_one(house):
    house.pipeline.tick(FRIDAY, everybody=True)
    house.add("late", at="12:00")
    house.source.fails = True
    run = house.pipeline.tick(SATURDAY + 4 * HOUR, everybody=True)
    assert run.balance is None
    assert "late" not in house.became(TODAY)


def test_an_empty_edition_that_gets_papers_counts_everybody_once(house):
    house.source.rests = True
    house.pipeline.tick(FRIDAY)
    house.source.rests = False
    house.pipeline.collect_due(FRIDAY + 3 * HOUR)
    edition = house.ledger.editions.on(TODAY)
    assert house.ledger.editions.balance(edition).due == 0
    house.pipeline.plan(FRIDAY + 3 * HOUR)
    balance = house.ledger.editions.balance(edition)
    assert (balance.due, balance.is_balanced) == (10, True)
