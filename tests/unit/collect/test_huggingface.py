"""Hugging Face's answers, and asking for them."""

import json
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import httpx
import pytest

from digest.collect.answer_reader import Reading
from digest.collect.http import Http
from digest.collect.huggingface import (
    MOST_AUTHORS,
    MOST_PAGES,
    HuggingFace,
    query_of,
    read_entries,
)
from digest.collect.snapshots import Snapshots
from digest.model.papers import Facts, Sighting, Signals
from tests.support import NOW, TODAY, gather

FIXTURES = Path(__file__).parents[2] / "fixtures" / "huggingface"
URL = "https://hf.example"


def load(name: str) -> list:
    return json.loads((FIXTURES / name).read_text())


def read(*entries: object, day: date | None = None):
    reading = Reading(file="here", seen_at=NOW, day=day, fallback_day=NOW.date())
    return read_entries(list(entries), reading)


def read_one(**paper: object) -> Sighting:
    (sighting,) = read({"paper": {"id": "2602.00001", "title": "Ducks", **paper}}).sightings
    return sighting


def entry(number: int) -> dict:
    return {"paper": {"id": f"2602.{number:05d}", "title": f"Ducks, part {number}"}}


# ---- reading ----------------------------------------------------------------------------------


def test_a_full_entry():
    harvest = read(load("2026-02-20.json")[0])
    assert harvest.rejected == ()
    assert harvest.sightings == (
        Sighting(
            source="huggingface",
            seen_at=NOW,
            listed_on=TODAY,
            facts=Facts(
                title="Ponds at Scale: Ducks as Swimmers",
                arxiv_id="2602.00001",
                abstract="We let ducks swim. They swim well, by 5%.",
                summary="Ducks swim well on large ponds.",
                authors=("Ada Duck", "Grace Goose"),
                author_count=2,
                published_on=date(2026, 2, 18),
                organisation="Pond Lab",
                keywords=("ducks", "ponds", "swimming"),
                page_url="https://huggingface.co/papers/2602.00001",
                code_url="https://github.com/duck/pond",
                project_url="https://pond.example",
            ),
            signals=Signals(upvotes=42, comments=3, stars=7),
        ),
    )


def test_fields_that_are_missing_are_empty():
    _, bare, no_id, _ = read(*load("2026-02-20.json")).sightings
    assert bare.facts == Facts(
        title="Geese Without an Entry Title",
        arxiv_id="2602.00002",
        page_url="https://huggingface.co/papers/2602.00002",
    )
    assert bare.signals == Signals()
    assert no_id.facts == Facts(title="A Swan Without an Id", organisation="swan-lab")
    # Zero is said; nothing is not.
    assert no_id.signals == Signals(upvotes=0)


def test_fields_of_another_kind_are_empty():
    odd = read(*load("2026-02-20.json")).sightings[3]
    assert odd.facts == Facts(
        title="Odd Counts",
        arxiv_id="2602.00004",
        page_url="https://huggingface.co/papers/2602.00004v2",
    )
    assert odd.signals == Signals()


def test_unreadable_entries_are_told_one_by_one():
    harvest = read(*load("2026-02-20.json"))
    assert [(each.file, each.where, each.why) for each in harvest.rejected] == [
        ("here", "entry 5", "no object 'paper' in it"),
        ("here", "entry 6", "no object 'paper' in it"),
        ("here", "entry 7", "no object 'paper' in it"),
        ("here", "entry 8", "no object 'paper' in it"),
        ("here", "entry 9", "no title"),
        ("here", "entry 10", "neither an arXiv id nor a DOI nor a title"),
    ]


def test_entries_that_are_python_literals():
    harvest = read(*load("2024-12-11.json"))
    (teal,) = harvest.sightings
    assert teal.facts.title == "A Teal in Python's Clothes"
    assert teal.signals == Signals(upvotes=5)
    assert [each.where for each in harvest.rejected] == ["entry 2", "entry 3", "entry 4"]
    assert all("no Python literal" in each.why for each in harvest.rejected)


@pytest.mark.parametrize("text", ["[" * 100_000, "-" * 100_000 + "1", "\0", "1" * 5_000, ""])
def test_hostile_literals_are_rejected(text):
    assert len(read(text).rejected) == 1


@pytest.mark.parametrize(
    ("count", "read_as"),
    [(0, 0), (7, 7), (2**31 - 1, 2**31 - 1)]
    + [(each, None) for each in (-1, 2**31, 10**40, True, False, 1.5, "7", None, [7])],
)
def test_only_counts_are_counts(count, read_as):
    assert read_one(upvotes=count, githubStars=count).signals == Signals(read_as, None, read_as)


@pytest.mark.parametrize("value", ["", "soon", "2026-13-01", 7, None, "0000-00-00", {"$date": 1}])
def test_only_dates_are_dates(value):
    sighting = read_one(publishedAt=value, submittedOnDailyAt=value)
    assert sighting.facts.published_on is None
    assert sighting.listed_on == NOW.date()


def test_the_listing_day_of_whoever_knows_better_wins():
    given = entry(1)
    given["paper"]["submittedOnDailyAt"] = "2026-02-19T23:59:59.000Z"
    assert read(given).sightings[0].listed_on == date(2026, 2, 19)
    assert read(given, day=TODAY).sightings[0].listed_on == TODAY


def test_the_organisation_of_the_paper_comes_before_that_of_the_entry():
    given = {**entry(1), "organization": {"name": "entry-lab"}}
    assert read(given).sightings[0].facts.organisation == "entry-lab"
    given["paper"]["organization"] = {"name": "pond-lab", "fullname": None}
    assert read(given).sightings[0].facts.organisation == "pond-lab"


def test_of_very_many_authors_the_number_is_kept():
    facts = read_one(authors=[{"name": f"Duck {n}"} for n in range(3_000)]).facts
    assert len(facts.authors) == MOST_AUTHORS
    assert facts.author_count == 3_000


def test_an_odd_id_cannot_leave_its_link():
    facts = read_one(id="2602.1/../x?y#z \"<b>'").facts
    assert facts.arxiv_id == ""
    assert facts.page_url.startswith("https://huggingface.co/papers/2602.1")
    assert not set("?# \"<>'") & set(facts.page_url)


# ---- asking -----------------------------------------------------------------------------------


def asking(
    tmp_path: Path, answer: Callable[[httpx.Request], httpx.Response], lists: Sequence[str] = ()
) -> HuggingFace:
    transport = httpx.MockTransport(answer)
    http = Http(Snapshots(tmp_path), timeout=1, attempts=1, transport=transport)
    return HuggingFace(http, URL, lists)


def paged(*pages: list) -> tuple[Callable[[httpx.Request], httpx.Response], list[httpx.URL]]:
    asked: list[httpx.URL] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        number = int(request.url.params["p"])
        return httpx.Response(200, json=pages[number] if number < len(pages) else [])

    return answer, asked


def test_pages_are_asked_for_until_one_is_empty(tmp_path):
    answer, asked = paged([entry(n) for n in range(100)], [entry(n) for n in range(100, 103)])
    harvest = gather(asking(tmp_path, answer), [TODAY], NOW)
    assert len(harvest.sightings) == 103
    assert [str(url) for url in asked] == [
        f"{URL}/api/daily_papers?date=2026-02-20&p={page}&limit=100" for page in range(3)
    ]


def test_a_day_of_just_the_default_page_is_whole(tmp_path):
    # The real API has days of exactly 50 entries, which is its default page.
    answer, asked = paged([entry(n) for n in range(50)])
    assert len(gather(asking(tmp_path, answer), [TODAY], NOW).sightings) == 50
    assert len(asked) == 2


def test_a_day_without_papers_is_an_empty_harvest(tmp_path):
    answer, asked = paged()
    harvest = gather(asking(tmp_path, answer), [TODAY], NOW)
    assert (harvest.sightings, harvest.rejected) == ((), ())
    assert len(asked) == 1


def test_each_day_is_asked_for_and_is_the_listing_day(tmp_path):
    answer, asked = paged([entry(1)])
    days = [date(2026, 2, 19), TODAY]
    harvest = gather(asking(tmp_path, answer), days, NOW)
    assert [sighting.listed_on for sighting in harvest.sightings] == days
    assert [url.params["date"] for url in asked] == ["2026-02-19"] * 2 + ["2026-02-20"] * 2


def test_a_mirror_that_ignores_the_page_gives_each_paper_once(tmp_path):
    given = [entry(1), entry(2), {"no": "paper"}]
    source = asking(tmp_path, lambda _: httpx.Response(200, json=given))
    harvest = gather(source, [TODAY], NOW)
    assert len(harvest.sightings) == 2
    assert len(harvest.rejected) == 1


def test_a_mirror_without_an_end_is_left(tmp_path):
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json=[entry(len(asked))])

    harvest = gather(asking(tmp_path, answer), [TODAY], NOW)
    assert len(harvest.sightings) == MOST_PAGES
    assert [(each.file, each.day, each.why) for each in harvest.rejected] == [
        ("huggingface", TODAY, f"{URL}/api/daily_papers: more than 50 pages for 2026-02-20")
    ]
    assert len(asked) == MOST_PAGES


def test_rejected_entries_name_the_address(tmp_path):
    answer, asked = paged([{"no": "paper"}])
    (rejection,) = gather(asking(tmp_path, answer), [TODAY], NOW).rejected
    assert rejection.file == str(asked[0])


@pytest.mark.parametrize(
    ("response", "why"),
    [
        (
            httpx.Response(404, text='{"error":\n"no such day"}'),
            'HTTP 404: {"error": "no such day"}',
        ),
        (httpx.Response(200, text="<html>"), "not JSON"),
        (httpx.Response(200, content=b"\xff\xfe"), "not JSON"),
        (httpx.Response(200, text="[" * 100_000), "not JSON"),
        (httpx.Response(200, json={"error": "x"}), "expected a list, got dict"),
    ],
)
def test_another_answer_rejects_the_day_and_names_the_address(tmp_path, response, why):
    harvest = gather(asking(tmp_path, lambda _: response), [TODAY], NOW)
    assert harvest.sightings == ()
    (rejection,) = harvest.rejected
    assert (rejection.file, rejection.day) == ("huggingface", TODAY)
    assert rejection.why.startswith(f"{URL}/api/daily_papers?date=2026-02-20")
    assert why in rejection.why


# ---- lists of what is popular ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "day", "query"),
    [
        ("trending", TODAY, {"sort": "trending"}),
        ("month", TODAY, {"month": "2026-02"}),
        ("week", TODAY, {"week": "2026-W08"}),
        ("week", date(2026, 12, 31), {"week": "2026-W53"}),
        ("week", date(2027, 1, 3), {"week": "2026-W53"}),
        ("week", date(2027, 1, 4), {"week": "2027-W01"}),
    ],
)
def test_how_a_list_is_asked_for(name, day, query):
    assert query_of(name, day) == query


def test_a_list_of_what_is_popular_tells_votes_and_lists_nothing(tmp_path):
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(dict(request.url.params))
        if "date" in request.url.params:
            return httpx.Response(200, json=[])
        if "week" in request.url.params:
            return httpx.Response(500)
        return httpx.Response(200, json=[entry(1)])

    source = asking(tmp_path, answer, ["week", "trending"])
    harvest = gather(source, [TODAY], NOW)
    assert asked[1:] == [
        {"week": "2026-W08", "limit": "100"},
        {"sort": "trending", "limit": "100"},
    ]
    [sighting] = harvest.sightings
    assert (sighting.facts.arxiv_id, sighting.listed_on) == ("2602.00001", None)
    [rejection] = harvest.rejected
    assert (rejection.where, rejection.day, rejection.is_of_source) == ("list week", None, False)


# ---- faults that cost themselves only ----------------------------------------------------------


@pytest.mark.parametrize("status", [404, 500])
def test_a_day_that_fails_does_not_take_the_later_days_along(tmp_path, status):
    days = [date(2026, 2, 18), date(2026, 2, 19), TODAY]

    def answer(request: httpx.Request) -> httpx.Response:
        day, page = request.url.params["date"], request.url.params["p"]
        if day == "2026-02-19":
            return httpx.Response(status, text="<html>gone</html>")
        return httpx.Response(200, json=[entry(int(day[-2:]))] if page == "0" else [])

    harvest = gather(asking(tmp_path, answer), days, NOW)
    assert [sighting.listed_on for sighting in harvest.sightings] == [days[0], days[2]]
    assert [rejection.day for rejection in harvest.rejected] == [days[1]]


def test_where_nothing_answers_the_other_days_fail_unasked(tmp_path):
    days = [date(2026, 2, 18), date(2026, 2, 19), TODAY]
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params["date"])
        raise httpx.ConnectError("refused")

    harvest = gather(asking(tmp_path, answer), days, NOW)
    assert [rejection.day for rejection in harvest.rejected] == days
    assert set(asked) == {"2026-02-18"}


def test_a_second_page_that_fails_leaves_the_first_and_the_next_day(tmp_path):
    def answer(request: httpx.Request) -> httpx.Response:
        day, page = request.url.params["date"], int(request.url.params["p"])
        if (day, page) == ("2026-02-19", 1):
            return httpx.Response(200, text="<html>busy</html>")
        return httpx.Response(200, json=[entry(int(day[-2:]))] if page == 0 else [])

    harvest = gather(asking(tmp_path, answer), [date(2026, 2, 19), TODAY], NOW)
    assert len(harvest.sightings) == 2
    assert [rejection.day for rejection in harvest.rejected] == [date(2026, 2, 19)]


def test_a_day_that_has_not_begun_at_utc_is_not_asked_for(tmp_path):
    # In Auckland it is the 20th at eight in the morning; at Greenwich it is not for five hours.
    auckland = timezone(timedelta(hours=13))
    answer, asked = paged([entry(1)])
    gather(
        asking(tmp_path, answer),
        [date(2026, 2, 19), TODAY],
        datetime(2026, 2, 20, 8, tzinfo=auckland),
    )
    assert {url.params["date"] for url in asked} == {"2026-02-19"}


@pytest.mark.parametrize(
    ("spoiled", "kept"),
    [
        (b'{"paper": {"id": "2602.00002", "title": "Ge\xffse"}}', 3),
        (b'{"paper": {"id": "2602.00002", "title": "Geese", "upvotes": 1' + b"0" * 5000 + b"}}", 3),
        (b'{"paper": {"id": "2602.00002", "title": "Ge\x07ese"}}', 3),
        (b'{"paper": {"id": 1' + b"0" * 5000 + b', "title": 2}}', 2),
    ],
    ids=["octet", "number", "control character", "no title"],
)
def test_one_bad_value_does_not_take_the_page_along(tmp_path, spoiled, kept):
    one, three = (json.dumps(entry(n)).encode() for n in (1, 3))
    pages = [b"[" + b", ".join([one, spoiled, three]) + b"]", b"[]"]

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=pages[int(request.url.params["p"])])

    harvest = gather(asking(tmp_path, answer), [TODAY], NOW)
    assert len(harvest.sightings) == kept
    assert len(harvest.rejected) == 3 - kept
    assert all(sighting.signals == Signals() for sighting in harvest.sightings)


def test_hidden_authors_are_not_shown():
    authors = [{"name": "Ada"}, {"name": "Not Ours", "hidden": True}, {"name": "Bo", "hidden": 0}]
    facts = read_one(authors=authors).facts
    assert (facts.authors, facts.author_count) == (("Ada", "Bo"), 2)


def test_the_words_of_an_error_are_not_read_as_a_paper(tmp_path):
    said = r"date \"2026\" \alpha <b>x</b>"
    source = asking(tmp_path, lambda _: httpx.Response(400, text=said))
    (rejection,) = gather(source, [TODAY], NOW).rejected
    assert rejection.why.endswith(f"HTTP 400: {said}")
