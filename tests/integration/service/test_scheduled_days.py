"""Editions that are made by themselves: sources that fail, standstills, ledgers that were copied."""

from datetime import timedelta

import pytest

from digest.ledger.instances import Instance
from digest.ledger.last_runs import Job
from tests.integration.birds import FRIDAY, MONDAY, SATURDAY, SUNDAY, House, pass_hours
from tests.integration.pipelines import make_pipeline
from tests.support import NOW, make_settings

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SIX = FRIDAY - 2 * HOUR  # the edition is made at eight


@pytest.fixture
def house(ledger, registry, tmp_path):
    return House(ledger, registry, tmp_path)


def make(house, now):
    """What the clock does at a moment; whether there was something to do."""
    run = house.pipeline.tick(now)
    assert run is None or run.balance is None or run.balance.is_balanced
    return run


# ---- collecting ------------------------------------------------------------------------------


def test_sources_are_asked_every_few_hours(house):
    midnight = FRIDAY - 8 * HOUR
    asked = [hour for hour in range(8) if house.pipeline.collect_due(midnight + hour * HOUR)]
    assert asked == [0, 3, 6]


def test_before_an_edition_they_are_asked_for_it_alone(house):
    assert house.pipeline.collect_due(FRIDAY) is None
    assert make(house, FRIDAY)
    assert house.pipeline.collect_due(FRIDAY + HOUR) is None
    assert house.pipeline.collect_due(FRIDAY + 3 * HOUR)


def test_a_clock_that_was_put_back_stops_no_collecting(house):
    assert house.pipeline.collect_due(SIX)
    assert house.pipeline.collect_due(SIX - DAY)


def test_an_edition_that_was_empty_gets_what_comes_later(house):
    house.add("ada")
    house.source.rests = True
    assert make(house, FRIDAY)
    assert house.became(FRIDAY.date()) == {"ada": "skipped no-papers"}
    house.source.rests = False
    came = {}
    for hour in range(1, 5):
        now = FRIDAY + hour * HOUR
        house.pipeline.collect_due(now)
        came |= pass_hours(house, now, 1)
    assert came == {"ada": [FRIDAY + 3 * HOUR]}


def test_what_comes_into_an_edition_late_is_news_to_who_had_it_before(house):
    """They had the week's other papers with it, so nothing takes back what they had."""
    house.settings = make_settings(
        home=str(house.settings.home),
        lookback_days="0",
        max_for_you="15",
        max_trending="15",
        collect_every_hours="1",
    )
    house.add("weekly", cadence="sat", at="09:00", max_papers=15)
    pass_hours(house, FRIDAY, 24)
    house.source.rests = True
    assert pass_hours(house, SATURDAY, 2) == {"weekly": [SATURDAY + HOUR]}
    house.source.rests = False
    assert house.pipeline.collect_due(SATURDAY + HOUR)  # begun in that moment, and done later
    pass_hours(house, SATURDAY + 2 * HOUR, 24 * 7)
    first, second = (
        {pick.candidate.listed_on for pick in house.picks("weekly", (SATURDAY + days * DAY).date())}
        for days in (0, 7)
    )
    assert first == {FRIDAY.date()}
    assert min(second) == SATURDAY.date()


@pytest.mark.parametrize("wants_note", [True, False])
def test_what_comes_late_is_news_to_who_never_had_an_edition(house, wants_note):
    house.settings = make_settings(
        home=str(house.settings.home), lookback_days="0", max_for_you="15", max_trending="15"
    )
    house.add("ada", max_papers=15, note_when_nothing=wants_note)
    house.source.rests = True
    pass_hours(house, FRIDAY, 3)
    house.source.rests = False
    house.pipeline.collect_due(FRIDAY + 3 * HOUR)
    pass_hours(house, FRIDAY + 3 * HOUR, 24)
    listed = {
        pick.candidate.listed_on
        for day in (FRIDAY, SATURDAY)
        for pick in house.picks("ada", day.date())
    }
    assert listed == {FRIDAY.date(), SATURDAY.date()}


def test_what_comes_late_is_no_news_to_who_was_away(house):
    house.settings = make_settings(
        home=str(house.settings.home), lookback_days="0", max_for_you="15", max_trending="15"
    )
    house.add("ada", paused_until=SUNDAY.date().isoformat(), max_papers=15)
    pass_hours(house, FRIDAY, 24)
    house.source.rests = True
    pass_hours(house, SATURDAY, 3)
    house.source.rests = False
    assert house.pipeline.collect_due(SATURDAY + 3 * HOUR)
    pass_hours(house, SATURDAY + 4 * HOUR, 24)
    listed = {pick.candidate.listed_on for pick in house.picks("ada", SUNDAY.date())}
    assert listed == {SUNDAY.date()}


# ---- a source that fails ---------------------------------------------------------------------


def test_it_is_made_once_and_not_before_its_time(house):
    assert make(house, FRIDAY - MINUTE) is None
    assert make(house, FRIDAY).trouble == ()
    assert make(house, FRIDAY + MINUTE) is None
    assert make(house, SATURDAY)


def attempts(house, minutes):
    """In which minutes after eight sources were asked, and whether an edition was made."""
    asked = []
    for minute in range(minutes):
        now = FRIDAY + minute * MINUTE
        before = house.ledger.history.last_collected()
        run = make(house, now)
        if house.ledger.history.last_collected() != before:
            asked.append(minute)
        if run:
            return asked, run
    return asked, None


def test_a_source_that_fails_is_asked_every_ten_minutes_and_then_it_goes_out_without(house):
    house.add("ada")
    house.pipeline.collect_due(FRIDAY - 2 * HOUR)
    house.source.fails = True
    asked, run = attempts(house, 100)
    assert asked == [0, 10, 20, 30, 40, 50, 60]
    assert run.trouble == ("huggingface: HTTP 503",)
    edition = house.ledger.editions.on(FRIDAY.date())
    assert (len(edition.candidates), edition.missing) == (6, ("huggingface",))
    assert house.mailed() == ["ada"]


def test_a_source_that_comes_back_in_time_is_no_trouble(house):
    house.source.fails = True
    assert attempts(house, 15) == ([0, 10], None)
    house.source.fails = False
    run = make(house, FRIDAY + 20 * MINUTE)
    assert run.trouble == ()
    assert house.ledger.editions.on(FRIDAY.date()).missing == ()


def test_with_too_few_papers_there_is_no_edition_that_day(house):
    house.add("ada")
    house.source.fails = True
    asked, run = attempts(house, 100)
    assert asked[-1] == 60
    assert run.balance is None
    assert run.trouble[-1] == "no edition: fewer than 5 papers are there (DIGEST_ENOUGH_PAPERS)"
    assert make(house, FRIDAY + 65 * MINUTE) is None
    house.source.fails = False
    assert pass_hours(house, FRIDAY + 3 * HOUR, 2) == {"ada": [FRIDAY + 3 * HOUR]}


def test_a_day_without_an_edition_is_made_up_for_by_the_next(house):
    house.add("ada", max_papers=15)
    house.settings = make_settings(home=str(house.settings.home), max_for_you="15")
    house.source.fails = True
    assert pass_hours(house, FRIDAY, 23) == {}
    house.source.fails = False
    assert pass_hours(house, SATURDAY, 24) == {"ada": [SATURDAY]}


def test_by_hand_too_few_papers_make_no_edition_either(house):
    house.source.fails = True
    run = house.pipeline.tick(FRIDAY, everybody=True)
    assert run.balance is None
    assert len(run.trouble) == 2
    assert house.ledger.editions.on(FRIDAY.date()) is None
    house.settings = make_settings(home=str(house.settings.home), enough_papers="0")
    run = house.pipeline.tick(FRIDAY, everybody=True)
    assert (run.balance.due, run.trouble) == (0, ("huggingface: HTTP 503",))


# ---- standstills -----------------------------------------------------------------------------


def stand_still(house, start, end):
    """Nothing happens from one moment to the other."""
    pass_hours(house, FRIDAY - DAY, (start - FRIDAY) // HOUR + 24)
    house.mailed()
    return pass_hours(house, end, 30)


def test_an_edition_that_is_late_is_for_those_whose_time_has_passed(house):
    house.add("ada", at="09:00")
    house.add("grace", at="18:00")
    came = stand_still(house, FRIDAY, FRIDAY + 6 * HOUR)
    assert came == {
        "ada": [FRIDAY + 6 * HOUR, SATURDAY + HOUR],
        "grace": [FRIDAY + 10 * HOUR, SATURDAY + 10 * HOUR],
    }


def test_an_evening_that_was_missed_is_made_up_for_in_the_night(house):
    house.add("grace", at="18:00")
    came = stand_still(house, FRIDAY + 4 * HOUR, FRIDAY + 20 * HOUR)
    assert came == {"grace": [FRIDAY + 20 * HOUR, SATURDAY + 10 * HOUR]}


def test_after_days_there_is_one_mail_with_all_that_is_new(house):
    house.settings = make_settings(
        home=str(house.settings.home), max_for_you="15", max_trending="15"
    )
    house.add("ada", max_papers=15)
    stand_still(house, FRIDAY + 4 * HOUR, FRIDAY + 3 * DAY)
    edition = house.ledger.editions.on(MONDAY.date())
    pools = {pick.candidate.listed_on for pick in house.picks("ada", edition.day)}
    assert pools == {MONDAY.date() - n * DAY for n in range(3)}


def test_what_is_too_old_is_written_down_as_missed(house):
    house.add("weekly", cadence="fri", at="18:00")
    house.add("daily", at="18:00")
    came = stand_still(house, FRIDAY + 4 * HOUR, FRIDAY + 4 * DAY)
    assert came == {"daily": [FRIDAY + 4 * DAY + 10 * HOUR]}, "in time, with all that is new"
    assert house.became(FRIDAY.date()) == {"weekly": "skipped missed", "daily": "skipped missed"}
    house.mailed()
    came = pass_hours(house, FRIDAY + 5 * DAY + 6 * HOUR, 24 * 3)
    assert came["weekly"] == [FRIDAY + 7 * DAY + 10 * HOUR]


def test_what_was_missed_is_news_to_a_weekly_reader_a_week_later(house):
    house.settings = make_settings(
        home=str(house.settings.home), max_for_you="15", max_trending="15"
    )
    house.add("ada", cadence="fri", at="18:00", max_papers=15)
    pass_hours(house, FRIDAY, 24)
    pass_hours(house, FRIDAY + DAY, 24 * 6 + 4)  # to next Friday noon
    pass_hours(house, FRIDAY + 10 * DAY, 24 * 5)
    assert house.became((FRIDAY + 7 * DAY).date())["ada"] == "skipped missed"
    listed = {pick.candidate.listed_on for pick in house.picks("ada", (FRIDAY + 14 * DAY).date())}
    assert min(listed) < (FRIDAY + 7 * DAY).date()


def test_who_joins_after_a_standstill_has_missed_nothing(house):
    house.add("old", at="18:00")
    pass_hours(house, FRIDAY, 4)
    joined = FRIDAY + 3 * DAY
    house.registry.add("new@example.org", (), source="test", now=joined)
    pass_hours(house, joined, 2)
    assert set(house.became(FRIDAY.date())) == {"old"}


def test_who_is_paused_has_missed_nothing(house):
    house.add("ada", at="18:00", paused_until="2026-02-22")
    stand_still(house, FRIDAY + 4 * HOUR, FRIDAY + 4 * DAY)
    assert house.became(FRIDAY.date()) == {"ada": "skipped paused"}


def test_in_the_ordinary_course_of_things_nobody_misses_anything(house):
    house.add("ada", at="07:30")
    house.add("emmy", at="02:30", timezone="America/New_York", cadence="weekly")
    house.add("alan", at="23:45", timezone="Pacific/Auckland", cadence="weekdays")
    pass_hours(house, FRIDAY, 24 * 9)
    for day in range(9):
        states = house.became((FRIDAY + day * DAY).date())
        assert "skipped missed" not in states.values()


# ---- a ledger that was copied ----------------------------------------------------------------


def test_what_was_due_before_it_was_adopted_is_not_sent(house):
    house.add("ada", at="09:00")
    house.add("grace", at="18:00")
    pass_hours(house, FRIDAY - DAY, 24)
    house.mailed()
    adopted = FRIDAY + 5 * HOUR
    house.ledger.instances.enter(Instance("a", "here", "/var", "m", adopted, sends_from=adopted))
    came = pass_hours(house, adopted, 24)
    assert came == {"grace": [FRIDAY + 10 * HOUR], "ada": [SATURDAY + HOUR]}
    assert house.became(FRIDAY.date()) == {"ada": "skipped dropped", "grace": "accepted"}


def test_what_was_due_in_the_moment_it_was_adopted_is_dropped_as_well(house):
    house.add("ada", at="09:00")
    pass_hours(house, FRIDAY - DAY, 24)
    house.mailed()
    adopted = FRIDAY + HOUR
    house.ledger.instances.enter(Instance("a", "here", "/var", "m", adopted, sends_from=adopted))
    assert pass_hours(house, adopted, 25) == {"ada": [SATURDAY + HOUR]}
    assert house.became(FRIDAY.date()) == {"ada": "skipped dropped"}


def test_what_waits_can_be_given_up(house):
    house.add("ada")
    edition = house.ledger.editions
    assert make(house, FRIDAY - HOUR) is None
    house.pipeline.collect_due(FRIDAY - 2 * HOUR)
    pipeline = make_pipeline(house.settings, house.ledger, house.registry, lambda: [house.source])
    pipeline.tick(FRIDAY)
    assert house.became(FRIDAY.date()) == {"ada": "pending"}
    assert house.ledger.deliveries.drop_waiting(NOW) == 1
    assert house.became(FRIDAY.date()) == {"ada": "skipped dropped"}
    assert edition.balance(edition.on(FRIDAY.date())).skipped_for == {"dropped": 1}


def test_how_far_it_was_planned_is_written_down(house):
    house.add("ada")
    pass_hours(house, FRIDAY, 3)
    assert house.ledger.last_runs.last(Job.PLANNED) == FRIDAY + 2 * HOUR


@pytest.mark.parametrize("first", ["tick", "plan"])
def test_what_was_missed_is_in_the_books_of_its_edition_whoever_looks_first(house, first):
    house.add("ada", at="12:00")
    pass_hours(house, FRIDAY, 2)
    looks = {
        "tick": house.pipeline.tick,
        "plan": house.pipeline.plan,
    }
    now = FRIDAY + 31 * HOUR
    for name in sorted(looks, key=lambda name: name != first):
        looks[name](now)
    assert house.became(FRIDAY.date()) == {"ada": "skipped missed"}
    figures = house.ledger.history.editions(2)
    assert [(figure.day, figure.balance.due) for figure in figures] == [
        (SATURDAY.date(), 1),
        (FRIDAY.date(), 1),
    ]


def test_what_is_planned_late_has_its_own_time_to_be_sent(house):
    house.add("ada", cadence="fri", at="23:00")
    pass_hours(house, FRIDAY, 4)
    came = pass_hours(house, FRIDAY + 60 * HOUR, 2)
    assert came == {"ada": [FRIDAY + 60 * HOUR]}


def test_who_missed_it_by_other_wishes_gets_it_by_the_new_ones(house):
    """The edition of Wednesday is for all days since Friday's, and for the morning after."""
    house.add("ada", cadence="sat", at="18:00")
    pass_hours(house, FRIDAY, 4)
    wednesday = FRIDAY + 5 * DAY
    pass_hours(house, wednesday, 2)
    assert house.became(wednesday.date()) == {"ada": "skipped missed"}
    house.add("ada", cadence="wed", at="18:00")
    assert pass_hours(house, wednesday + 8 * HOUR, 6) == {"ada": [wednesday + 10 * HOUR]}
    edition = house.ledger.editions.on(wednesday.date())
    assert house.ledger.editions.balance(edition).due == 1
