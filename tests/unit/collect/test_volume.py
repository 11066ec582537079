"""When a list has too few papers to be true."""

from datetime import date, timedelta

import pytest

from digest.collect.volume import LEAST_USUAL, Listed, doubt, is_poor, weeks_before

DAY = timedelta(days=1)
FRIDAY = date(2026, 2, 20)

# Papers first seen on Hugging Face from Monday, 2025-09-08, to Wednesday, 2025-12-31, seven a line.
RECORDED = """
15 10 29 17 14  4  0
 8 21 20 14 18 10  0
14 21 19 15 22  7  0
18 29 27 17 29  9  0
33 63 65 46 50 13  0
18 45 39 53 52 12  0
34 52 43 49 46 16  0
22 33 30 39 28 10  0
24 28 37 37 28 10  0
15 30 22 16 13  5  0
11 23 18 16  3 17  1
13 24 21 16 19  5  1
25 26 24 23 17  2  0
27 35 43 33 37 12  0
16 28 20 29 23  8  1
16 31 44 35 31 11  2
18 23 18
"""
COUNTS = {date(2025, 9, 8) + n * DAY: int(count) for n, count in enumerate(RECORDED.split())}
STEADY = (310, 290, 335, 300, 280, 320, 305, 298)


def test_ordinary_days_are_not_in_doubt():
    judged = [day for day in COUNTS if weeks_before(day)[-1] in COUNTS]
    assert len(judged) >= 40
    for day in judged:
        before = tuple(COUNTS[week] for week in weeks_before(day))
        listed = Listed(day, COUNTS[day], before, day, COUNTS[day], has_answered=True)
        assert doubt(listed, is_due=False) == ""


@pytest.mark.parametrize(
    ("count", "before", "poor"),
    [
        (0, STEADY, True),
        (140, STEADY, True),
        (160, STEADY, False),
        (0, STEADY[:3], True),
        (0, STEADY[:2], False),
        (0, (), False),
        (0, (LEAST_USUAL,) * 3, True),
        (0, (LEAST_USUAL - 1,) * 3, False),
        (0, (0, 0, 0, 0), False),
        (5, (14, 10, 30, 21), False),  # it varies as much
        (140, (*STEADY[:7], 0), True),  # a day that was down is no measure
    ],
)
def test_when_a_count_is_poor(count, before, poor):
    assert is_poor(count, before) is poor


@pytest.mark.parametrize(
    ("count", "latest", "answered", "before", "said"),
    [
        (300, FRIDAY, True, STEADY, ""),
        (
            0,
            FRIDAY - DAY,
            True,
            STEADY,
            "the list of 2026-02-20 is not there; it still gives that of 2026-02-19",
        ),
        (0, FRIDAY - DAY, False, STEADY, "no papers on Friday, 2026-02-20; usual are 302"),
        (140, FRIDAY, True, STEADY, "140 papers on Friday, 2026-02-20; usual are 302"),
        (
            0,
            FRIDAY - DAY,
            True,
            (),
            "the list of 2026-02-20 is not there; it still gives that of 2026-02-19",
        ),
        (0, FRIDAY - DAY, False, (), ""),  # perhaps a holiday that nobody knows of
    ],
)
def test_what_is_said(count, latest, answered, before, said):
    listed = Listed(FRIDAY, count, before, latest, 300, answered)
    assert doubt(listed, is_due=True) == said


@pytest.mark.parametrize("before", [(), (1, 0, 2)])
def test_where_few_papers_are_usual_a_list_may_be_empty(before):
    few = LEAST_USUAL - 1
    listed = Listed(FRIDAY, 0, before, FRIDAY - DAY, few, has_answered=True)
    assert doubt(listed, is_due=True) == ""


def test_without_a_schedule_the_first_weeks_are_in_no_doubt():
    listed = Listed(FRIDAY, 0, (), FRIDAY - DAY, 300, has_answered=True)
    assert doubt(listed, is_due=False) == ""
