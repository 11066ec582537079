"""Days of arXiv that were missed; the answers are composed in the form of recorded ones."""

from datetime import date, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote_plus

import httpx
import pytest

from digest.collect import arxiv as arxiv_module
from digest.collect.arxiv import Arxiv
from digest.collect.http import Http, Throttle
from digest.collect.snapshots import Snapshots
from tests.support import NOW, SleepingClock, gather

FEED = '<rss version="2.0"><channel/></rss>'
DAYS = [date(2026, 2, 14) + timedelta(days=number) for number in range(7)]  # Saturday to Friday


class Api:
    """arXiv with as many papers in each list as ``counts`` says; the other lists are empty."""

    def __init__(self, tmp_path: Path, counts: dict[str, int], categories: str = "cs.AI") -> None:
        self.asked: list[str] = []
        self.counts = counts
        self.clock = SleepingClock()
        transport = httpx.MockTransport(self.answer)
        http = Http(
            Snapshots(tmp_path),
            timeout=1,
            attempts=1,
            transport=transport,
            sleep=self.clock.sleep,
        )
        self.source = Arxiv(
            http,
            feed_url="https://rss.example/rss",
            api_url="https://api.example",
            categories=categories,
            throttle=Throttle(3, clock=self.clock, sleep=self.clock.sleep),
        )

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "rss.example":
            self.asked.append("feed")
            return httpx.Response(200, text=FEED)
        assert request.url.path == "/api/query"
        self.asked.append(unquote_plus(request.url.query.decode()))
        opened = request.url.params["search_query"].partition("[")[2][:8]
        start, most = (int(request.url.params[name]) for name in ("start", "max_results"))
        count = self.counts.get(opened, 0)
        return httpx.Response(200, text=page(opened, count, range(start, min(start + most, count))))

    def collect(self, now: datetime = NOW):
        return gather(self.source, DAYS, now)


def page(opened: str, count: int, numbers: range) -> str:
    entries = "".join(
        f"<entry><id>http://arxiv.org/abs/26{opened[4:6]}.{opened[6:8]}{number:03d}v1</id>"
        f"<title>Paper {number} of {opened}</title><published>2026-02-18T15:00:00Z</published>"
        "</entry>"
        for number in numbers
    )
    return (
        '<feed xmlns="http://www.w3.org/2005/Atom" '
        'xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">'
        f"<opensearch:totalResults>{count}</opensearch:totalResults>{entries}</feed>"
    )


def listed(harvest) -> dict[date, int]:
    days = [sighting.listed_on for sighting in harvest.sightings]
    return {day: days.count(day) for day in sorted(set(days))}


def test_missed_lists_are_fetched_by_when_their_papers_were_submitted(tmp_path):
    api = Api(tmp_path, {"20260217": 2, "20260213": 1})
    api.collect()
    assert api.asked[0] == (
        "search_query=(cat:cs.AI) AND submittedDate:[202602171900 TO 202602181859]"
        "&sortBy=submittedDate&sortOrder=ascending&max_results=200&start=0"
    )
    assert len(api.asked) == 5
    assert api.asked[-1] == "feed", "today's list is in the feed"
    assert api.clock.slept == [3] * 4


def test_the_papers_are_listed_on_the_day_that_was_missed(tmp_path):
    harvest = Api(tmp_path, {"20260217": 2, "20260213": 1}).collect()
    assert listed(harvest) == {date(2026, 2, 17): 1, date(2026, 2, 19): 2}
    assert harvest.rejected == ()


def test_an_archive_means_its_categories(tmp_path):
    api = Api(tmp_path, {}, "cs.AI+q-bio")
    api.collect()
    assert "(cat:cs.AI OR cat:q-bio OR cat:q-bio.*) AND" in api.asked[0]


def test_a_long_list_comes_in_pages(tmp_path, monkeypatch):
    monkeypatch.setattr(arxiv_module, "PAGE", 20)
    api = Api(tmp_path, {"20260217": 41})
    assert listed(api.collect()) == {date(2026, 2, 19): 41}
    starts = [asked.rpartition("=")[2] for asked in api.asked if "[20260217" in asked]
    assert starts == ["0", "20", "40"]


def test_a_list_with_a_page_missing_is_kept_for_another_time(tmp_path, monkeypatch):
    monkeypatch.setattr(arxiv_module, "PAGE", 20)
    api = Api(tmp_path, {"20260217": 41, "20260216": 3})
    whole = api.answer

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.params.get("start") == "20":
            return httpx.Response(200, text=page("20260217", 41, range(0)))
        return whole(request)

    monkeypatch.setattr(api.source._http._client._transport, "handler", answer)
    harvest = api.collect()
    assert listed(harvest) == {}, "nothing of a list that is not complete"
    assert [rejection.day.day for rejection in harvest.rejected] == [19, 18, 17, 16]
    assert "no papers, though there are 41 in all" in harvest.rejected[0].why
    assert api.asked[-1] == "feed"


def test_no_list_is_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(arxiv_module, "PAGE", 20)
    monkeypatch.setattr(arxiv_module, "MOST_PAGES", 2)
    harvest = Api(tmp_path, {"20260217": 41}).collect()
    assert "more than 40 papers on 2026-02-19" in harvest.rejected[0].why


def test_after_a_long_time_the_rest_waits_for_the_next_collection(tmp_path, monkeypatch):
    monkeypatch.setattr(arxiv_module, "MOST_LISTS", 2)
    api = Api(tmp_path, {})
    harvest = api.collect()
    assert len(api.asked) == 3
    assert [rejection.day.day for rejection in harvest.rejected] == [17, 16]


@pytest.mark.parametrize("status", [400, 503])
def test_an_api_that_fails_does_not_cost_the_feed(tmp_path, monkeypatch, status):
    api = Api(tmp_path, {})
    whole = api.answer

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status) if request.url.host == "api.example" else whole(request)

    monkeypatch.setattr(api.source._http._client._transport, "handler", answer)
    harvest = api.collect()
    assert [rejection.day.day for rejection in harvest.rejected] == [19, 18, 17, 16]
    assert api.asked == ["feed"]


def test_the_feed_is_not_asked_for_earlier_days(tmp_path):
    api = Api(tmp_path, {})
    gather(api.source, DAYS[:5], NOW)
    assert "feed" not in api.asked
