"""Collecting from several sources: what one of them costs, how long it takes, what is asked again."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from threading import Event
from typing import Any

import pytest
import structlog

from digest.collect import collector as collector_module
from digest.collect.collector import ASK_AGAIN_FOR, Collector
from digest.errors import SourceError, Stopped
from digest.model.papers import Facts, Harvest, Rejection, Sighting
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


def collecting(ledger, *sources: Source, **limits: Any) -> Collector:
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
    assert collected.missing_sources == ("slow",)
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


# ---- days that are known ------------------------------------------------------------------------


def test_a_source_that_lists_a_day_once_is_asked_for_what_it_missed(ledger):
    failing = {TODAY - DAY}
    once, ever = Source("once", 1, fail_on(failing, KeyError)), Source("ever", 500)
    once.lists_once = True
    collector = collecting(ledger, once, ever)
    days = [TODAY - 2 * DAY, TODAY - DAY, TODAY]
    for asked in (days, days[1:], days[2:]):
        collector.collect(days, NOW)
        assert once.asked == asked
        assert ever.asked == days
        failing.clear()


def test_only_sources_with_votes_are_asked_how_votes_rise(ledger):
    with_votes, without = Source("with", 1), Source("without", 500)
    without.has_votes = False
    collecting(ledger, with_votes, without).collect([TODAY], NOW, votes_of=[TODAY - 5 * DAY])
    assert with_votes.asked == [TODAY, TODAY - 5 * DAY]
    assert without.asked == [TODAY]


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


# ---- what is looked up --------------------------------------------------------------------------


def looked_up(papers: Sequence[Facts], now: datetime) -> Iterator[Harvest]:
    for facts in papers:
        known = replace(facts, venue="Journal of Ponds", citations=12, tldr="Ducks dive.")
        yield Harvest((Sighting("scholar", now, None, known),))


def test_papers_of_the_days_are_looked_up_and_keep_what_is_known(ledger):
    asked: list[str] = []

    def look_up(papers: Sequence[Facts], now: datetime) -> Iterator[Harvest]:
        asked.extend(facts.arxiv_id for facts in papers)
        yield from looked_up(papers, now)

    pond = Source("pond", 1)
    collecting(ledger, pond).collect([TODAY - 2 * DAY, TODAY - DAY], NOW)
    collected = collecting(ledger, pond, look_up=look_up).collect(
        [TODAY], NOW, votes_of=[TODAY - DAY]
    )
    assert asked == ["2602.00051", "2602.00050"], "the newest first; what is older is left out"
    assert (collected.papers, collected.updated) == (2, 0)
    known = ledger.papers.facts_of(["arxiv:2602.00049", "arxiv:2602.00051"])
    assert known["arxiv:2602.00049"].venue == ""
    facts = known["arxiv:2602.00051"]
    assert (facts.venue, facts.citations, facts.tldr) == ("Journal of Ponds", 12, "Ducks dive.")
    assert ledger.history.last_success("scholar") is None, "it is no source"


def test_at_most_so_many_papers_are_looked_up(ledger, monkeypatch):
    monkeypatch.setattr(collector_module, "MOST_LOOKED_UP", 2)
    counts: list[int] = []

    def look_up(papers: Sequence[Facts], now: datetime) -> Iterator[Harvest]:
        counts.append(len(papers))
        return iter(())

    days = [TODAY - 3 * DAY, TODAY - 2 * DAY, TODAY - DAY, TODAY]
    collecting(ledger, Source("pond", 1), look_up=look_up).collect(days, NOW)
    assert counts == [2]


@pytest.mark.parametrize("error", [SourceError, ZeroDivisionError])
def test_a_look_up_that_fails_is_one_warning(ledger, error):
    def look_up(papers: Sequence[Facts], now: datetime) -> Iterator[Harvest]:
        yield from looked_up(papers[:1], now)
        raise error("HTTP 500")

    with structlog.testing.capture_logs() as logs:
        collected = collecting(ledger, Source("pond", 1), look_up=look_up).collect(
            [TODAY - DAY, TODAY], NOW
        )
    assert (collected.papers, collected.rejected) == (2, ())
    (warning,) = [entry for entry in logs if entry["log_level"] == "warning"]
    assert "HTTP 500" in warning["why"]
    known = ledger.papers.facts_of(["arxiv:2602.00051"])
    assert known["arxiv:2602.00051"].citations == 12, "what came before it failed is kept"


def test_a_look_up_that_never_ends_holds_up_nobody(ledger):
    never = Event()
    ended: list[bool] = []

    def look_up(papers: Sequence[Facts], now: datetime) -> Iterator[Harvest]:
        ended.append(never.wait(10))
        yield Harvest()

    try:
        collected = collecting(
            ledger, Source("pond", 1), look_up=look_up, most_seconds=0.2
        ).collect([TODAY], NOW)
        assert not ended
    finally:
        never.set()
    assert (collected.papers, collected.failures) == (1, ())
