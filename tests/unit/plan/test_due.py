"""Whose turn it is, and which turns nobody looked at."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from digest.model.timetable import Frozen, Timetable
from digest.plan.due import DueTime, due_since, latest_due, who_is_due, with_mail_on
from subscribers.model import MailSchedule
from subscribers.preferences import Preferences, parse_cadence

UTC_EIGHT = Timetable(time(8), ZoneInfo("UTC"))
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 2, day, hour, minute, tzinfo=UTC)


def clock(hour: int, cadence: str = "daily", came: datetime = LONG_AGO) -> MailSchedule:
    return MailSchedule(Preferences(days=parse_cadence(cadence), at=time(hour)), {1: came})


def intervals(*days: int):
    return UTC_EIGHT.intervals([Frozen(day, date(2026, 2, day), at(day, 8)) for day in days])


def told(due_times) -> list[tuple[int, datetime]]:
    """Of each turn the day of its edition, and its moment."""
    return [(due_time.interval.edition.day.day, due_time.moment) for due_time in due_times]


def test_a_turn_is_for_the_edition_of_its_day_or_of_the_day_before() -> None:
    for hour, edition, day in [(18, 20, 20), (8, 20, 20), (7, 20, 20), (6, 19, 20)]:
        [due_time] = latest_due([clock(hour)], intervals(19, 20), at(20, 19))
        assert told([due_time]) == [(edition, at(day, hour))]
        assert due_time.day == date(2026, 2, day)


def test_while_its_edition_is_not_made_there_is_no_turn() -> None:
    assert list(latest_due([clock(8)], intervals(19, 20), at(21, 8))) == []


def test_a_turn_on_a_day_without_an_edition_waits_for_the_next_one() -> None:
    some = intervals(19, 22)
    assert list(latest_due([clock(18)], some, at(22, 8))) == []  # until the evening
    assert told(latest_due([clock(18)], some, at(22, 18))) == [(22, at(22, 18))]


def test_who_has_no_other_turn_gets_it_late() -> None:
    assert told(latest_due([clock(18, "sat")], intervals(19, 22), at(22, 8))) == [(22, at(21, 18))]


def test_the_first_due_time_of_a_days_own_edition_does_not_wait() -> None:
    """The edition was made by hand at four, so it is for the times from three on."""
    [_, made_early] = UTC_EIGHT.intervals(
        [Frozen(19, date(2026, 2, 19), at(19, 8)), Frozen(22, date(2026, 2, 22), at(22, 4))]
    )
    assert made_early.own == at(22, 3)
    assert told(latest_due([clock(3)], [made_early], at(22, 4))) == [(22, at(22, 3))]
    some = Preferences(at=time(2, 59))
    assert list(latest_due([MailSchedule(some, {1: LONG_AGO})], [made_early], at(22, 4))) == []


def test_who_is_due_again_only_with_the_next_edition_does_not_wait_for_that() -> None:
    """On Monday at seven begins what the edition of Monday is for."""
    some = intervals(19, 22)
    assert some[-1].ends == at(23, 7)
    for hour, expected in [(7, [(22, at(21, 7))]), (6, [])]:
        assert told(latest_due([clock(hour, "sat+mon")], some, at(22, 8))) == expected


def test_turns_that_nobody_looked_at_are_one_for_each_edition() -> None:
    some = intervals(19, 20, 21)
    assert told(due_since([clock(18)], some, at(19, 12), at(21, 20))) == [
        (19, at(19, 18)),
        (20, at(20, 18)),
        (21, at(21, 18)),
    ]
    assert told(due_since([clock(18)], some, at(19, 18), at(21, 17))) == [(20, at(20, 18))]


def test_who_came_later_had_no_turn() -> None:
    [due_time] = due_since([clock(18, came=at(20, 18))], intervals(20), at(19, 12), at(20, 19))
    assert due_time.people == frozenset()


moments = st.integers(0, 14 * 24 * 4).map(lambda quarter: at(1, 0) + quarter * DAY / 96)
days = st.sets(st.integers(1, 14), min_size=1).map(sorted)
clocks = st.lists(
    st.builds(
        MailSchedule,
        st.builds(
            Preferences,
            days=st.sampled_from(["daily", "weekdays", "weekly", "tue+sat", "sun"]).map(
                parse_cadence
            ),
            at=st.times().map(lambda each: each.replace(second=0, microsecond=0)),
            timezone=st.sampled_from(["UTC", "Europe/Oslo", "Pacific/Kiritimati", "Pacific/Niue"]),
        ),
        st.just({1: LONG_AGO}),
    ),
    max_size=4,
)


def moment_of(due_time: DueTime) -> tuple[Preferences, datetime]:
    return due_time.preferences, due_time.moment


@given(clocks, days, st.lists(moments, min_size=2, max_size=8).map(sorted))
def test_however_often_one_looks_every_turn_is_seen_or_passed(some, made, looks) -> None:
    """Looked at each minute or after a week: the same turns are found, each in its window."""
    some_windows = intervals(*made)
    passed: set[tuple[Preferences, datetime]] = set()
    for since, now in pairwise(looks):
        for due_time in due_since(some, some_windows, since, now):
            assert since < due_time.moment <= now
            assert due_time.interval.begins <= due_time.moment < due_time.interval.ends
            passed.add(moment_of(due_time))
    for look in looks[1:]:
        for due_time in latest_due(some, some_windows, look):
            assert due_time.moment <= look
            if due_time.moment > looks[0]:
                assert moment_of(due_time) in passed


@given(clocks, days, moments)
def test_who_is_due_is_counted_as_it_is_planned(some, made, now) -> None:
    """Two ways to say the same, which share no line: see ``who_is_due``."""
    schedules = [
        MailSchedule(schedule.preferences, {number: LONG_AGO})
        for number, schedule in enumerate(some)
    ]
    oldest = now - 2 * DAY
    planned: dict[int, set[int]] = {}
    for due_time in latest_due(schedules, intervals(*made), now):
        if due_time.moment > oldest:
            planned.setdefault(due_time.interval.edition.id, set()).update(due_time.people)
    for interval in intervals(*made):
        counted = who_is_due(schedules, interval, oldest, now)
        assert counted == planned.get(interval.edition.id, set())


def test_who_has_mail_on_a_day_of_the_week() -> None:
    weekdays = MailSchedule(Preferences(days=parse_cadence("weekdays")), {1: LONG_AGO, 2: LONG_AGO})
    sundays = MailSchedule(Preferences(days=parse_cadence("sun")), {3: LONG_AGO})
    assert with_mail_on([weekdays, sundays], date(2026, 2, 20)) == {1, 2}  # a Friday
    assert with_mail_on([weekdays, sundays], date(2026, 2, 22)) == {3}
