"""Feeds of all kinds; the fixtures are composed in the forms of a journal, PubMed and a blog."""

from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.collect import feeds as feeds_module
from digest.collect.answer_reader import Reading
from digest.collect.feeds import Feed, read_any_feed, sources
from digest.collect.http import Http
from digest.collect.snapshots import Snapshots
from digest.errors import SourceError
from digest.model.papers import Facts, Harvest
from tests.support import NOW, TODAY, gather, make_settings

FIXTURES = Path(__file__).parents[2] / "fixtures"
YESTERDAY = TODAY - timedelta(days=1)


def read(body: bytes | str) -> Harvest:
    content = body.encode() if isinstance(body, str) else body
    return read_any_feed(content, Reading("here", NOW, fallback_day=TODAY), "pond")


def load(name: str) -> bytes:
    return (FIXTURES / "feeds" / name).read_bytes()


def rss(*items: str) -> str:
    return f'<rss version="2.0"><channel>{"".join(items)}</channel></rss>'


def test_an_article_of_a_journal():
    first = read(load("journal.rdf")).sightings[0]
    assert (first.source, first.seen_at, first.listed_on, first.once) == ("pond", NOW, TODAY, True)
    assert first.facts == Facts(
        title="Ducks dive deeper",
        doi="10.1038/s1-026-0001-x",
        abstract="We let ducks dive. They go deeper than geese.",
        authors=("Ada Duck", "Grace Göose"),
        author_count=2,
        published_on=YESTERDAY,
        page_url="https://journal.example.org/articles/s1-026-0001-x",
    )


def test_what_a_feed_has_shown_for_long_is_of_its_own_day():
    old = read(load("journal.rdf")).sightings[1]
    assert old.listed_on == old.facts.published_on == date(2026, 1, 20)


def test_an_item_without_a_title_costs_itself():
    harvest = read(load("journal.rdf"))
    assert len(harvest.sightings) == 2
    assert [(each.where, each.why) for each in harvest.rejected] == [("entry 3", "no title")]


def test_a_hit_of_a_saved_search():
    [hit] = read(load("search.xml")).sightings
    assert hit.facts.doi == "10.1093/pond/icag118"
    assert hit.facts.authors == ("Ada Duck", "Grace Goose")
    assert hit.facts.published_on == YESTERDAY
    assert hit.facts.abstract.endswith("Ducks fly south & return.")


def test_an_entry_of_a_blog():
    first, second = read(load("blog.xml")).sightings
    assert first.facts == Facts(
        title="Our paper on geese",
        arxiv_id="2602.00007",
        abstract="Geese are not ducks.",
        authors=("Tea Al",),
        author_count=1,
        published_on=YESTERDAY,  # in UTC
        categories=("birds",),
        page_url="https://arxiv.org/abs/2602.00007v1",
    )
    assert (second.listed_on, second.facts.page_url) == (TODAY, "")


@pytest.mark.parametrize(
    ("item", "its_doi"),
    [
        ("<guid>doi:10.1000/a.1</guid>", "10.1000/a.1"),
        ("<link>https://doi.org/10.1000/A.1</link>", "10.1000/a.1"),
        ("<link>https://pond.example/10.1000/a.1</link>", ""),
        ("<prism:doi xmlns:prism='prism'>https://doi.org/10.1000/a.1</prism:doi>", "10.1000/a.1"),
    ],
)
def test_where_a_doi_is_found(item, its_doi):
    [sighting] = read(rss(f"<item><title>Ducks</title>{item}</item>")).sightings
    assert sighting.facts.doi == its_doi


def test_a_doi_of_arxiv_is_its_id():
    item = "<item><title>Ducks</title><link>https://doi.org/10.48550/arXiv.2602.00001</link></item>"
    [sighting] = read(rss(item)).sightings
    assert sighting.facts.arxiv_id == "2602.00001"


@pytest.mark.parametrize(
    "stated", ["2026-13-45", "some day", "", "99999-01-01", "0000-00-00", "2026-06-01"]
)
def test_an_unreadable_date_is_none(stated):
    dated = f"<item><title>Ducks</title><pubDate>{stated}</pubDate></item>"
    [sighting] = read(rss(dated)).sightings
    assert (sighting.listed_on, sighting.facts.published_on) == (TODAY, None)


@pytest.mark.parametrize("body", ["", "no feed at all", "<html><body>Ducks</body></html>", "{}"])
def test_what_is_no_feed_is_an_error_naming_it(body):
    with pytest.raises(SourceError, match="here: neither RSS nor Atom"):
        read(body)


def test_a_feed_that_is_not_well_formed_is_read_all_the_same():
    item = "<item><title>Ducks & geese at AT&T</title></item>"
    [sighting] = read(rss(item)).sightings
    assert sighting.facts.title.startswith("Ducks & geese")


def test_an_xml_bomb_does_not_go_off_and_no_file_is_read(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("expanded")
    read((FIXTURES / "arxiv" / "bomb.xml").read_bytes())
    head = f'<!DOCTYPE rss [<!ENTITY f SYSTEM "{secret.as_uri()}">]>'
    assert "expanded" not in repr(read(head + rss("<item><title>Ducks &f;</title></item>")))


@pytest.mark.parametrize("body", ["{path}", "file://{path}"])
def test_an_answer_that_is_a_path_is_not_opened(tmp_path, body):
    feed = tmp_path / "feed.xml"
    feed.write_bytes(load("blog.xml"))
    with pytest.raises(SourceError, match="neither RSS nor Atom"):
        read(body.format(path=feed))


def test_no_feed_is_without_end(monkeypatch):
    monkeypatch.setattr(feeds_module, "MOST_ENTRIES", 2)
    assert len(read(rss(*["<item><title>Ducks</title></item>"] * 3)).sightings) == 2
    monkeypatch.setattr(feeds_module, "LARGEST_FEED", 10)
    with pytest.raises(SourceError, match="larger than 10 bytes"):
        read(rss())


@given(st.integers(0, 10_000), st.binary(max_size=8), st.integers(0, 40))
def test_whatever_damages_a_feed_it_is_read_or_refused(place, damage, lost):
    whole, refused = load("journal.rdf"), ""
    place %= len(whole)
    try:
        read(whole[:place] + damage + whole[place + lost :])
    except SourceError as error:
        refused = str(error)
    assert not refused or refused.startswith("here: ")


def asking(tmp_path, status: int) -> Http:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, content=load("blog.xml"))

    return Http(Snapshots(tmp_path), timeout=1, attempts=1, transport=httpx.MockTransport(answer))


def test_each_feed_is_a_source_of_its_own(tmp_path):
    settings = make_settings(
        sources="huggingface,feeds",
        feeds="pond=https://pond.example/rss lab=https://lab.example/atom",
    )
    made = sources(settings, asking(tmp_path, 200))
    assert [feed.name for feed in made] == ["pond", "lab"]
    assert {seen.source for seen in gather(made[1], [TODAY], NOW).sightings} == {"lab"}
    assert settings.source_names == ("huggingface", "pond", "lab")


def test_another_answer_is_an_error_naming_the_address(tmp_path):
    feed = Feed(asking(tmp_path, 404), "pond", "https://pond.example/rss")
    with pytest.raises(SourceError, match=r"https://pond\.example/rss: HTTP 404"):
        gather(feed, [TODAY], NOW)


def test_without_feeds_the_source_says_what_is_missing(tmp_path):
    with pytest.raises(SourceError, match="DIGEST_FEEDS names none"):
        sources(make_settings(), asking(tmp_path, 200))
