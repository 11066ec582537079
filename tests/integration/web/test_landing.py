"""The landing page: a form that a link can prepare, a true sample of an email, today's papers."""

from urllib.parse import urlencode

import pytest

from digest.web.sample import Kept
from subscribers.topics import LONGEST_TOPIC, MOST_TOPICS
from tests.integration.browser import HOST, Browser, assert_safe, page_of
from tests.integration.house import House
from tests.integration.people import look
from tests.integration.site import make_web
from tests.integration.web.test_own_digest import POLICY as MAIL_POLICY
from tests.integration.web.test_pages import edition  # noqa: F401  a fixture


@pytest.fixture
def house(ledger, registry):
    return House(ledger, registry)


def ticked(house, path, *topics):
    page = page_of(house.get(f"{path}?{urlencode([('topic', topic) for topic in topics])}"))
    return page.xpath("//input[@name='topic'][@checked]/@value")


@pytest.mark.parametrize("path", ["/", "/subscribe"])
def test_a_link_ticks_topics_and_changes_nothing(house, engine, path):
    before = look(engine)
    assert ticked(house, path, "robots", "world models", "ROBOTS") == ["robots", "world models"]
    assert ticked(house, path) == []
    assert look(engine) == before


@pytest.mark.parametrize("path", ["/", "/subscribe"])
def test_what_is_no_topic_is_left_out_and_markup_is_text(house, path):
    hostile = ["<script>alert(1)</script>", "!!", "\0", "x" * (LONGEST_TOPIC + 1), 'a "b', ""]
    assert ticked(house, path, *hostile) == ["<script>alert(1)</script>"]
    many = [f"topic {number}" for number in range(1000)]
    assert ticked(house, path, *many) == many[:MOST_TOPICS]


@pytest.mark.usefixtures("edition")
def test_the_sample_is_the_beginning_of_a_real_email(house, ledger, registry):
    page = page_of(house.get("/"))
    [figure] = page.xpath("//figure")
    text = " ".join(figure.text_content().split())
    assert "on study of things" in text
    assert "Today’s email for study of things." in text
    lead = figure.xpath(".//p[@class='first']")[0].text_content()
    whole = Browser(make_web(ledger, registry)).get("/sample")
    assert_safe(whole, MAIL_POLICY)
    assert lead in whole.text
    assert whole.headers["X-Robots-Tag"] == "noindex"
    for own in ("unsubscribe", "preferences", "opinion"):
        assert f"{HOST}/{own}/" not in whole.text
    assert f"{HOST}/subscribe" in whole.text


def test_without_an_edition_there_is_no_sample_and_the_page_is_whole(house):
    page = page_of(house.get("/"))
    assert page.xpath("//figure") == []
    assert page.get_element_by_id("address") is not None
    assert house.get("/sample").status_code == 404


def test_a_sample_that_is_not_ready_is_not_kept_as_the_page(ledger, registry):
    web = make_web(ledger, registry, sample=Kept(lambda: None, lambda: 1, lambda _: None))
    answer = Browser(web).get("/")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.usefixtures("edition")
def test_todays_papers_lead_to_their_pages_and_to_the_day(house):
    page = page_of(house.get("/"))
    links = page.xpath("//*[@id='preview']//h3/a/@href")
    assert links
    assert all(link.startswith("/paper/") for link in links)
    assert page.xpath("//*[@id='preview']//div[@class='section']/a/@href") == ["/2026-02-20"]


def test_every_page_says_where_one_is_and_leads_on(house):
    for path, here in (("/archive", "Archive"), ("/search", "Search"), ("/subscribe", "Subscribe")):
        page = page_of(house.get(path))
        assert [a.text_content() for a in page.xpath("//*[@aria-current='page']")] == [here]
    page = page_of(house.get("/link"))
    places = page.xpath("//header//nav//a/@href")
    assert places == ["/today", "/archive", "/search", "/feeds"]
    assert page.xpath("//html/@dir") == ["ltr"]
    assert "/link" in page.xpath("//footer//a/@href")
