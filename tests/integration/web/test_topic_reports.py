"""What topics would have matched lately, on the preview, on the preferences page."""

import re
from dataclasses import replace
from threading import Event
from urllib.parse import urlencode

import pytest

from digest.collect.merge import keys_of, merge
from digest.web.limiter import Limiter
from digest.web.pages import web_app
from digest.web.timely_reports import MOST_THREADS, TimelyReports
from subscribers.preferences import Strictness
from subscribers.tokens import Purpose
from subscribers.topics import parse_topics
from tests.integration.browser import Browser, page_of, path_of
from tests.integration.site import make_site, make_web
from tests.support import NOW, make_sighting

pytestmark = pytest.mark.both_databases
DUCKS = "Ducks of a River"


@pytest.fixture
def papers(ledger):
    sightings = [
        make_sighting(
            number,
            title=f"{DUCKS}, part {number}",
            abstract="Ducks dive in a river. We count ducks.",
        )
        for number in range(5)
    ]
    ledger.papers.absorb(keys_of(sightings), lambda known: merge(known, sightings))


@pytest.fixture
def browser(ledger, registry, papers):
    return Browser(make_web(ledger, registry))


@pytest.fixture
def ada(registry):
    return registry.add("ada@example.org", parse_topics(["ducks"]), source="test", now=NOW)


def preview(browser, **fields):
    return browser.post("/preview", urlencode(fields).encode())


def reports_of(answer):
    return page_of(answer).cssselect(".reports > li")


def text_of(element):
    return " ".join(element.text_content().split())


def test_the_preview_tells_how_many_papers_match_and_links_the_best(browser):
    (report,) = reports_of(preview(browser, topics="ducks", address=""))
    assert text_of(report).startswith("ducks: 5 papers of the last 30 days match.")
    links = report.cssselect("a")
    assert [link.text for link in links] == [link.text for link in links if DUCKS in link.text]
    assert len(links) == 3
    for link in links:
        assert browser.get(link.get("href")).status_code == 200


def test_a_misspelt_topic_is_answered_with_a_button_that_fills_the_form_in(browser):
    answer = preview(browser, topics="robots\nduckks rivver", address="ada@example.org", at="09:30")
    report = reports_of(answer)[1]
    assert "No paper of the last 30 days matches." in text_of(report)
    (button,) = report.cssselect("button")
    page = page_of(answer)
    form = page.get_element_by_id(button.get("form"))
    assert button.get("formaction") == "/preview"
    fields = [*form.form_values(), (button.get("name"), button.get("value"))]
    again = browser.post("/preview", urlencode(fields).encode())
    shown = page_of(again)
    topics = shown.xpath("//input[@name='topic'][@checked]/@value")
    assert topics[0] == "robots"
    assert topics[1] != "duckks rivver"
    assert shown.get_element_by_id("address").value == "ada@example.org"
    assert shown.get_element_by_id("at").value == "09:30"
    counts = re.search(r"It matches (\d+) papers", text_of(report))
    assert counts is not None
    assert f"{counts[1]} papers of the last 30 days match." in text_of(reports_of(again)[1])


def test_the_enter_key_presses_none_of_the_buttons_in_a_report(browser):
    page = page_of(preview(browser, topics="duckks rivver"))
    its = [
        b for b in page.iter("button") if b.get("form") == "sign-up" or "sign-up" in ancestors(b)
    ]
    assert its[0].get("formaction") is None  # the first of a form's buttons is its default


def ancestors(element):
    return [parent.get("id") for parent in element.iterancestors()]


def test_the_preferences_page_reports_when_opened_and_when_saved(browser, ada):
    path = path_of(Purpose.PREFERENCES, ada.public_id)
    assert "5 papers of the last 30 days match." in browser.get(path).text
    saved = browser.post(path, urlencode({"topics": "apple pie"}).encode())
    assert "Saved" in saved.text
    assert "No paper of the last 30 days matches." in saved.text


def test_a_try_shows_the_form_as_sent_and_saves_nothing(browser, registry, ada):
    path = path_of(Purpose.PREFERENCES, ada.public_id)
    fields = {
        "topics": "Roboter für Katzen\nducks",
        "instead": "ducks\nducks of a river",
        "at": "09:15",
    }
    answer = browser.post(f"{path}/try", urlencode(fields).encode())
    assert "Not saved yet" in answer.text
    page = page_of(answer)
    topics = page.xpath("//input[@name='topic'][@checked]/@value")
    assert topics == ["Roboter für Katzen", "ducks of a river"]
    assert page.get_element_by_id("at").value == "09:15"
    assert "This looks like German" in answer.text
    stored = registry.get(ada.id)
    assert (stored.topics, stored.preferences) == (ada.topics, ada.preferences)
    wrong = browser.post(f"{path}/try", urlencode({"topics": 'a "b'}).encode())
    assert wrong.status_code == 422
    assert "closing quotation mark" in wrong.text


def test_topics_are_escaped_wherever_they_are_shown(browser):
    hostile = '<script>alert("x")</script> "ducks'
    answer = preview(browser, topics='<img src=x onerror=alert(1)> "ducks"\n</textarea><b>duckks')
    assert "<img" not in answer.text
    assert "<b>duckks" not in answer.text
    assert "<script>alert" not in preview(browser, topics=hostile).text


def test_without_papers_or_topics_there_is_no_report(ledger, registry, ada):
    browser = Browser(make_web(ledger, registry))
    assert not reports_of(preview(browser, topics="ducks"))
    path = path_of(Purpose.PREFERENCES, ada.public_id)
    answer = browser.get(path)
    assert not reports_of(answer)
    assert "being counted" not in answer.text


# ---- slow, full, broken ----------------------------------------------------------------------


class Slow:
    """Reports that come when they are let; ``began`` is set by the first."""

    def __init__(self):
        self.began, self.go_on = Event(), Event()

    def report(self, topics, strictness):
        self.began.set()
        self.go_on.wait(20)
        return []


def slow_site(ledger, registry, report, seconds):
    ranking = Limiter()
    reports = TimelyReports(report, ranking, seconds)
    site = make_site(ledger, registry, topic_reports=reports, ranking=ranking)
    return replace(site, topic_reports=reports.soon, ranking=ranking)


def test_pages_do_not_wait_for_numbers_that_take_long(ledger, registry, papers, ada):
    slow = Slow()
    browser = Browser(web_app(slow_site(ledger, registry, slow.report, 0.05)))
    path = path_of(Purpose.PREFERENCES, ada.public_id)
    try:
        for answer in (
            browser.get(path),
            browser.get(path),
            browser.get(path),  # by now both places of the limit are held
            browser.post(path, urlencode({"topics": "robots"}).encode()),
        ):
            assert answer.status_code == 200
            assert "is being counted" in answer.text
            assert not reports_of(answer)
        assert registry.get(ada.id).topics == parse_topics(["robots"])
        leave = browser.post(path_of(Purpose.UNSUBSCRIBE, ada.public_id), b"")
        assert leave.status_code == 200
    finally:
        slow.go_on.set()


def test_a_page_whose_reports_fail_is_shown_without_them(ledger, registry, papers, ada):
    def broken(topics, strictness):
        raise RuntimeError("planted")

    browser = Browser(web_app(slow_site(ledger, registry, broken, 5)))
    path = path_of(Purpose.PREFERENCES, ada.public_id)
    assert browser.get(path).status_code == 200
    assert browser.post(path, urlencode({"topics": "robots"}).encode()).status_code == 200
    assert preview(browser, topics="ducks").status_code == 200


def test_only_so_many_threads_wait_for_reports():
    reports = TimelyReports(lambda *_: [], Limiter())
    for _ in range(MOST_THREADS):
        assert reports._threads.acquire(blocking=False)
    assert reports(parse_topics(["robots"]), Strictness.NORMAL) is None
    assert reports((), None) == ()
