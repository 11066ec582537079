"""The pages of days, weeks and months, and the archive, over both databases."""

import json
from datetime import date, timedelta
from urllib.parse import urlsplit

import lxml.etree
import pytest

from digest.collect.merge import keys_of, merge
from digest.ledger.history import Collection
from digest.model.papers import Signals
from digest.web.list_view import PAPERS_ON_PAGE
from tests.integration.browser import Browser, assert_safe, page_of
from tests.integration.site import make_web
from tests.support import NOW, TODAY, make_sighting

YESTERDAY = TODAY - timedelta(days=1)
LONG_AGO = date(2021, 1, 2)  # in week 53 of 2020


@pytest.fixture
def browser(ledger, registry):
    return Browser(make_web(ledger, registry))


@pytest.fixture
def collected(ledger):
    absorb(
        ledger,
        make_sighting(1, upvotes=2, organisation="Analytical Engines", code_url="https://x.org/1", keywords=("engines", "looms")),
        make_sighting(2, upvotes=9, title="<script>alert(1)</script> & {{ 7*7 }}", page_url="", keywords=("Engines",)),
        make_sighting(3, upvotes=None, arxiv_id="", page_url="", title="A title and no more",
                      abstract="", authors=(), author_count=0),
        make_sighting(4, upvotes=5, listed_on=YESTERDAY),
        make_sighting(5, upvotes=7, listed_on=LONG_AGO),
    )  # fmt: skip


def absorb(ledger, *sightings):
    ledger.papers.absorb(keys_of(sightings), lambda known: merge(known, sightings))


def titles(answer):
    return [heading.text_content() for heading in page_of(answer).xpath("//main//h3/a")]


def see(browser, path, status=200):
    answer = browser.get(path)
    assert answer.status_code == status, path
    assert_safe(answer)
    return page_of(answer)


def chip(page, text):
    [link] = [
        each for each in page.xpath("//a[@class='chip']") if each.findtext("bdi").strip() == text
    ]
    return link


# ---- a day -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("collected")
def test_a_day_shows_its_papers_whether_an_edition_was_sent_or_not(browser):
    page = see(browser, f"/{TODAY}")
    assert page.findtext(".//h1") == "Friday, 20 February 2026"
    assert titles(browser.get(f"/{TODAY}")) == [
        "<script>alert(1)</script> & {{ 7*7 }}",
        "A study of things, part 1",
        "A title and no more",
    ]
    links = page.xpath("//main//h3/a/@href")
    assert links[:2] == ["/paper/arxiv:2602.00002", "/paper/arxiv:2602.00001"]
    assert page.xpath("//a[@href='/organisation/Analytical%20Engines']")
    assert "3 papers · 1 with code · 1 organisation" in page.text_content()


@pytest.mark.usefixtures("collected")
def test_a_day_leads_to_the_days_with_papers_beside_it(browser):
    page = see(browser, f"/{TODAY}")
    assert page.xpath("//a[@rel='prev']/@href") == [f"/{YESTERDAY}"]
    assert not page.xpath("//a[@rel='next']")
    page = see(browser, f"/{YESTERDAY}")
    assert page.xpath("//a[@rel='prev']/@href") == [f"/{LONG_AGO}"]
    assert page.xpath("//a[@rel='next']/@href") == [f"/{TODAY}"]
    assert [link.text_content() for link in page.xpath("//ul[@class='days']//a")] == [
        "Thu 191 paper", "Fri 203 papers",
    ]  # fmt: skip


@pytest.mark.usefixtures("collected")
def test_a_day_without_papers_says_so_and_is_for_no_search_engine(browser):
    page = see(browser, "/2026-02-18")
    assert "No papers came in." in page.text_content()
    assert page.xpath("//meta[@name='robots']/@content") == ["noindex"]
    assert page.xpath("//a[@rel='next']/@href") == [f"/{YESTERDAY}"]


@pytest.mark.usefixtures("collected")
@pytest.mark.parametrize(
    "path",
    [
        "/2026-02-21", "/2027-01-01", "/2021-01-01", "/2026-02-30", "/2026-W09", "/2026-W60", "/2020-W52", "/2026-03",
        "/2026-13", "/9999-12", "/0001-W01", "/2026-02-20/", "/2026-02-20/x", "/2026-w08", "/20260220", "/archive/no-date",
        "/archive/99999999", "/archive/%3Cscript%3E", "/archive/week/2026", "/archive?year=2019", "/archive?year=2027",
        "/archive?year=x", "/archive?year=99999999999999999999", "/2026-02-20?page=0", "/2026-02-20?page=2",
        "/2026-02-20?page=-1", "/2026-02-20?page=99999999999999999999", "/2026-02-20?page=x",
        f"/2026-02-20?keyword={'x' * 201}",
    ],
)  # fmt: skip
def test_what_is_not_there_is_a_page_all_the_same(browser, path):
    see(browser, path, 404)


def test_there_is_no_day_before_anything_was_collected(browser):
    see(browser, f"/{TODAY}", 404)
    answer = browser.get("/today")
    assert (answer.status_code, answer.headers["location"]) == (307, "/archive")
    assert "Nothing has been collected yet" in see(browser, "/archive").text_content()


@pytest.mark.usefixtures("collected")
def test_today_is_the_newest_day_and_old_addresses_lead_to_the_new_ones(browser):
    for old, status, new in (
        ("/today", 307, f"/{TODAY}"),
        (f"/archive/{TODAY}", 308, f"/{TODAY}"),
        ("/archive/week/2026-W08", 308, "/2026-W08"),
        ("/archive/month/2026-02", 308, "/2026-02"),
    ):
        answer = browser.get(old)
        assert (answer.status_code, answer.headers["location"]) == (status, new)
        assert_safe(answer)
        see(browser, new)


# ---- weeks and months --------------------------------------------------------------------------


@pytest.mark.usefixtures("collected")
def test_a_week_and_a_month_mark_what_is_of_the_newest_day(browser):
    for path, title in (("/2026-W08", "Week 8, 2026"), ("/2026-02", "February 2026")):
        page = see(browser, path)
        assert page.findtext(".//h1") == title
        new = page.xpath("//*[@class='mark'][text()='New']")
        assert (len(titles(browser.get(path))), len(new)) == (4, 3)
    assert "16–22 February 2026" in see(browser, "/2026-W08").text_content()


@pytest.mark.usefixtures("collected")
def test_the_53rd_week_is_of_two_years(browser):
    page = see(browser, "/2020-W53")
    assert page.findtext(".//h1") == "Week 53, 2020"
    assert "28 December 2020 – 3 January 2021" in page.text_content()
    assert page.xpath("//a[@rel='next']/@href") == ["/2026-W08"]
    calendar = see(browser, "/archive?year=2021")
    assert calendar.xpath("//table//th[@scope='row']/a/@href") == ["/2020-W53"]
    assert calendar.xpath("//table//td/a/@href") == [f"/{LONG_AGO}"]


@pytest.mark.usefixtures("collected")
def test_the_archive_has_all_years_and_all_days_of_one(browser):
    page = see(browser, "/archive")
    assert page.xpath("//nav[@aria-label='Years']//a/@href") == [
        "/archive", *(f"/archive?year={year}" for year in range(2025, 2020, -1)),
    ]  # fmt: skip
    assert page.xpath("//table//td/a/@href") == [f"/{YESTERDAY}", f"/{TODAY}"]
    assert page.xpath("//h2/a/@href") == ["/2026-02"]
    assert "4 papers in 2026" in page.text_content()
    assert "since Saturday, 2 January 2021" in page.text_content()
    assert see(browser, "/archive?year=2023").xpath("//table") == []


# ---- filters, orders, pages --------------------------------------------------------------------


@pytest.mark.usefixtures("collected")
def test_a_press_filters_and_another_takes_it_back(browser):
    page = see(browser, f"/{TODAY}")
    code = chip(page, "Has code")
    assert code.text_content().split() == ["Has", "code", "1"]
    page = see(browser, code.get("href"))
    assert titles(browser.get(code.get("href"))) == ["A study of things, part 1"]
    assert chip(page, "Has code").get("aria-current") == "true"
    assert chip(page, "Has code").get("href") == f"/{TODAY}"
    assert "1 paper of 3" in page.text_content()
    # What is left has one paper less with the keyword.
    [organisation] = page.xpath("//details//a/@href")
    assert titles(browser.get(organisation)) == ["A study of things, part 1"]
    assert "code=yes" in organisation
    assert page.xpath("//meta[@name='robots']/@content") == ["noindex"]
    assert page.xpath("//link[@rel='canonical']/@href") == [f"https://digest.example.org/{TODAY}"]


@pytest.mark.usefixtures("collected")
def test_keywords_count_in_any_case_and_lead_to_feeds_of_the_same(browser):
    page = see(browser, f"/{TODAY}")
    [link] = [
        each
        for each in page.xpath("//a[@class='chip']")
        if each.findtext("bdi").strip().casefold() == "engines"
    ]
    assert link.text_content().split()[1] == "2"
    found = browser.get(link.get("href"))
    assert len(titles(found)) == 2
    [atom] = page_of(found).xpath("//main//a[contains(@href, '/feed.atom')]/@href")
    assert browser.get(atom).status_code == 200
    assert "keyword" in urlsplit(atom).query


@pytest.mark.usefixtures("collected")
def test_filters_that_leave_nothing_and_hostile_ones(browser):
    for query in (
        "keyword=nothing",
        "organisation=%22%3E%3Cscript%3E",
        "keyword=%00",
        "organisation=!",
    ):
        page = see(browser, f"/{TODAY}?{query}")
        assert "No paper is left by these filters." in page.text_content()
        assert f"/{TODAY}" in page.xpath("//a/@href")
    assert len(titles(browser.get(f"/{TODAY}?sort=nonsense&code=no"))) == 3


@pytest.mark.usefixtures("collected")
def test_the_order_is_kept_by_filters(browser):
    page = see(browser, f"/{TODAY}?sort=newest")
    assert "sort=newest" in chip(page, "Has code").get("href")
    assert [each.text for each in page.xpath("//main//a[@aria-current='true']")][-1] == "Newest"
    assert not page.xpath("//article"), "the newest is not the most important"


def test_votes_of_the_last_day_lift_a_paper_and_are_told(ledger, browser):
    old = NOW - timedelta(days=2)
    absorb(
        ledger, make_sighting(1, upvotes=40, seen_at=old), make_sighting(2, upvotes=3, seen_at=old)
    )
    absorb(ledger, make_sighting(2, signals=Signals(33)))
    ledger.history.record_collection(Collection(TODAY, NOW, "huggingface"))
    page = see(browser, f"/{TODAY}")
    assert titles(browser.get(f"/{TODAY}"))[0] == "A study of things, part 2"
    assert "Rising: +30 since yesterday" in page.text_content()
    assert page.xpath("//form[@role='search']//input[@name='from']/@value") == [str(TODAY)]
    assert "Rising fastest" in page.text_content()
    assert titles(browser.get(f"/{TODAY}?sort=votes"))[0] == "A study of things, part 1"


def test_many_papers_have_several_pages(ledger, browser):
    absorb(
        ledger,
        *(make_sighting(number, upvotes=number) for number in range(1, 2 * PAPERS_ON_PAGE + 2)),
    )
    path, seen = f"/{TODAY}", []
    for number in (1, 2, 3):
        page = see(browser, path)
        seen += titles(browser.get(path))
        assert f"Page {number} of 3" in page.text_content()
        following = page.xpath("//nav[@aria-label='Pages']/a[@rel='next']/@href")
        path = following[0] if following else ""
    assert path == ""
    assert len(seen) == len(set(seen)) == 2 * PAPERS_ON_PAGE + 1
    see(browser, f"/{TODAY}?page=4", 404)


# ---- for machines ------------------------------------------------------------------------------


@pytest.mark.usefixtures("collected")
def test_search_engines_get_the_list_and_others_a_preview(browser):
    page = see(browser, f"/{TODAY}")
    [data] = page.xpath("//script/text()")
    items = json.loads(data)["itemListElement"]
    assert items[0]["name"] == "<script>alert(1)</script> & {{ 7*7 }}"
    assert items[1]["url"] == "https://digest.example.org/paper/arxiv:2602.00001"
    assert page.xpath("//meta[@property='og:title']/@content") == ["Friday, 20 February 2026"]
    assert page.xpath("//meta[@name='description']/@content") == [
        "3 research papers of Friday, 20 February 2026, with votes, code and links."
    ]


def test_a_source_that_failed_is_told(ledger, browser):
    absorb(ledger, make_sighting(1))
    ledger.editions.freeze(TODAY, TODAY, NOW, missing=("arxiv",))
    assert "The list of arXiv was not fully available" in see(browser, f"/{TODAY}").text_content()


@pytest.mark.usefixtures("collected")
def test_the_sitemap_leads_to_every_page_and_to_nothing_else(browser):
    space = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}

    def locations(path):
        answer = browser.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/xml")
        assert_safe(answer)
        found = lxml.etree.fromstring(answer.content).xpath("//s:loc/text()", namespaces=space)
        return [location.removeprefix("https://digest.example.org") for location in found]

    maps = locations("/sitemap.xml")
    assert maps == ["/sitemap-days.xml", "/sitemap-1.xml"]
    pages = [path for each in maps for path in locations(each)]
    assert len(pages) == len(set(pages)) == 2 + 3 + 2 + 2 + 5
    for path in pages:
        robots = see(browser, path).xpath("//meta[@name='robots']/@content")
        assert robots == ["index"], path
    for path in (
        "/sitemap-0.xml",
        "/sitemap-2.xml",
        "/sitemap-x.xml",
        "/sitemap-99999999999999999999.xml",
    ):
        see(browser, path, 404)


def test_a_sitemap_of_nothing(browser):
    assert b"sitemap-days.xml" in browser.get("/sitemap.xml").content
    assert b"/archive" in browser.get("/sitemap-days.xml").content
    see(browser, "/sitemap-1.xml", 404)
