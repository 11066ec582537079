"""bioRxiv and medRxiv; the answers are composed in the documented form."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from digest.collect import biorxiv as biorxiv_module
from digest.collect.biorxiv import Preprints, biorxiv, medrxiv
from digest.collect.http import Http, Throttle
from digest.collect.merge import merge
from digest.collect.snapshots import Snapshots
from digest.model.papers import Facts, Listing
from tests.support import NOW, TODAY, SleepingClock, gather, make_settings

DAY = timedelta(days=1)
URL = "https://api.example"


def row(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "title": f"Ducks dive, part {number}",
        "authors": "Duck, A. B.; Goose, G.; The Pond Consortium",
        "author_corresponding": "Ada Duck",
        "author_corresponding_institution": "Pond Lab",
        "doi": f"10.1101/2026.02.20.{number:06d}",
        "date": "2026-02-20",
        "version": "1",
        "type": "new results",
        "license": "cc_by",
        "category": "animal behavior and cognition",
        "jatsxml": "https://www.biorxiv.org/content/early/2026/02/20/1.source.xml",
        "abstract": "We let ducks dive.",
        "funder": "NA",
        "published": "NA",
        "server": "bioRxiv",
    } | changes


class Server:
    """The API: each day has rows, given by pages; a day without any has another status."""

    def __init__(self, tmp_path: Path, pages: dict[date, list[Any]], **kept: Any) -> None:
        self.pages = pages
        self.asked: list[str] = []
        self.clock = SleepingClock()
        http = Http(
            Snapshots(tmp_path),
            timeout=1,
            attempts=1,
            transport=httpx.MockTransport(self.answer),
            sleep=self.clock.sleep,
        )
        throttle = Throttle(1, clock=self.clock, sleep=self.clock.sleep)
        self.source = Preprints(http, "biorxiv", URL, throttle=throttle, **kept)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        _, details, server, first, last, cursor = request.url.path.split("/")
        assert (details, server, first) == ("details", "biorxiv", last)
        pages = self.pages.get(date.fromisoformat(first), [])
        begins = [sum(map(len, pages[:number])) for number in range(len(pages))]
        if isinstance(pages, str):
            return httpx.Response(200, text=pages)
        if int(cursor) not in begins:
            nothing = {"messages": [{"status": "no posts found"}], "collection": []}
            return httpx.Response(200, json=nothing)
        rows = pages[begins.index(int(cursor))]
        said = {"status": "ok", "cursor": cursor, "count": len(rows), "total": "99"}
        return httpx.Response(200, text=json.dumps({"messages": [said], "collection": rows}))


def collect(tmp_path, *rows: Any, **kept: Any):
    return gather(Server(tmp_path, {TODAY: [list(rows)]}, **kept).source, [TODAY], NOW)


def test_a_row_is_a_paper(tmp_path):
    [sighting] = collect(tmp_path, row()).sightings
    assert (sighting.source, sighting.listed_on) == ("biorxiv", TODAY)
    assert sighting.facts == Facts(
        title="Ducks dive, part 1",
        doi="10.1101/2026.02.20.000001",
        abstract="We let ducks dive.",
        authors=("A. B. Duck", "G. Goose", "The Pond Consortium"),
        author_count=3,
        published_on=TODAY,
        organisation="Pond Lab",
        categories=("animal behavior and cognition",),
        page_url="https://www.biorxiv.org/content/10.1101/2026.02.20.000001v1",
    )


@pytest.mark.parametrize(
    ("stated", "day"),
    [("2026-2-7", date(2026, 2, 7)), ("2026-02-07", date(2026, 2, 7)), ("soon", TODAY), (5, TODAY)],
)
def test_dates_come_in_two_spellings(tmp_path, stated, day):
    assert collect(tmp_path, row(date=stated)).sightings[0].listed_on == day


def test_a_new_version_lists_nothing(tmp_path):
    [sighting] = collect(tmp_path, row(version=2)).sightings
    assert sighting.listed_on is None
    assert sighting.facts.page_url.endswith("000001v2")


def test_of_two_versions_on_a_day_the_later_wins(tmp_path):
    harvest = collect(tmp_path, row(version="2", title="Ducks dive deeper"), row(version="1"))
    [paper] = merge([], harvest.sightings)
    assert paper.facts.title == "Ducks dive deeper"
    assert paper.facts.page_url.endswith("v2")
    assert paper.new_listings == (Listing("biorxiv", TODAY),)


@pytest.mark.parametrize("wanted", ["cell biology", "Cell_Biology", "cell-biology"])
def test_other_categories_are_left_out_and_are_no_fault(tmp_path, wanted):
    harvest = collect(
        tmp_path, row(1, category="cell biology"), row(2, category=None), categories=[wanted]
    )
    assert [seen.facts.title for seen in harvest.sightings] == ["Ducks dive, part 1"]
    assert harvest.rejected == ()


def test_pages_are_read_to_the_end_however_long_they_are(tmp_path):
    server = Server(tmp_path, {TODAY: [[row(1), row(2)], [row(3)]]})
    assert len(gather(server.source, [TODAY], NOW).sightings) == 3
    assert [path.rpartition("/")[2] for path in server.asked] == ["0", "2", "3"]
    assert server.clock.slept == [1, 1]


@pytest.mark.parametrize(
    "bad", [None, "text", {}, {"title": "Ducks"}, row(doi="none"), row(title=7)]
)
def test_a_bad_row_costs_itself(tmp_path, bad):
    harvest = collect(tmp_path, bad, row(2))
    assert len(harvest.sightings) == 1
    assert len(harvest.rejected) == 1


def test_a_day_that_fails_costs_itself(tmp_path):
    server = Server(tmp_path, {TODAY - DAY: '{"messages": "busy"}', TODAY: [[row()]]})
    harvest = gather(server.source, [TODAY - DAY, TODAY], NOW)
    assert len(harvest.sightings) == 1
    [rejection] = harvest.rejected
    assert (rejection.file, rejection.day) == ("biorxiv", TODAY - DAY)
    assert "no list 'collection'" in rejection.why


def test_a_day_without_posts_and_one_that_has_not_begun_are_fine(tmp_path):
    server = Server(tmp_path, {})
    harvest = gather(server.source, [TODAY, TODAY + DAY], NOW)
    assert (harvest.sightings, harvest.rejected) == ((), ())
    assert len(server.asked) == 1


def test_no_day_is_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(biorxiv_module, "MOST_PAGES", 2)
    server = Server(tmp_path, {TODAY: [[row(number)] for number in range(5)]})
    [rejection] = gather(server.source, [TODAY], NOW).rejected
    assert "more than 2 pages" in rejection.why


def test_the_two_servers_have_their_own_categories(tmp_path):
    settings = make_settings(medrxiv_categories="oncology")
    http = Http(Snapshots(tmp_path), timeout=1, attempts=1)
    made = [make(settings, http) for make in (biorxiv, medrxiv)]
    http.close()
    assert [(source.name, source._categories) for source in made] == [
        ("biorxiv", set()),
        ("medrxiv", {"oncology"}),
    ]
