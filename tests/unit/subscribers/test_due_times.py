"""When a digest is due: by every clock, around every change of it."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.due_times import last_due, local_day, next_due, next_mail
from subscribers.preferences import WEEKDAYS, Preferences, parse_cadence

ZONES = sorted(available_timezones() - {"localtime", "Factory"})
MONDAY = frozenset({"mon"})

preferences = st.builds(
    Preferences,
    days=st.frozensets(st.sampled_from(WEEKDAYS), min_size=1),
    at=st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 59])),
    timezone=st.sampled_from(ZONES),
)
moments = st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC))


def at(text: str, zone: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    ("zone", "clock", "now", "due"),
    [
        ("UTC", time(8), "2026-02-20 08:00", "2026-02-20 08:00"),
        ("UTC", time(8), "2026-02-20 07:59", "2026-02-19 08:00"),
        ("Pacific/Auckland", time(8), "2026-02-20 12:00", "2026-02-20 08:00"),
        # Oslo's clocks go forward at two on 29 March, and back at three on 25 October.
        ("Europe/Oslo", time(2, 30), "2026-03-29 12:00", "2026-03-29 03:30"),
        ("Europe/Oslo", time(2, 30), "2026-03-30 12:00", "2026-03-30 02:30"),
        ("Europe/Oslo", time(2, 30), "2026-10-25 12:00", "2026-10-25 02:30"),
        ("UTC", time(8), "2028-02-29 09:00", "2028-02-29 08:00"),
        ("UTC", time(0), "2026-01-01 00:00", "2026-01-01 00:00"),
    ],
)
def test_the_last_one(zone, clock, now, due):
    assert last_due(Preferences(at=clock, timezone=zone), at(now, zone)) == at(due, zone)


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Niue"])
def test_monthly_is_on_the_first_of_each_month(zone):
    monthly = Preferences(days=parse_cadence("monthly"), at=time(23, 30), timezone=zone)
    moment = datetime(2027, 1, 15, tzinfo=UTC)
    days = []
    for _ in range(14):
        before, moment = moment, next_due(monthly, moment)
        assert last_due(monthly, moment) == moment
        assert not days or last_due(monthly, moment - timedelta.resolution) == before
        days.append(local_day(monthly, moment))
    assert days == [date(2027 + n // 12, n % 12 + 1, 1) for n in range(1, 15)]
    assert [monthly.day_before(later) for later in days[1:]] == days[:-1]


def test_weekly_is_once_a_week():
    weekly = Preferences(days=MONDAY)
    monday = datetime(2026, 2, 23, 8, tzinfo=UTC)
    for days in range(7):
        assert last_due(weekly, monday + timedelta(days=days, hours=1)) == monday
    assert next_due(weekly, monday) == monday + timedelta(days=7)


def test_samoa_had_no_30_december_2011_and_nobody_there_is_mailed_twice():
    preferences = Preferences(timezone="Pacific/Apia")
    due = [datetime(2011, 12, 28, tzinfo=UTC)]
    while due[-1] < datetime(2012, 1, 3, tzinfo=UTC):
        due.append(next_due(preferences, due[-1]))
    days = [local_day(preferences, moment) for moment in due[1:]]
    assert len(days) == len(set(days))
    assert date(2011, 12, 30) not in days


@given(preferences, moments)
def test_the_last_and_the_next_are_neighbours(preferences, now):
    last, following = last_due(preferences, now), next_due(preferences, now)
    assert last <= now < following
    assert next_due(preferences, last) == following
    assert last_due(preferences, following) == following
    assert last_due(preferences, following - timedelta(microseconds=1)) == last


@given(preferences, moments)
def test_it_is_on_a_day_that_was_chosen_at_the_time_that_was(preferences, now):
    due = next_due(preferences, now).astimezone(ZoneInfo(preferences.timezone))
    on_time = due.time() == preferences.at and WEEKDAYS[due.weekday()] in preferences.days
    # Where a clock change has skipped that time, it is later by as much.
    before = due - timedelta(days=1)
    assert on_time or due.utcoffset() != before.utcoffset()


@given(preferences, moments)
def test_in_a_month_each_chosen_day_has_one(preferences, now):
    found, moment = [], now
    while moment < now + timedelta(days=28):
        moment = next_due(preferences, moment)
        found.append(local_day(preferences, moment))
    assert len(found) == len(set(found))
    # Four weeks, but for the ends and for days that a zone has left out.
    assert abs(len(found) - 4 * len(preferences.days)) <= 2


def test_the_next_mail_is_the_first_after_a_pause():
    oslo = Preferences(timezone="Europe/Oslo", days=MONDAY, paused_until=date(2026, 3, 2))
    now = at("2026-02-20 12:00", "UTC")
    assert next_mail(oslo, now) == at("2026-03-02 08:00", "Europe/Oslo")
    assert next_mail(oslo, at("2026-03-03 12:00", "UTC")) == at("2026-03-09 08:00", "Europe/Oslo")


def test_a_mail_at_midnight_comes_as_the_pause_ends():
    midnight = Preferences(timezone="Europe/Oslo", at=time(), paused_until=date(2026, 3, 2))
    end = at("2026-03-02 00:00", "Europe/Oslo")
    assert next_mail(midnight, at("2026-02-20 12:00", "UTC")) == end
    assert next_mail(midnight, end - timedelta.resolution) == end
    assert next_mail(midnight, end) == at("2026-03-03 00:00", "Europe/Oslo")


@given(preferences, moments)
def test_without_a_pause_the_next_mail_is_the_next_due(preferences, now):
    assert next_mail(preferences, now) == next_due(preferences, now)


@given(preferences, moments, st.integers(-5, 40))
def test_nothing_comes_on_a_day_of_a_pause(preferences, now, days):
    until = local_day(preferences, now) + timedelta(days=days)
    paused = replace(preferences, paused_until=until)
    found = next_mail(paused, now)
    assert not paused.is_paused_on(local_day(preferences, found))
    assert found >= next_due(preferences, now)


def test_a_time_that_the_clocks_skip_at_midnight_is_of_the_day_before():
    nuuk = "America/Nuuk"  # on 30 March 2024 its clocks went from 23:00 to midnight
    saturdays = Preferences(days=frozenset({"sat"}), at=time(23, 30), timezone=nuuk)
    due = next_due(saturdays, at("2024-03-29 12:00", nuuk))
    assert due == at("2024-03-31 00:30", nuuk)
    assert local_day(saturdays, due) == date(2024, 3, 30)
    assert local_day(Preferences(timezone=nuuk), due) == date(2024, 3, 31)
