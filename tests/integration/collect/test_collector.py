"""Collecting from several sources: what one of them costs, how long it takes, what is asked again."""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date, timedelta
from threading import Event

import pytest

from digest.collect import collector as collector_module
from digest.collect.collector import ASK_AGAIN_FOR, Collector
from digest.errors import Stopped
from digest.model.papers import Harvest, Rejection
from tests.integration.pipelines import make_pipeline
from tests.support import NOW, TODAY, make_settings, make_sighting

DAY = timedelta(days=1)


class Source:
    """A source that gives a paper a day; ``before`` is called with each day first."""

    def __init__(
        self, name: str, first: int = 1, before: Callable[[date], object] = lambda _: None
    ) -> None:
        self.name = name
        self._first = first
        self._before = before
        self.asked: list[date] = []

    def collect(self, days: Sequence[date], now) -> Iterator[Harvest]:
        self.asked = list(days)
        for day in days:
            number = self._first + (day - date(2026, 1, 1)).days
            try:
                self._before(day)
            except KeyError as error:
                yield Harvest(rejected=(Rejection.of_day(self.name, day, str(error)),))
            else:
                seen = make_sighting(number, source=self.name, listed_on=day, seen_at=now)
                yield Harvest((seen,))


def collecting(ledger, *sources: Source, **limits: float) -> Collector:
    return Collector(ledger, lambda: sources, lambda moment: moment.date(), **limits)


def fail_on(days: Collection[date], error: type[Exception]) -> Callable[[date], None]:
    def before(day: date) -> None:
        if day in days:
            raise error("HTTP 500")

    return before


# ---- what fails costs itself only ---------------------------------------------------------------


def test_a_source_that_never_ends_is_left_behind_and_the_rest_is_kept(ledger):
    never = Event()

    def before(day: date) -> None:
        if day == TODAY:
            never.wait()

    slow, quick = Source("slow", 1, before), Source("quick", 500)
    try:
        collected = collecting(ledger, slow, quick, most_seconds=0.2).collect(
            [TODAY - DAY, TODAY], NOW
        )
    finally:
        never.set()
    assert collected.papers == 3
    assert collected.failed_sources == ("slow",)
    assert "it has not ended in time" in collected.failures[0]


def test_a_fault_in_the_code_of_a_source_is_told_as_its_failure(ledger):
    bad, good = Source("bad", 1, fail_on([TODAY], ZeroDivisionError)), Source("good", 500)
    collected = collecting(ledger, bad, good).collect([TODAY], NOW)
    assert collected.papers == 1
    assert collected.failures == ("bad: a fault of its own: ZeroDivisionError('HTTP 500')",)


def test_being_asked_to_stop_keeps_nothing(ledger):
    stopped = Source("stopped", 1, fail_on([TODAY], Stopped))
    with pytest.raises(Stopped):
        collecting(ledger, Source("good", 500), stopped).collect([TODAY], NOW)
    assert ledger.papers.latest_day() is None


# ---- days that are not complete -----------------------------------------------------------------


def test_a_day_that_is_not_complete_makes_its_source_a_missing_one(ledger):
    source = Source("hf", 1, fail_on([TODAY], KeyError))
    collected = collecting(ledger, source).collect([TODAY - DAY, TODAY], NOW)
    assert collected.papers == 1
    assert collected.failures == ("hf: not complete: 2026-02-20",)


def test_a_day_that_was_not_complete_is_asked_for_again(ledger):
    failing = [TODAY]
    source = Source("hf", 1, fail_on(failing, KeyError))
    collector = collecting(ledger, source)
    collector.collect([TODAY - DAY, TODAY], NOW)
    later = TODAY + 3 * DAY
    collected = collector.collect([later], NOW + 3 * DAY)
    assert source.asked == [TODAY, later]
    assert collected.failures == (), "an earlier day does not hold up a later edition"
    assert [rejection.day for rejection in collected.rejected] == [TODAY]
    failing.clear()
    assert collector.collect([later], NOW + 3 * DAY).listed_on == (TODAY, later)


def test_no_day_is_asked_for_again_for_ever(ledger):
    source = Source("hf", 1, fail_on([TODAY], KeyError))
    collector = collecting(ledger, source)
    for after in range(20):
        day = TODAY + after * DAY
        collector.collect([day], NOW + after * DAY)
        assert source.asked == ([TODAY] if 0 < after <= ASK_AGAIN_FOR.days else []) + [day]


def test_papers_of_a_day_that_was_not_complete_come_with_a_later_edition(ledger, registry):
    failing = [TODAY]
    source = Source("hf", 1, fail_on(failing, KeyError))
    settings = make_settings(
        timezone="UTC", wait_for_sources="0", lookback_days="1", enough_papers="1"
    )
    pipeline = make_pipeline(settings, ledger, registry, lambda: [source])
    for after in range(3):
        pipeline.tick(NOW + after * DAY, everybody=True)
    failing.clear()
    pipeline.tick(NOW + 3 * DAY, everybody=True)
    assert ledger.editions.on(TODAY).missing == ("hf",)
    listed = [candidate.listed_on for candidate in ledger.editions.on(TODAY + 3 * DAY).candidates]
    assert listed == [TODAY, TODAY + 3 * DAY]


def test_after_a_long_standstill_no_edition_looks_back_without_end(ledger, registry):
    source = Source("hf")
    settings = make_settings(timezone="UTC", lookback_days="1")
    pipeline = make_pipeline(settings, ledger, registry, lambda: [source])
    pipeline.tick(NOW, everybody=True)
    pipeline.tick(NOW + 300 * DAY, everybody=True)
    assert len(source.asked) == 31


# ---- many at once -------------------------------------------------------------------------------


def test_many_papers_are_kept_in_blocks_and_counted_once(ledger, monkeypatch):
    monkeypatch.setattr(collector_module, "_BLOCK", 2)
    monkeypatch.setattr(collector_module, "_PAUSE", 0)
    sightings = [make_sighting(number, upvotes=number) for number in (1, 2, 3)]
    again = [make_sighting(number, upvotes=number + 5) for number in (1, 3)]
    collector = collecting(ledger)
    collected = collector.keep(Harvest((*sightings, *again)))
    assert (collected.papers, collected.new, collected.updated) == (3, 3, 0)
    assert collected.listed_on == (TODAY,)
    collected = collector.keep(Harvest((*again, make_sighting(2, upvotes=9))))
    assert (collected.papers, collected.new, collected.updated) == (3, 0, 1)
