"""Titles of periods, what stands around them, and the calendar of a year."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from digest.compose.language import ENGLISH, language
from digest.web.period_view import calendar, days_to_show, kinds, short_title, strip, title
from digest.web.periods import Kind, around, read_period

DAYS = st.dates(date(1990, 1, 1), date(2090, 12, 31))
COUNTS = st.dictionaries(st.dates(date(2026, 1, 1), date(2026, 12, 31)), st.integers(1, 99))


def test_periods_are_named_in_the_readers_language():
    german = language("de")
    for name, english, short, in_german in (
        ("2026-02-20", "Friday, 20 February 2026", "Fri 20 Feb", "Freitag, 20. Februar 2026"),
        ("2026-W08", "Week 8, 2026", "Week 8", "Woche 8, 2026"),
        ("2026-02", "February 2026", "February 2026", "Februar 2026"),
    ):
        period = read_period(name)
        assert (title(period, ENGLISH), short_title(period, ENGLISH)) == (english, short)
        assert title(period, german) == in_german


def test_days_between_say_no_more_than_is_needed():
    first = date(2026, 2, 16)
    for last, said in (
        (date(2026, 2, 22), "16–22 February 2026"),
        (date(2026, 3, 1), "16 February – 1 March 2026"),
        (date(2027, 1, 3), "16 February 2026 – 3 January 2027"),
    ):
        assert ENGLISH.days_between(first, last) == said


def test_the_day_of_a_week_is_its_last_with_papers():
    newest = date(2026, 2, 19)
    links = kinds(read_period("2026-W08"), newest, ENGLISH)
    assert [(link.path, link.is_current) for link in links] == [
        ("/2026-02-19", False), ("/2026-W08", True), ("/2026-02", False),
    ]  # fmt: skip


def test_the_strip_of_a_month_has_its_weeks_and_that_of_a_day_its_week():
    counts = {date(2026, 2, 2): 3, date(2026, 2, 28): 1}
    weeks = strip(read_period("2026-02"), counts, ENGLISH)
    assert [(link.text, link.about, link.path) for link in weeks] == [
        ("Week 5", "none", ""), ("Week 6", "3 papers", "/2026-W06"), ("Week 7", "none", ""),
        ("Week 8", "none", ""), ("Week 9", "1 paper", "/2026-W09"),
    ]  # fmt: skip
    days = strip(read_period("2026-02-02"), counts, ENGLISH)
    assert [(link.text, link.number, link.path) for link in days][:2] == [
        ("Mon", "2", "/2026-02-02"), ("Tue", "3", ""),
    ]  # fmt: skip
    assert [link.is_current for link in days] == [True, *[False] * 6]


@given(DAYS, st.sampled_from(Kind))
def test_the_strip_needs_no_more_days_than_are_asked_for(day, kind):
    period = around(kind, day)
    first, last = days_to_show(period)
    assert first <= period.first <= period.last <= last
    counts = {first + timedelta(days=n): 1 for n in range((last - first).days + 1)}
    assert all(link.path for link in strip(period, counts, ENGLISH))


@given(COUNTS)
def test_the_calendar_has_each_day_with_papers_once(counts):
    months = calendar(2026, counts, ENGLISH)
    days = [day for month in months for week in month.weeks for day in week.days if day]
    assert sorted(day.path for day in days if day.path) == sorted(f"/{day}" for day in counts)
    assert sum(int(day.number) for day in days) == sum(counts.values())
    assert [month.link.path for month in months] == sorted(
        {f"/{day:%Y-%m}" for day in counts}, reverse=True
    )
    for month in months:
        for week in month.weeks:
            assert len(week.days) == 7
            assert week.link.text == f"Week {week.number}"
