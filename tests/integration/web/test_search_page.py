"""The page to search: fields, orders, pages of it, and what is said of what cannot be read."""

from datetime import date, timedelta
from urllib.parse import quote

import lxml.html
import pytest

from digest.collect.merge import keys_of, merge
from digest.rank.index_words import VERSION, index_words
from digest.rank.search import PAGE
from tests.integration.browser import Browser
from tests.integration.site import make_web
from tests.support import TODAY, make_sighting

MANY = 2 * PAGE + 5


@pytest.fixture
def browser(ledger, registry):
    sightings = [
        make_sighting(
            number,
            title=f"Ducks {number}",
            abstract="Ducks on ponds.",
            upvotes=number,
            listed_on=TODAY - timedelta(days=number),
        )
        for number in range(1, MANY + 1)
    ]
    ledger.papers.absorb(keys_of(sightings), lambda known: merge(known, sightings))
    ledger.search_index.catch_up(VERSION, index_words)
    return Browser(make_web(ledger, registry))


def page_of(answer, status=200):
    assert answer.status_code == status
    return lxml.html.fromstring(answer.text)


def page_of_any(answer):
    return lxml.html.fromstring(answer.text)


def titles(page):
    return [
        " ".join(found.split())
        for found in page.xpath("//article//h2/a/text() | //ol//h3/a/text()")
    ]


def alert(page):
    return " ".join(page.xpath("string(//*[@role='alert'])").split())


def test_a_search_is_paged_and_each_page_leads_to_the_next(browser):
    path, seen = "/search?q=ducks", []
    for number in (1, 2, 3):
        page = page_of(browser.get(path))
        assert f"{MANY} papers" in page.text_content()
        assert f"Page {number} of 3" in page.text_content()
        seen += titles(page)
        path = next(iter(page.xpath("//a[@rel='next']/@href")), "")
    assert path == ""
    assert len(set(seen)) == len(seen) == MANY


def test_orders_and_days(browser):
    page = page_of(browser.get("/search?q=ducks"))
    [newest] = page.xpath("//p[@aria-label='Sort by']/a[.='Newest']/@href")
    assert titles(page_of(browser.get(newest)))[:2] == ["Ducks 1", "Ducks 2"]
    [votes] = page.xpath("//p[@aria-label='Sort by']/a[.='Most votes']/@href")
    page = page_of(browser.get(votes))
    assert titles(page)[:2] == [f"Ducks {MANY}", f"Ducks {MANY - 1}"]
    assert page.xpath("//p[@aria-label='Sort by']/a[@aria-current='true']/text()") == ["Most votes"]
    [after] = page.xpath("//a[@rel='next']/@href")
    assert "sort=votes" in after
    first, last = TODAY - timedelta(days=3), TODAY - timedelta(days=2)
    page = page_of(browser.get(f"/search?q=ducks&from={first}&until={last}&sort=newest"))
    assert titles(page) == ["Ducks 2", "Ducks 3"]
    assert page.xpath("//input[@name='from']/@value") == [str(first)]
    assert page.xpath("//input[@name='sort']/@value") == ["newest"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("q=ducks&from=yesterday", "From: “yesterday” is no day. Write it like 2025-12-31."),
        ("q=ducks&until=2025-02-30", "Until: “2025-02-30” is no day."),
        ("q=ducks&from=20250101", "From: “20250101” is no day."),
        ("q=ducks&from=2026-01-02&until=2026-01-01", "The first day is after the last one."),
        ("q=ducks&sort=magic", "“magic” is no order."),
        ("q=ducks&page=0", "“0” is no page: expected a number from 1 to 50."),
        ("q=ducks&page=x", "“x” is no page"),
        ("q=ducks&page=51", "“51” is no page"),
        ("q=ducks&page=99999999999999999999", "is no page"),
        ("q=ducks&page=4", "There is no page 4: the last one is 3."),
        ("q=%22ducks", "expected a closing quotation mark"),
        ("q=" + "x" * 5000, "at most 200 characters, but this has 5,000:"),
        ("q=%00", "at least one word"),
        ("q=ducks%00", "U+0000"),
        ("from=never", "From: “never” is no day."),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told(browser, query, said):
    page = page_of(browser.get(f"/search?{query}"), 422)
    assert said in alert(page)
    assert not titles(page)


def test_a_search_leads_to_a_subscription_and_to_feeds(browser):
    typed = 'ducks "on ponds"'
    page = page_of(browser.get(f"/search?q={quote(typed)}"))
    links = page.xpath("//aside//a/@href")
    assert links == [
        f"{path}?topic=ducks+%22on+ponds%22" for path in ("/subscribe", "/feed.atom", "/feed.json")
    ]


def test_each_example_of_what_can_be_typed_is_a_search(browser):
    page = page_of(browser.get("/search"))
    examples = page.xpath("//details//dt/a/@href")
    assert len(examples) > 8
    for path in examples:
        assert not alert(page_of(browser.get(path))), path


def test_nothing_found_and_nothing_asked(browser):
    assert "No paper matches" not in page_of(browser.get("/search")).text_content()
    page = page_of(browser.get("/search?q=astrology"))
    assert "No paper matches" in page.text_content()
    assert page.xpath("//input[@name='q']/@value") == ["astrology"]
    day = date(2001, 1, 1)
    assert not titles(page_of(browser.get(f"/search?q=ducks&until={day}")))


@pytest.mark.parametrize(
    ("typed", "said", "leads_to"),
    [
        ("pondz", "Did you mean “ponds”?", "ponds"),
        ("ducks author:Nobody", "Without conditions, “ducks”", "ducks"),
    ],
)
def test_where_nothing_is_found_something_likelier_is_a_link(browser, typed, said, leads_to):
    page = page_of(browser.get(f"/search?q={quote(typed)}&sort=newest"))
    assert not titles(page)
    [link] = page.xpath("//ul[contains(@class, 'hints')]//a")
    assert said in link.text
    there = page_of(browser.get(link.get("href")))
    assert titles(there)
    assert there.xpath("//input[@name='q']/@value") == [leads_to]
    assert there.xpath("//input[@name='sort']/@value") == ["newest"]


def test_nothing_is_proposed_where_something_is_found_or_nothing_is_likelier(browser):
    for query in ("ducks", "astrology", "", "%5B%5B"):
        assert not page_of_any(browser.get(f"/search?q={query}")).xpath(
            "//ul[@class='short hints']"
        )


def test_a_proposal_is_in_the_language_of_the_page(browser):
    [link] = page_of(browser.get("/de/search?q=pondz")).xpath("//ul[@class='short hints']//a")
    assert link.text.startswith("Meinten Sie")
    assert link.get("href").startswith("/de/search?")


@pytest.mark.parametrize("typed", ["x" * 20_000, "<b>" * 5000, "ducks " * 5000])
def test_of_a_long_search_little_is_shown_again(browser, typed):
    answer = browser.get(f"/search?q={quote(typed)}")
    page = page_of(answer, 422)
    assert "at most 200" in alert(page)
    assert len(answer.text) < 30_000
    [shown] = page.xpath("//input[@name='q']/@value")
    assert len(shown) <= 400


def test_what_is_typed_is_shown_as_text(browser):
    page = browser.get("/search?q=%3Cscript%3E%22").text
    assert "<script>" not in page.replace('<script src="', "")
