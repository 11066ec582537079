"""What the operator is told: once, whichever of several workers sees it first."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from digest.ledger.alerts import About
from digest.ledger.tables import alerts
from tests.integration.at_once import at_once
from tests.support import NOW

pytestmark = pytest.mark.both_databases
HOUR = timedelta(hours=1)


def told(ledger, said, about=About.SENDING, after=timedelta(), **how):
    return [ledger.alerts.is_news(about, troubles, NOW + after, **how) for troubles in said]


def test_trouble_is_news_until_it_is_told_and_again_when_it_changes_or_comes_back(ledger):
    said = [(), ("a",), ("a",), ("a", "b"), ("a", "b"), (), (), ("a", "b"), ("a",)]
    assert told(ledger, said) == [False, True, False, True, False, False, False, True, True]


def test_each_part_of_the_work_has_its_own(ledger):
    assert told(ledger, [("a",)], About.PLANNING) == [True]
    assert told(ledger, [(), ("a",)], About.SENDING) == [False, True]
    assert told(ledger, [("a",)], About.PLANNING) == [False]


def test_what_should_last_is_told_after_that_time_whoever_asks(ledger):
    for minutes, news in ((0, False), (59, False), (60, True), (120, False)):
        after = timedelta(minutes=minutes)
        assert told(ledger, [("a",)], after=after, lasting=HOUR) == [news]
    assert told(ledger, [()], after=2 * HOUR) == [False]
    assert told(ledger, [("a",)], after=3 * HOUR, lasting=HOUR) == [False]  # it begins anew


def test_what_ended_before_it_was_told_begins_anew(ledger):
    for minutes, said in ((0, ("a",)), (50, ()), (70, ("a",)), (120, ("a",))):
        assert told(ledger, [said], after=timedelta(minutes=minutes), lasting=HOUR) == [False]
    assert told(ledger, [("a",)], after=timedelta(minutes=130), lasting=HOUR) == [True]


def test_all_is_well_leaves_no_row(ledger):
    told(ledger, [("a" * 100_000 + "\n\x7f\N{HORSE}",), ()])
    with ledger.engine.connect() as connection:
        assert connection.execute(select(alerts)).all() == []


def test_of_three_workers_that_see_it_at_the_same_moment_one_tells_it(ledger):
    def ask():
        return ledger.alerts.is_news(About.SENDING, ("a",), NOW)

    assert sorted(at_once(ledger.engine, ask, ask, ask)) == [False, False, True]
    changed = [lambda: ledger.alerts.is_news(About.SENDING, ("b",), NOW)] * 3
    assert sorted(at_once(ledger.engine, *changed, before="UPDATE")) == [False, False, True]
