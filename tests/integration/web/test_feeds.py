"""The public feeds: one item for each paper, in two formats that readers understand."""

import json
from datetime import date, datetime, timedelta
from html.parser import HTMLParser
from urllib.parse import urlsplit

import feedparser
import lxml.html
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from digest.collect.merge import keys_of, merge
from digest.model.papers import Revision
from digest.rank.index_words import VERSION, index_words
from digest.web.feed_writer import Feed, FeedItem, atom, json_feed
from digest.web.feeds import SHOWN, SHOWN_TRENDING
from tests.integration.browser import Browser
from tests.integration.site import make_web
from tests.support import NOW, TODAY, make_sighting

ATOM = "{http://www.w3.org/2005/Atom}"
TOMORROW = TODAY + timedelta(days=1)
HERE = "https://digest.example.org"
HARM = '<script>alert(1)</script> & ]]> <img src=x onerror="x()"> javascript:'
TAGS = {"p", "a", "em", "img"}


@pytest.fixture
def browser(ledger, registry):
    return Browser(make_web(ledger, registry))


def collect(ledger, *sightings):
    ledger.papers.absorb(keys_of(sightings), lambda known: merge(known, list(sightings)))
    ledger.search_index.catch_up(VERSION, index_words)


@pytest.fixture
def papers(ledger):
    """Two days: robots on both, and a title that means harm on the first."""
    collect(
        ledger,
        make_sighting(1, title="Robots fold", upvotes=1),
        make_sighting(
            2, title=HARM, abstract=HARM, authors=(HARM, "Bo"), keywords=(HARM,), organisation=HARM
        ),
        make_sighting(3, title="Robots walk", upvotes=9, listed_on=TOMORROW),
    )


def checked_atom(answer):
    """Return a feed as feedparser reads it, after the checks of RFC 4287."""
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/atom+xml"
    root = etree.fromstring(answer.content)
    assert root.tag == f"{ATOM}feed"
    entries = root.findall(f"{ATOM}entry")
    for element in (root, *entries):  # sections 4.1.1 and 4.1.2: exactly one of each
        for name in ("id", "title", "updated"):
            [found] = element.findall(f"{ATOM}{name}")
            assert found.text
        assert datetime.fromisoformat(element.findtext(f"{ATOM}updated")).tzinfo
        assert urlsplit(element.findtext(f"{ATOM}id")).scheme  # an IRI (4.2.6)
        alternates = element.findall(f"{ATOM}link[@rel='alternate']")
        assert len(alternates) == 1
        for author in element.findall(f"{ATOM}author"):
            assert author.findtext(f"{ATOM}name")
    assert len(root.findall(f"{ATOM}link[@rel='self']")) == 1
    assert root.findall(f"{ATOM}author")  # for entries that have none (4.1.1)
    ids = [entry.findtext(f"{ATOM}id") for entry in entries]
    assert len(set(ids)) == len(ids)
    for entry in entries:
        [content] = entry.findall(f"{ATOM}content")
        assert content.get("type") == "html"
        assert_harmless(content.text)
        assert len(entry.findall(f"{ATOM}summary")) <= 1
        assert entry.findtext(f"{ATOM}published") <= entry.findtext(f"{ATOM}updated")
    read = feedparser.parse(answer.content)
    assert not read.bozo, read.get("bozo_exception")
    assert read.version == "atom10"
    assert [entry.id for entry in read.entries] == ids
    return read


def checked_json(answer):
    """Return a feed, after the checks of JSON Feed 1.1."""
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/feed+json"
    feed = answer.json()
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["title"]
    known = {"id", "url", "external_url", "title", "content_html", "summary", "image",
             "date_published", "date_modified", "authors", "tags"}  # fmt: skip
    for item in feed["items"]:
        assert known >= item.keys()
        assert isinstance(item["id"], str)
        assert item["content_html"]
        assert_harmless(item["content_html"])
        for name in ("date_published", "date_modified"):
            assert datetime.fromisoformat(item[name]).tzinfo
        for author in item.get("authors", ()):
            assert author["name"]
        for name in ("url", "external_url", "image"):
            assert item.get(name, HERE).startswith("https://")
    return feed


def assert_harmless(html):
    """Nothing but a few tags, and whole https addresses."""

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attributes):
            assert tag in TAGS, tag
            for name, value in attributes:
                assert name in {"href", "src", "alt", "width", "height"}, name
                if name in {"href", "src"}:
                    assert value.startswith("https://")

    Reader().feed(html)


def test_each_paper_is_an_item_newest_first(browser, papers):
    read = checked_atom(browser.get("/feed.atom"))
    assert len(read.entries) == 3
    entry = read.entries[0]
    assert entry.title == "Robots walk"
    assert entry.id == "tag:digest.example.org,2026-01-01:arxiv:2602.00003"
    assert entry.link == f"{HERE}/paper/arxiv:2602.00003"
    assert entry.published == entry.updated == "2026-02-21T00:00:00+00:00"
    assert [author.name for author in entry.authors] == ["Ada Lovelace", "Grace Hopper"]
    assert "We study thing 3" in entry.content[0].value
    assert "9 votes" in entry.content[0].value
    assert f"{HERE}/feed.atom" in [link.href for link in read.feed.links if link.rel == "self"]


def test_both_formats_say_the_same(browser, papers):
    for query in ("", "?topic=robots", "?sort=trending"):
        read = checked_atom(browser.get(f"/feed.atom{query}"))
        items = checked_json(browser.get(f"/feed.json{query}"))["items"]
        assert [(entry.id, entry.link) for entry in read.entries] == [
            (item["id"], item["url"]) for item in items
        ]
        assert [entry.updated for entry in read.entries] == [
            item["date_modified"] for item in items
        ]


def test_what_means_harm_is_text(browser, papers):
    for path in ("/feed.atom", "/feed.json"):
        assert browser.get(path).status_code == 200
    [item] = [
        item
        for item in checked_json(browser.get("/feed.json"))["items"]
        if item["title"].startswith("<script>")
    ]
    page = lxml.html.fromstring(item["content_html"])
    assert "alert(1)" in page.text_content()
    assert not page.xpath("//script | //@onerror")


def test_a_feed_on_topics_holds_only_their_papers(browser, papers):
    feed = checked_json(browser.get("/feed.json?topic=robots"))
    assert feed["title"] == "Paper Digest: robots"
    assert feed["feed_url"] == f"{HERE}/feed.json?topic=robots"
    assert [item["title"] for item in feed["items"]] == ["Robots walk", "Robots fold"]
    assert "<em>robots" in feed["items"][0]["content_html"]
    both = checked_json(browser.get("/feed.json?topic=robots&topic=robots+that+walk"))
    ids = [item["id"] for item in both["items"]]
    assert len(ids) == len(set(ids)) == 2
    assert checked_json(browser.get("/feed.json?topic=astrology"))["items"] == []


def test_trending_papers_are_those_with_most_votes(browser, ledger):
    many = SHOWN_TRENDING + 5
    collect(ledger, *(make_sighting(number, upvotes=number) for number in range(1, many + 1)))
    items = checked_json(browser.get("/feed.json?sort=trending"))["items"]
    assert [item["id"][-5:] for item in items] == [
        f"{number:05}" for number in range(many, many - SHOWN_TRENDING, -1)
    ]
    assert (
        checked_json(browser.get("/feed.json?sort=trending"))["title"] == "Paper Digest: Trending"
    )


def test_the_ids_of_papers_stay(browser, ledger, papers):
    def ids():
        return {item["title"]: item["id"] for item in browser.get("/feed.json").json()["items"]}

    before = ids()
    collect(
        ledger, make_sighting(1, title="Robots fold shirts", upvotes=50, revision=Revision.REPLACED)
    )
    after = ids()
    assert after["Robots fold shirts"] == before["Robots fold"]
    assert set(after.values()) == set(before.values())


def test_a_feed_is_not_longer_than_it_may_be(browser, ledger):
    collect(ledger, *(make_sighting(number) for number in range(1, SHOWN + 9)))
    assert len(checked_json(browser.get("/feed.json"))["items"]) == SHOWN


def test_feeds_without_papers_are_empty(browser):
    for query in ("", "?topic=robots", "?sort=trending"):
        assert checked_atom(browser.get(f"/feed.atom{query}")).entries == []
        assert checked_json(browser.get(f"/feed.json{query}"))["items"] == []


def test_who_asks_again_is_told_that_nothing_has_changed(browser, ledger, papers):
    first = browser.get("/feed.atom?topic=robots")
    headers = {"If-None-Match": first.headers["etag"]}
    assert browser.ask("GET", "/feed.atom?topic=robots", headers=headers).status_code == 304
    collect(ledger, make_sighting(4, title="Robots swim"))
    assert browser.ask("GET", "/feed.atom?topic=robots", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "query", ["topic=!!", "topic=", "&".join(["topic=a"] * 21), "sort=magic", "topic=(a"]
)
def test_what_is_no_topic_or_order_is_refused(browser, papers, query):
    for kind in ("atom", "json"):
        assert 400 <= browser.get(f"/feed.{kind}?{query}").status_code < 500


# ---- the page that leads to them ----


def test_the_page_leads_to_all_feeds(browser, papers):
    page = lxml.html.fromstring(browser.get("/feeds?topic=%22robots%22+-walk").text)
    links = [link for link in page.xpath("//main//a/@href") if "/feed." in link]
    assert len(links) == 6
    for link in links:
        assert browser.get(link).status_code == 200
    assert f"{HERE}/feed.atom?topic=%22robots%22+-walk" in page.text_content()
    alternates = page.xpath("//link[@rel='alternate']/@type")
    assert alternates == ["application/atom+xml", "application/feed+json"]


def test_the_page_says_what_is_no_topic(browser):
    answer = browser.get("/feeds?topic=%22robots")
    assert answer.status_code == 422
    assert "expected a closing quotation mark" in answer.text


# ---- whatever a paper holds, a feed is valid ----

WORDS = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=40)
MOMENTS = st.datetimes(min_value=datetime(2000, 1, 1)).map(
    lambda moment: moment.replace(tzinfo=NOW.tzinfo)
)
ITEMS = st.builds(
    FeedItem,
    id=st.integers(1).map(lambda number: f"tag:x,2026:{number}"),
    url=st.just("https://x.example/"),
    source=st.sampled_from(["", "https://y.example/?a=1&b=2"]),
    title=WORDS,
    published=MOMENTS,
    updated=MOMENTS,
    authors=st.lists(WORDS, max_size=3).map(tuple),
    keywords=st.lists(WORDS, max_size=3).map(tuple),
    summary=WORDS,
    html=WORDS,
)


@given(title=WORDS, items=st.lists(ITEMS, max_size=3))
def test_any_feed_is_well_formed(title, items):
    feed = Feed(title, title, "https://x.example/feed", "https://x.example/", "X", "en", items)
    root = etree.fromstring(atom(feed))
    assert [entry.findtext(f"{ATOM}content") for entry in root.iter(f"{ATOM}entry")] == [
        item.html for item in items
    ]
    assert len(json.loads(json.dumps(json_feed(feed)))["items"]) == len(items)
    assert date.fromisoformat(root.findtext(f"{ATOM}updated")[:10])
