"""What a subscriber wants besides topics, heeded on the whole path, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path

import pytest

from digest.ledger.ledger import Ledger
from digest.ledger.locks import advisory_lock
from digest.model.deliveries import Balance
from digest.plan.edition_planner import Due
from digest.rank.readers import THRESHOLDS
from subscribers.model import Verdict
from subscribers.preferences import Strictness
from subscribers.store.registry import Registry
from tests.integration.birds import (
    DUCKS,
    FRIDAY,
    MONDAY,
    OTHERS,
    SATURDAY,
    SUNDAY,
    House,
    first_number,
    pass_hours,
)
from tests.integration.site import COMPOSER
from tests.support import NOW, TODAY, make_settings


@pytest.fixture
def house(ledger: Ledger, registry: Registry, tmp_path: Path) -> House:
    """Most tests ask who gets which papers, not how the mail looks: it is made quickly."""
    return House(ledger, registry, tmp_path)


def counts(balance: Balance) -> dict[str, int]:
    return {
        name: count for name, count in asdict(balance).items() if count and isinstance(count, int)
    }


# ---- when ------------------------------------------------------------------------------------


def test_on_a_saturday_who_wants_weekdays_gets_nothing_and_is_not_in_the_books(house):
    house.add("ada", cadence="weekdays")
    house.add("bob")
    house.add("eve", cadence="sat+sun")
    assert counts(house.run(FRIDAY)) == {"due": 2, "accepted": 2}
    assert house.mailed() == ["ada", "bob"]
    assert counts(house.run(SATURDAY)) == {"due": 2, "accepted": 2}
    assert house.mailed() == ["bob", "eve"]
    assert house.became(SATURDAY.date()) == {"bob": "accepted", "eve": "accepted"}
    assert counts(house.run(MONDAY)) == {"due": 2, "accepted": 2}
    assert house.mailed() == ["ada", "bob"]


def test_weekly_is_on_mondays(house):
    house.add("ada", cadence="weekly")
    for day in (FRIDAY, SATURDAY, SUNDAY):
        assert counts(house.run(day)) == {}
    assert counts(house.run(MONDAY)) == {"due": 1, "accepted": 1}
    assert house.mailed() == ["ada"]


def papers_of(house: House, name: str, day: date) -> list[date]:
    """The days whose papers somebody got with an edition, in order, one for each paper."""
    numbers = house.papers(name, day)
    first = {first_number(TODAY + timedelta(days=n)): TODAY + timedelta(days=n) for n in range(30)}
    return sorted(first[number - number % 10] for number in numbers)


def test_who_reads_once_a_week_gets_the_best_of_the_week(house):
    """The sixth bird has most votes each day: five trend, one of each of the last days."""
    house.add("ada", cadence="weekly", max_papers=5)
    house.add("bob", max_papers=5)
    week = [FRIDAY + timedelta(days=n) for n in range(11)]
    for day in week:
        house.run(day)
    ada = {day.date(): papers_of(house, "ada", day.date()) for day in (week[3], week[10])}
    friday, monday, monday_after = (day.date() for day in (week[0], week[3], week[10]))
    assert set(ada[monday]) <= {friday + timedelta(days=n) for n in range(4)}
    assert len(set(ada[monday])) == 4
    assert all(monday < day <= monday_after for day in ada[monday_after])
    assert len(set(ada[monday_after])) == 5
    assert papers_of(house, "bob", monday_after) == [monday_after] * 5


def test_who_changes_from_daily_to_weekly_is_shown_nothing_twice(house):
    house.add("ada", max_papers=5)
    for day in (FRIDAY, SATURDAY):
        house.run(day)
    house.add("ada", cadence="weekly", max_papers=5)
    for day in (SUNDAY, MONDAY):
        house.run(day)
    assert set(papers_of(house, "ada", MONDAY.date())) == {SUNDAY.date(), MONDAY.date()}


def test_a_week_is_for_a_weekly_reader_also_when_its_last_day_has_no_papers(house):
    house.add("ada", cadence="weekly")
    house.add("bob")
    for day in (FRIDAY, SATURDAY, SUNDAY):
        house.run(day)
    house.source.rests = True
    house.run(MONDAY)
    assert house.became(MONDAY.date()) == {"ada": "accepted", "bob": "skipped no-papers"}
    assert {"ada"} <= set(house.mailed())


def test_why_tells_of_the_whole_week(house):
    house.add("ada", "ducks", cadence="weekly")
    for day in (FRIDAY, SATURDAY, SUNDAY, MONDAY):
        house.run(day)
    file = house.registry.file_of("ada@example.org")
    why = house.explain(file, MONDAY.date(), MONDAY)
    assert why.edition
    assert why.digest
    assert why.edition.new == 4 * 6
    assert {pick.candidate.listed_on for pick in why.digest.picks} > {MONDAY.date()}


# ---- at their own time -----------------------------------------------------------------------


def test_everybody_is_mailed_at_their_own_time(house):
    house.add("ada", at="08:00", timezone="UTC")
    house.add("grace", at="07:30", timezone="UTC")
    house.add("emmy", at="18:00", timezone="America/New_York")
    house.add("alan", at="08:00", timezone="Pacific/Auckland")
    house.add("mary", at="06:00", timezone="UTC")
    came = pass_hours(house, FRIDAY, 72)
    local = {
        name: {(moment.weekday(), moment.hour) for moment in moments}
        for name, moments in came.items()
    }
    assert local["ada"] == {(4, 8), (5, 8), (6, 8)}
    assert local["grace"] == {(4, 8), (5, 8), (6, 8)}  # the edition is there an hour later at most
    assert local["emmy"] == {(4, 23), (5, 23), (6, 23)}
    assert local["alan"] == {(4, 19), (5, 19), (6, 19)}
    assert local["mary"] == {(5, 6), (6, 6), (0, 6)}
    assert all(len(moments) == 3 for moments in came.values())


def test_a_weekly_reader_at_the_other_end_of_the_world_misses_no_day(house):
    house.add("alan", at="08:00", timezone="Pacific/Auckland", cadence="weekly", max_papers=15)
    house.settings = make_settings(
        home=str(house.settings.home), lookback_days="0", max_for_you="15", max_trending="15"
    )
    came = pass_hours(house, FRIDAY, 24 * 14)
    assert [(each.weekday(), each.hour) for each in came["alan"]] == [(6, 19), (6, 19)]
    editions = [house.ledger.editions.on(each.date()) for each in came["alan"]]
    pools = []
    for edition in editions:
        person = house.registry.file_of("alan@example.org").subscriber
        day = edition.day + timedelta(days=1)  # there
        planner = house.planning.planner(edition)
        [since] = planner.new_since([Due(person, day)])
        pool = planner.pool(since)
        pools.append({candidate.listed_on for candidate in pool.candidates})
    sunday = SUNDAY.date()
    assert pools[1] == {sunday + timedelta(days=n) for n in range(1, 8)}
    assert pools[0].isdisjoint(pools[1])


def test_the_books_are_drawn_where_nothing_is_to_be_sent(house):
    house.run(FRIDAY)  # nobody is there yet
    house.add("ada", "medieval poetry")
    house.pipeline.plan(FRIDAY + timedelta(minutes=1))
    edition = house.ledger.editions.on(FRIDAY.date())
    [figures] = house.ledger.history.days(FRIDAY.date(), FRIDAY.date())
    assert figures.balance == house.ledger.editions.balance(edition)
    assert figures.balance.skipped_for == {"nothing-matched": 1}


def test_the_edition_waits_for_planning_that_is_under_way(house):
    house.add("ada")
    pipeline = house.pipeline
    with pipeline._planning_lock, ThreadPoolExecutor(1) as threads:
        running = threads.submit(pipeline.tick, FRIDAY)
        with advisory_lock(house.ledger.engine, "planning"):
            pass
        assert not running.done()
        pipeline._planning_lock.release()
        running.result(20)
        pipeline._planning_lock.acquire()
    assert house.mailed() == ["ada"]


def test_after_a_standstill_everybody_gets_one_mail(house):
    house.add("ada")
    house.add("emmy", at="18:00", timezone="America/New_York")
    pass_hours(house, FRIDAY, 24)
    came = pass_hours(house, FRIDAY + timedelta(days=3, hours=-2), 24)
    assert {name: len(moments) for name, moments in came.items()} == {"ada": 1, "emmy": 1}


def test_who_joins_later_in_the_day_gets_the_days_edition_at_once(house):
    house.add("ada")
    pass_hours(house, FRIDAY, 5)
    house.add("grace")
    came = pass_hours(house, FRIDAY + timedelta(hours=5), 3)
    assert came == {"grace": [FRIDAY + timedelta(hours=5)]}


def test_who_is_paused_is_skipped_until_the_day_they_named(house):
    house.add("ada", paused_until="2026-02-22")
    house.add("bob")
    for day in (FRIDAY, SATURDAY):
        balance = house.run(day)
        assert counts(balance) == {"due": 2, "accepted": 1, "skipped": 1}
        assert balance.skipped_for == {"paused": 1}
        assert house.became(day.date()) == {"ada": "skipped paused", "bob": "accepted"}
        assert house.mailed() == ["bob"]
    assert counts(house.run(SUNDAY)) == {"due": 2, "accepted": 2}
    assert house.mailed() == ["ada", "bob"]


def test_who_is_paused_on_a_day_without_mail_is_not_in_the_books(house):
    house.add("ada", cadence="weekdays", paused_until="2026-03-01")
    assert counts(house.run(SATURDAY)) == {}
    assert house.became(SATURDAY.date()) == {}


def test_a_wish_made_after_the_edition_was_sent_changes_nothing_of_it(house):
    house.add("ada")
    before = house.run()
    house.add("ada", cadence="weekly", paused_until="2026-03-01")
    assert house.run(NOW + timedelta(hours=1)) == before
    assert house.mailed() == ["ada"]


# ---- how much --------------------------------------------------------------------------------


def test_no_more_papers_on_ones_topics_than_wanted(house):
    house.add("ada", "ducks", max_papers=2)
    house.add("bob", "ducks")
    house.run()
    best_first = [*reversed(DUCKS)]
    assert house.sections("ada")["for-you"] == best_first[:2]
    assert house.sections("bob")["for-you"] == best_first
    # What found no room above may still trend.
    assert house.sections("ada")["trending"] == [*reversed(OTHERS), best_first[2]]


def test_the_operators_limit_is_not_exceeded(house):
    house.settings = make_settings(home=str(house.settings.home), max_for_you="1")
    house.add("ada", "ducks", max_papers=15)
    house.run()
    assert house.sections("ada")["for-you"] == [DUCKS[-1]]


def test_without_topics_the_wanted_number_is_that_of_all(house):
    house.add("ada", max_papers=2)
    house.run()
    assert house.sections("ada") == {
        "for-you": [],
        "trending": [*reversed(OTHERS)][:2],
        "rising": [],
    }


def test_who_wants_no_trending_papers_gets_their_own_only(house):
    house.add("ada", "ducks", trending=False)
    house.add("bob", "ducks")
    house.run()
    assert house.sections("ada") == {
        "for-you": [*reversed(DUCKS)],
        "trending": [],
        "rising": [],
    }
    assert house.sections("bob")["trending"] == [*reversed(OTHERS)]
    assert [title in house.text("ada") for title in OTHERS] == [False] * 3
    assert [title in house.text("bob") for title in OTHERS] == [True] * 3


def test_fewer_papers_on_ones_topics_than_wanted_are_no_mail(house):
    house.add("ada", "ducks", min_papers=3)
    house.add("bob", "ducks", min_papers=4)
    house.add("eve", min_papers=15)
    assert house.run().skipped_for == {"nothing-matched": 1}
    assert house.became(TODAY)["bob"] == "skipped nothing-matched"
    assert house.mailed() == ["ada", "eve"]


def test_how_well_papers_must_fit_is_the_readers_word_and_else_the_operators(house, monkeypatch):
    monkeypatch.setitem(THRESHOLDS, Strictness.STRICT, 0.999)
    house.settings = make_settings(
        home=str(house.settings.home), lookback_days="0", strictness="strict"
    )
    house.add("ada", "ducks", strictness="normal")
    house.add("bob", "ducks")
    house.run()
    assert house.became(TODAY) == {"ada": "accepted", "bob": "skipped nothing-matched"}
    assert {*house.sections("ada")["for-you"]} == {*DUCKS}


# ---- what was liked and muted ------------------------------------------------------------------


def test_what_is_like_liked_papers_comes_in_the_next_day_and_says_so(house):
    house.composer = COMPOSER
    house.add("ada", "swans")
    house.add("bob", "swans")
    house.run(FRIDAY)
    assert house.mailed() == ["ada", "bob"]
    for title in DUCKS:
        house.think("ada", title, Verdict.LIKE)
    house.run(SATURDAY)
    assert set(house.sections("ada", SATURDAY.date())["for-you"]) == {"Swans", *DUCKS}
    assert house.sections("bob", SATURDAY.date())["for-you"] == ["Swans"]
    assert "like what you liked" in house.text("ada").casefold()
    assert "like what you liked" not in house.text("bob").casefold()


def test_what_is_like_muted_papers_moves_down_the_next_day(house):
    house.add("ada", "ducks", "swans")
    house.run(FRIDAY)
    for title in DUCKS:
        house.think("ada", title, Verdict.MUTE)
    house.run(SATURDAY)
    first, *rest = house.sections("ada", SATURDAY.date())["for-you"]
    assert first == "Swans"
    assert set(rest) == {*DUCKS}


def test_a_paper_that_was_muted_before_it_came_is_in_neither_section(house):
    house.add("ada", "ducks")
    for title in (DUCKS[0], OTHERS[0]):
        house.think("ada", title, Verdict.MUTE)
    house.run()
    sections = house.sections("ada")
    assert {*sections["for-you"]} == {*DUCKS[1:]}
    assert sections["trending"] == [*reversed(OTHERS[1:])]


# ---- what not --------------------------------------------------------------------------------


def test_what_is_excluded_is_in_neither_section(house):
    house.add("ada", "ducks", exclusions=["water", "night herons"])
    house.add("bob", "ducks")
    house.run()
    sections = house.sections("ada")
    assert sorted(sections["for-you"]) == ["Ducks at Rest", "Ducks in Flight"]
    assert sections["trending"] == ["Swans", "Geese of the North"]
    for title in ("Ducks under Water", "Herons by Night"):
        assert title in house.text("bob")
        assert title not in house.text("ada")


def test_what_is_excluded_is_missing_without_topics_as_well(house):
    house.add("ada", exclusions=["ducks", "swan"])
    house.run()
    assert house.sections("ada")["trending"] == ["Herons by Night", "Geese of the North"]


def test_where_all_that_matched_is_excluded_nothing_matched(house):
    house.add("ada", "ducks", exclusions=["birds"])
    house.add("bob", exclusions=["birds"])
    house.add("eve", "ducks", exclusions=["ducks"])
    assert house.run().skipped_for == {"nothing-matched": 3}
    assert house.mailed() == []
