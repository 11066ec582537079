"""How the studio says what happened."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from digest.ledger.daily_stats import DailyStats
from digest.model.deliveries import Balance
from digest.model.summaries import Verdict
from digest.studio.history_text import Pager, words
from digest.studio.plots import month_plots
from tests.support import TODAY


def test_moments_are_told_in_the_operators_zone():
    said = words(ZoneInfo("Asia/Tokyo"))
    assert said["moment"](datetime(2026, 2, 20, 23, 5, tzinfo=UTC)) == "2026-02-21 08:05"
    assert said["zone"] == "Asia/Tokyo"


@pytest.mark.parametrize(
    ("page", "has_more", "before", "after"),
    [(1, False, "", ""), (1, True, "", "page=2"), (3, True, "page=2", "page=4")],
)
def test_the_pages_before_and_after(page, has_more, before, after):
    pager = Pager("/runs", page, has_more)
    assert (pager.before, pager.after) == tuple(
        link and f"/runs?{link}" for link in (before, after)
    )


def test_the_next_page_is_of_the_same_search():
    pager = Pager("/runs", 1, has_more=True, query={"address": "a&b=c", "state": ""})
    assert pager.after == "/runs?address=a%26b%3Dc&page=2"


def days(*balances):
    first = date(2026, 2, 1)
    return [
        DailyStats(first + timedelta(days=n), has_edition=True, papers=n, balance=balance)
        for n, balance in enumerate(balances)
    ]


def test_a_month_is_told_in_pictures_sentences_and_tables():
    month = days(Balance(TODAY, due=1200, accepted=1200), Balance(TODAY, due=3, refused=3))
    left = {each.day: 2 for each in month}
    papers, deliveries, leaving, sending = month_plots(month, left)
    assert [(each.name, deliveries.shown(each.total)) for each in deliveries.series] == [
        ("accepted", "1,200"),
        ("refused", "3"),
    ]
    assert deliveries.says == (
        "1,200 accepted, 3 refused in all; the most on one day were 1,200, on Sun 1 Feb 2026."
    )
    assert [values for _, values in deliveries.rows] == [["1,200", "0"], ["0", "3"]]
    assert [values for _, values in papers.rows] == [["0"], ["1"]]
    assert [(each.name, each.kind, each.total) for each in leaving.series] == [
        ("unsubscribed", "left", 4)
    ]
    assert sending.says == "Nothing was sent in these days."
    assert len({each.name for each in (papers, deliveries, leaving, sending)}) == 4


def test_sentences_of_a_model_are_counted_where_there_is_one():
    month = days(Balance(TODAY), Balance(TODAY))
    first, second = (stats.day for stats in month)
    asked = {
        first: {Verdict.USED: 3, Verdict.ECHO: 1, Verdict.CUT_OFF: 1},
        second: {Verdict.NO_ANSWER: 2},
    }
    *_, sentences, _ = month_plots(month, {first: 0, second: 0}, asked)
    assert [(each.name, each.values) for each in sentences.series] == [
        ("made", [3, 0]),
        ("failed", [0, 2]),
        ("dropped", [2, 0]),
    ]
    assert sentences.says.startswith("3 made, 2 failed, 2 dropped in all")


def test_a_month_without_anything_is_told_as_that():
    month = [DailyStats(TODAY)]
    papers, deliveries, *_ = month_plots(month, {TODAY: 0})
    assert papers.says == deliveries.says == "None in these days."
    assert [series.name for series in deliveries.series] == ["accepted"]
