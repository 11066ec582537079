"""The source in docs/sources.md works as it is written there: installed, found, collected."""

import re
import sys
import tomllib
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from digest.collect.http import Http
from digest.collect.snapshots import Snapshots
from digest.collect.source import Source, find_sources
from digest.errors import SourceError
from digest.model.papers import Facts
from tests.support import NOW, TODAY, gather, make_settings

PAGE = Path(__file__).parents[3] / "docs" / "sources.md"
PAPERS = [
    {
        "title": "Ducks <b>dive</b>",
        "doi": "10.1000/A",
        "link": "http://pond.example.org/1",
        "likes": 7,
    },
    {"title": "A paper without a link"},
    None,
    {"title": "Geese", "doi": "", "link": "", "abstract": "They\x07 honk."},
]


@pytest.fixture
def pond(tmp_path, monkeypatch) -> Source:
    """The source, once its files lie where pip puts them."""
    blocks = dict(
        re.findall(r"^```(toml|python)\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    )
    project = tomllib.loads(blocks["toml"])["project"]
    [(group, points)] = project["entry-points"].items()
    (tmp_path / "pond_source.py").write_text(blocks["python"])
    info = tmp_path / f"pond_source-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Name: {project['name']}\nVersion: {project['version']}\n")
    lines = [f"{name} = {value}" for name, value in points.items()]
    (info / "entry_points.txt").write_text("\n".join([f"[{group}]", *lines]))
    monkeypatch.syspath_prepend(tmp_path)

    def answer(request: httpx.Request) -> httpx.Response:
        day = request.url.params["day"]
        return httpx.Response(200, json=PAPERS) if day == str(TODAY) else httpx.Response(500)

    transport = httpx.MockTransport(answer)
    http = Http(Snapshots(tmp_path / "raw"), timeout=1, attempts=1, transport=transport)
    [found] = find_sources(["pond"], make_settings(sources="pond"), http)
    yield found
    http.close()
    sys.modules.pop("pond_source")


def test_it_lists_papers_and_a_bad_one_costs_itself(pond):
    harvest = gather(pond, [TODAY], NOW)
    first, last = harvest.sightings
    assert (first.source, first.listed_on, first.signals.upvotes) == ("pond", TODAY, 7)
    assert first.facts == Facts(
        "Ducks dive", doi="10.1000/a", page_url="https://pond.example.org/1"
    )
    assert last.facts == Facts("Geese", abstract="They honk.")
    assert [rejection.where for rejection in harvest.rejected] == ["entry 2", "entry 3"]


def test_where_the_service_fails_it_says_so(pond):
    with pytest.raises(SourceError, match="HTTP 500"):
        gather(pond, [TODAY - timedelta(days=1)], NOW)
