"""The editions as feeds, for all and for some topics."""

from datetime import datetime, timedelta

import pytest
from lxml import etree

from digest.collect.merge import keys_of, merge
from tests.integration.browser import Browser
from tests.integration.site import make_web
from tests.support import NOW, TODAY, make_sighting

ATOM = "{http://www.w3.org/2005/Atom}"
TOMORROW = TODAY + timedelta(days=1)


@pytest.fixture
def browser(ledger, registry):
    return Browser(make_web(ledger, registry))


@pytest.fixture
def editions(ledger):
    """Two days: robots on both, and a title that means harm on the first."""
    for number, day in enumerate((TODAY, TOMORROW)):
        sightings = [
            make_sighting(10 * number + 1, title=f"Robots {number}", upvotes=1, listed_on=day),
            make_sighting(10 * number + 2, title=f"<script>{number}</script> & ]]>", listed_on=day),
        ]
        ledger.papers.absorb(*keys_of(sightings), lambda known, s=sightings: merge(known, s))
        ledger.editions.freeze(day, day, NOW)
    return ledger.editions


def atom_of(answer):
    assert answer.headers["Content-Type"] == "application/atom+xml"
    return etree.fromstring(answer.content)


def test_the_atom_feed_has_an_entry_for_each_edition(browser, editions):
    feed = atom_of(browser.get("/feed.atom"))
    titles = [entry.findtext(f"{ATOM}title") for entry in feed.iter(f"{ATOM}entry")]
    assert titles == ["Saturday, 21 February 2026: 2 papers", "Friday, 20 February 2026: 2 papers"]
    for element in (feed, *feed.iter(f"{ATOM}entry")):  # RFC 4287, sections 4.1.1 and 4.1.2
        assert all(element.findtext(f"{ATOM}{name}") for name in ("id", "title", "updated"))
        assert datetime.fromisoformat(element.findtext(f"{ATOM}updated")).tzinfo
    content = feed.find(f"{ATOM}entry/{ATOM}content")
    assert content.get("type") == "html"
    assert "&lt;script&gt;1&lt;/script&gt; &amp; ]]&gt;" in content.text


def test_a_feed_for_a_topic_holds_only_its_papers(browser, editions):
    feed = browser.get("/feed.json?topic=robots").json()
    assert feed["title"] == "Paper Digest: robots"
    assert feed["feed_url"] == "https://digest.example.org/feed.json?topic=robots"
    assert [item["title"][-9:] for item in feed["items"]] == [": 1 paper"] * 2
    assert "script" not in feed["items"][0]["content_html"]
    both = browser.get("/feed.json?topic=robots&topic=astrology").json()
    assert len(both["items"]) == 2
    assert browser.get("/feed.json?topic=astrology").json()["items"] == []


def test_both_feeds_say_the_same(browser, editions):
    atom = atom_of(browser.get("/feed.atom?topic=robots"))
    items = browser.get("/feed.json?topic=robots").json()["items"]
    entries = [
        (
            entry.findtext(f"{ATOM}id"),
            entry.findtext(f"{ATOM}title"),
            entry.findtext(f"{ATOM}content"),
        )
        for entry in atom.iter(f"{ATOM}entry")
    ]
    assert entries == [(item["id"], item["title"], item["content_html"]) for item in items]


def test_feeds_without_editions_are_empty(browser):
    assert len(atom_of(browser.get("/feed.atom")).findall(f"{ATOM}entry")) == 0
    assert browser.get("/feed.json").json()["items"] == []


@pytest.mark.parametrize("query", ["topic=!!", "topic=", "&".join(["topic=a"] * 21)])
def test_what_is_no_topic_is_refused(browser, editions, query):
    for kind in ("atom", "json"):
        assert 400 <= browser.get(f"/feed.{kind}?{query}").status_code < 500
