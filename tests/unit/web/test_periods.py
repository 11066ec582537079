"""Days, weeks and months by their names in addresses."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.web.periods import Kind, Period, around, read_period

DAYS = st.dates(date(1900, 1, 8), date(9000, 12, 1))


@given(DAYS, st.sampled_from(Kind))
def test_a_period_is_read_by_its_name_and_holds_its_day(day, kind):
    period = around(kind, day)
    assert read_period(period.name) == period
    assert period.first <= day <= period.last
    assert day in list(period.days)
    assert all(around(kind, of) == period for of in (period.first, period.last))


@given(DAYS, st.sampled_from(Kind))
def test_periods_follow_each_other_without_a_gap(day, kind):
    period = around(kind, day)
    assert period.after.first == period.last + timedelta(days=1)
    assert period.after.before == period
    assert period.before.last == period.first - timedelta(days=1)


def test_a_year_may_have_53_weeks():
    last = read_period("2026-W53")
    assert last == Period(Kind.WEEK, date(2026, 12, 28), date(2027, 1, 3))
    assert last.after.name == "2027-W01"
    assert last.before.name == "2026-W52"
    assert read_period("2025-W53") is None
    # The first days of a year may be of the last week of the year before.
    assert around(Kind.WEEK, date(2027, 1, 1)) == last


def test_months_have_their_own_lengths():
    assert list(read_period("2024-02").days)[-1] == date(2024, 2, 29)
    assert read_period("2025-12").after.name == "2026-01"
    assert read_period("2026-01").before.name == "2025-12"


@pytest.mark.parametrize(
    "name",
    [
        "", "2026", "2026-00", "2026-13", "2026-02-30", "2026-W00", "2026-W54", "2026-W1", "2026-2", "2026-02-3",
        "0000-01", "0001-W01", "0001-01-01", "1899-12", "9001-01-01", "9999-12-31", "99999-01", "2026-02-20\n",
        " 2026-02-20", "2026-w08", "2026W08", "20260220", "٢٠٢٦-٠٢-٢٠", "2026-02-20T00", "-026-02-20", "<script>",
    ],
)  # fmt: skip
def test_what_names_no_period(name):
    assert read_period(name) is None


@given(st.text(max_size=12) | st.from_regex("[0-9]{4}-[0-9W]{1,3}(-[0-9]{2})?", fullmatch=True))
def test_whatever_is_asked_for_is_read_or_not(text):
    period = read_period(text)
    assert period is None or period.name == text
