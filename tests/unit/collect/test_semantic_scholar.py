"""Looking papers up at Semantic Scholar. The answers are composed after its documented form."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from digest.collect import http as http_module
from digest.collect import semantic_scholar as semantic_scholar_module
from digest.collect.http import Http, Throttle
from digest.collect.semantic_scholar import NAME, URL, SemanticScholar, read_answer
from digest.collect.snapshots import Snapshots
from digest.errors import SourceError
from digest.model.papers import Facts, Harvest
from tests.support import NOW, SleepingClock, make_facts

DUCKS = make_facts(1)
GEESE = Facts("Geese", doi="10.1000/geese")
KEY = "the-key"


def entry(**changes: Any) -> dict[str, Any]:
    return {
        "paperId": "649def34f8be52c8b66281af98ae884c09aef38b",
        "externalIds": {"ArXiv": "2602.00001", "CorpusId": 215416146},
        "tldr": {"model": "tldr@v2.0.0", "text": "Ducks dive."},
        "citationCount": 12,
        "venue": "Journal of Ponds",
        **changes,
    }


class Web:
    """Gives answers in turn, and keeps what was asked."""

    def __init__(self, *answers: httpx.Response) -> None:
        self._answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self._answers.pop(0)

    @property
    def asked(self) -> list[list[str]]:
        return [json.loads(request.content)["ids"] for request in self.requests]


def looking_up(
    folder: Path, web: Callable[[httpx.Request], httpx.Response]
) -> tuple[SemanticScholar, SleepingClock]:
    clock = SleepingClock()
    http = Http(
        Snapshots(folder),
        timeout=1,
        attempts=2,
        transport=httpx.MockTransport(web),
        sleep=clock.sleep,
        clock=clock,
    )
    return SemanticScholar(http, KEY, Throttle(1.0, clock, clock.sleep)), clock


def look_up(folder: Path, web: Web, *papers: Facts) -> Harvest:
    return sum(looking_up(folder, web)[0].look_up(papers, NOW), Harvest())


def test_what_is_known_of_two_papers(tmp_path):
    by_doi = entry(externalIds={"DOI": "10.1000/GEESE"}, tldr=None, venue="", citationCount=0)
    web = Web(httpx.Response(200, json=[entry(), by_doi]))
    found = look_up(tmp_path, web, DUCKS, GEESE)
    assert not found.rejected
    ducks, geese = found.sightings
    assert (ducks.source, ducks.seen_at, ducks.listed_on) == (NAME, NOW, None)
    known = Facts(
        DUCKS.title, "2602.00001", tldr="Ducks dive.", venue="Journal of Ponds", citations=12
    )
    assert ducks.facts == known
    assert geese.facts == GEESE
    (request,) = web.requests
    assert (request.method, str(request.url), request.headers["x-api-key"]) == ("POST", URL, KEY)
    assert web.asked == [["ARXIV:2602.00001", "DOI:10.1000/geese"]]
    assert not list(tmp_path.iterdir()), "the answer is not kept"


def test_many_papers_are_asked_in_batches_one_a_second(tmp_path, monkeypatch):
    monkeypatch.setattr(semantic_scholar_module, "BATCH", 2)
    web = Web(*(httpx.Response(200, json=[]) for _ in range(3)))
    scholar, clock = looking_up(tmp_path, web)
    list(scholar.look_up(list(map(make_facts, range(5))), NOW))
    assert list(map(len, web.asked)) == [2, 2, 1]
    assert clock.slept == [1.0, 1.0]


def test_unknown_papers_and_bad_entries_cost_themselves():
    entries = [
        None,
        entry(externalIds={"ArXiv": "2602.09999"}),  # not asked for
        entry(externalIds=None),
        7,
        entry(tldr="text", venue=["x"], citationCount="many"),
        entry(citationCount=-1, tldr={"text": None}, venue=None),
    ]
    found = read_answer(entries, [DUCKS], NOW)
    assert len(found.rejected) == 3
    assert {sighting.facts for sighting in found.sightings} == {Facts(DUCKS.title, DUCKS.arxiv_id)}


@pytest.mark.parametrize("venue", ["arXiv.org", "bioRxiv", "medRxiv"])
def test_where_a_preprint_was_found_is_no_venue(venue):
    (sighting,) = read_answer([entry(venue=venue)], [DUCKS], NOW).sightings
    assert sighting.facts.venue == ""


def test_hostile_text_is_cleaned_and_bounded():
    hostile = "<b>Ducks</b>\x00\n\N{RIGHT-TO-LEFT OVERRIDE}dive " + "x" * 100_000
    bad = entry(tldr={"text": hostile}, venue=hostile, citationCount=10**30, title="Stolen")
    (sighting,) = read_answer([bad], [DUCKS], NOW).sightings
    facts = sighting.facts
    assert facts.title == DUCKS.title
    assert facts.citations == 0
    for text in (facts.tldr, facts.venue):
        assert len(text) < 3000
        assert text.startswith("Ducks dive")


def test_it_is_asked_again_when_it_says_so(tmp_path):
    busy = httpx.Response(429, headers={"Retry-After": "7"})
    web = Web(busy, httpx.Response(200, json=[entry()]))
    scholar, clock = looking_up(tmp_path, web)
    (found,) = scholar.look_up([DUCKS], NOW)
    assert len(found.sightings) == 1
    assert clock.slept == [7.0]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (httpx.Response(403, json={"message": "Forbidden"}), "HTTP 403: .*Forbidden"),
        (httpx.Response(400, json={"error": "No valid paper ids given"}), "HTTP 400: .*No valid"),
        (httpx.Response(200, text="<html>"), "not JSON"),
        (httpx.Response(200, json={"error": "?"}), "expected a list, got dict"),
        (httpx.Response(307, headers={"Location": "https://thief.example/"}), "HTTP 307"),
    ],
)
def test_what_is_no_answer_is_one_error_without_the_key(tmp_path, answer, words):
    web = Web(answer)
    with pytest.raises(SourceError, match=words) as raised:
        look_up(tmp_path, web, DUCKS)
    assert KEY not in str(raised.value)
    assert len(web.requests) == 1, "a redirect is not followed, because it would take the key along"


def test_a_server_in_trouble_is_given_up(tmp_path):
    web = Web(httpx.Response(500), httpx.Response(500))
    with pytest.raises(SourceError, match="HTTP 500 after 2 attempts"):
        look_up(tmp_path, web, DUCKS)


def test_an_answer_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(http_module, "LARGEST_ANSWER", 10)
    with pytest.raises(SourceError, match="larger than 10 bytes"):
        look_up(tmp_path, Web(httpx.Response(200, json=[entry()])), DUCKS)
