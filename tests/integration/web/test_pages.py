"""The public pages, over both databases: what they show, and what they take."""

import asyncio
from itertools import product
from threading import Event, Semaphore
from urllib.parse import urlencode
from urllib.robotparser import RobotFileParser

import httpx
import lxml.etree
import pytest
from structlog.testing import capture_logs

from digest.collect.merge import keys_of, merge
from digest.model.search import Found
from digest.web.limiter import AT_ONCE, Crowded
from digest.web.pages import LARGEST_FORM, LARGEST_WITH_PAPERS
from subscribers.model import Consent
from subscribers.preferences_form import LONGEST_FIELD
from subscribers.tokens import Purpose
from subscribers.topics import LONGEST_TOPIC, MOST_TOPICS, parse_topics
from tests.integration.browser import FORM, HOST, Browser, assert_safe, page_of, path_of
from tests.integration.people import look
from tests.integration.site import SENDER, make_web
from tests.support import NOW, TODAY, make_sighting

ONE_CLICK = b"List-Unsubscribe=One-Click"
UNKNOWN = "f" * 32
# The links in every digest.
LINKED = (Purpose.UNSUBSCRIBE, Purpose.PREFERENCES)


@pytest.fixture
def browser(ledger, registry):
    return Browser(make_web(ledger, registry))


@pytest.fixture
def ada(registry):
    return registry.add("ada@example.org", parse_topics(["robots"]), source="test", now=NOW)


@pytest.fixture
def rows(engine):
    """Reads everything that is stored about people."""
    return lambda: look(engine)


@pytest.fixture
def edition(ledger):
    sightings = [
        make_sighting(1, upvotes=2, organisation="Analytical Engines"),
        make_sighting(2, upvotes=9, title="<script>alert(1)</script> & {{ 7*7 }}", page_url=""),
        make_sighting(3, upvotes=None, arxiv_id="", page_url="", title="A title and no more",
                      abstract="", authors=(), author_count=0),
    ]  # fmt: skip
    ledger.papers.absorb(keys_of(sightings), lambda known: merge(known, sightings))
    return ledger.editions.freeze(TODAY, TODAY, NOW)


def multipart(name, value):
    body = f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n--b--\r\n'
    return body.encode(), "multipart/form-data; boundary=b"


# ---- what is sent (which request changes what: test_token_matrix.py) ---------------------------


def test_no_body_is_in_the_way_of_leaving(browser, registry):
    kinds = (FORM, "multipart/form-data", "text/plain", "application/json", "no/such; kind")
    for number, (kind, size) in enumerate(product(kinds, (0, 9, LARGEST_FORM + 1))):
        person = registry.add(f"reader{number}@example.org", (), source="test", now=NOW)
        answer = browser.post(path_of(Purpose.UNSUBSCRIBE, person.public_id), b"\xff" * size, kind)
        assert answer.status_code == 200, (kind, size)
        assert "You’re unsubscribed" in page_of(answer).text_content()
        assert registry.get(person.id).consent is Consent.WITHDRAWN


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"topics=graph+neural+networks%0D%0Aants", FORM), multipart("topics", "graph neural networks\r\nants")],
    ids=["urlencoded", "multipart"],
)  # fmt: skip
def test_topics_are_a_line_each(browser, registry, ada, body, kind):
    answer = browser.post(path_of(Purpose.PREFERENCES, ada.public_id), body, kind)
    assert "Saved" in page_of(answer).text_content()
    topics = registry.get(ada.id).topics
    assert [topic.text for topic in topics] == ["graph neural networks", "ants"]


def test_an_empty_field_means_no_topics(browser, registry, ada):
    assert browser.post(path_of(Purpose.PREFERENCES, ada.public_id), b"topics=").status_code == 200
    assert registry.get(ada.id).topics == ()


def test_a_form_without_topics_takes_nothing_away(browser, ada, rows):
    before = rows()
    for body, kind in (
        (b"", FORM),
        (b"", "text/plain"),
        (ONE_CLICK, FORM),
        multipart("List-Unsubscribe", "One-Click"),
        multipart('topics"; filename="x.txt', "ants"),
        (b'{"topics": "ants"}', "application/json"),
        (b"not multipart", "multipart/form-data; boundary=b"),
        (b"topics=ants", "multipart/form-data"),
    ):
        answer = browser.post(path_of(Purpose.PREFERENCES, ada.public_id), body, kind)
        assert answer.status_code in {400, 422}, (body, kind)
        assert_safe(answer)
        page_of(answer)
        assert rows() == before, (body, kind)


# ---- who is gone -------------------------------------------------------------------------------


@pytest.mark.parametrize("purpose", LINKED)
@pytest.mark.parametrize("gone", ["never there", "removed", "left"])
def test_whoever_is_gone_is_told_the_same(browser, registry, ada, rows, purpose, gone):
    public_id = ada.public_id
    if gone == "removed":
        registry.remove(ada.address)
    elif gone == "left":
        registry.withdraw(ada.public_id, source="test", now=NOW)
    else:
        public_id = UNKNOWN
    before = rows()
    for method, body in (("GET", b""), ("POST", ONE_CLICK), ("POST", b"topics=ants")):
        answer = browser.ask(
            method, path_of(purpose, public_id), content=body, headers={"Content-Type": FORM}
        )
        assert answer.status_code == 200
        assert_safe(answer)
        assert "You’re unsubscribed" in page_of(answer).text_content()
        assert "ada@" not in answer.text
    assert rows() == before


def test_nobody_comes_back_through_an_old_preferences_link(browser, registry, ada):
    browser.post(path_of(Purpose.UNSUBSCRIBE, ada.public_id), ONE_CLICK)
    browser.post(path_of(Purpose.PREFERENCES, ada.public_id), b"topics=ants")
    left = registry.get(ada.id)
    assert left.consent is Consent.WITHDRAWN
    assert left.topics == ada.topics


# ---- the subscribers' pages --------------------------------------------------------------------


def test_the_page_to_unsubscribe_is_a_button(browser, ada):
    page = page_of(browser.get(path_of(Purpose.UNSUBSCRIBE, ada.public_id)))
    form, instead = page.xpath("//form")
    assert "instead" in instead.get("action")
    assert form.get("method") == instead.get("method") == "post"
    assert form.get("action") is None
    assert form.xpath(".//button")
    assert "ada@example.org" in page.text_content()


def test_the_page_of_preferences_shows_what_is_stored(browser, registry, ada):
    registry.set_preferences(
        ada.public_id, parse_topics(["robots", "world models"]), ada.preferences
    )
    page = page_of(browser.get(path_of(Purpose.PREFERENCES, ada.public_id)))
    ticked = page.xpath("//form[@method='post']//input[@name='topic'][@checked]/@value")
    assert ticked == ["robots", "world models"]


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("ants\n???", "a topic needs at least one word"),
        ("x" * (LONGEST_TOPIC + 1), f"a topic has at most {LONGEST_TOPIC} characters"),
        ("\n".join(f"topic {n}" for n in range(MOST_TOPICS + 1)), f"at most {MOST_TOPICS} topics"),
        ("<script>alert(1)</script>\n<b>\x00</b>", "cannot hold the character U+0000"),
    ],
)
def test_bad_topics_are_refused_saying_why_and_kept_in_the_form(browser, ada, rows, typed, why):
    before = rows()
    path = path_of(Purpose.PREFERENCES, ada.public_id)
    answer = browser.ask("POST", path, data={"topics": typed})
    assert answer.status_code == 422
    assert_safe(answer)
    page = page_of(answer)
    (note,) = page.xpath("//*[@role='alert']")
    assert why in note.text_content()
    kept = typed.replace("\x00", "\ufffd").replace("\n", "; ")
    assert page.get_element_by_id("topics").value == kept
    assert rows() == before


def test_a_form_that_is_too_long_is_refused_and_not_sent_back(browser, ada, rows):
    before = rows()
    path = path_of(Purpose.PREFERENCES, ada.public_id)
    answer = browser.ask("POST", path, data={"topics": "x" * (LONGEST_FIELD + 1)})
    assert answer.status_code == 422
    assert "too long" in page_of(answer).xpath("//*[@role='alert']")[0].text_content()
    assert "xxx" not in answer.text
    assert rows() == before


def test_more_than_any_form_holds_is_not_even_read(browser, ada, rows):
    before = rows()
    for path, most in (
        (path_of(Purpose.PREFERENCES, ada.public_id), LARGEST_FORM),
        ("/subscribe", LARGEST_WITH_PAPERS),
        ("/preview", LARGEST_WITH_PAPERS),
    ):
        answer = browser.ask("POST", path, data={"topics": "x" * most})
        assert answer.status_code == 413
        assert_safe(answer)
        page_of(answer)
    assert rows() == before


def test_topics_that_look_like_markup_are_text(browser, registry, ada):
    typed = "<script>alert(1)</script>\n</textarea><b>x</b>\n{{ 7*7 }}"
    answer = browser.ask(
        "POST", path_of(Purpose.PREFERENCES, ada.public_id), data={"topics": typed}
    )
    assert answer.status_code == 200
    assert [topic.text for topic in registry.get(ada.id).topics] == typed.split("\n")
    again = browser.get(path_of(Purpose.PREFERENCES, ada.public_id))
    for page in (page_of(answer), page_of(again)):
        assert page.xpath("//input[@name='topic'][@checked]/@value") == typed.split("\n")
        assert not page.xpath("//main//label//b | //script")


# ---- pages for everybody -----------------------------------------------------------------------


def test_home_says_whom_to_write_to(browser):
    answer = browser.get("/")
    assert answer.status_code == 200
    assert_safe(answer)
    page = page_of(answer)
    assert f"mailto:{SENDER.reply_to}" in page.xpath("//a/@href")
    assert SENDER.postal_address in page.text_content()


# ---- what one would get --------------------------------------------------------------------


def preview(browser, topics):
    return browser.post("/preview", urlencode({"address": "me@x.org", "topics": topics}).encode())


def test_a_preview_shows_the_latest_edition_for_some_topics(browser, edition):
    title = edition.candidates[0].facts.title
    shown = preview(browser, "study of things")
    page = page_of(shown)
    assert title in page.text_content()
    assert "study of things" in page.xpath("//li//b/text()")
    assert page.xpath("//li//h3/a/@href")[0].startswith("/paper/")
    assert page.xpath("//input[@name='address']/@value") == ["me@x.org"]
    assert page.get_element_by_id("topics").value == "study of things"


def test_a_preview_of_nothing_says_so(browser, edition):
    assert "No paper of that day matched" in preview(browser, "astrology").text
    assert "Trending" in preview(browser, "").text


def test_a_preview_without_an_edition_says_so(browser):
    assert "no edition to show yet" in preview(browser, "robots").text


def test_a_preview_of_what_is_no_topic_says_why(browser, edition):
    answer = preview(browser, "!!")
    assert answer.status_code == 422
    assert "at least one word" in answer.text


def test_what_is_not_there_is_a_page_all_the_same(browser, edition):
    for path in (
        "/no/such/page",
        "/unsubscribe",
        "/unsubscribe/",
        "/preferences/a/b",
        # What the framework would show of its own.
        "/docs",
        "/redoc",
        "/openapi.json",
    ):
        answer = browser.get(path)
        assert answer.status_code == 404, path
        assert_safe(answer)
        page_of(answer)


def test_the_style_sheet_loads_nothing_else(browser):
    answer = browser.get("/style.css")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert_safe(answer)
    assert "@import" not in answer.text
    assert "url(" not in answer.text


def test_robots_may_read_the_archive_and_no_links_of_people(browser):
    answer = browser.get("/robots.txt")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert_safe(answer)
    rules = RobotFileParser()
    rules.parse(answer.text.splitlines())
    for path in (
        "/",
        "/archive",
        f"/{TODAY}",
        "/paper/arxiv:2602.00001",
        "/style.css",
        "/subscribe",
    ):
        assert rules.can_fetch("a robot", path), path
    tokens = [path_of(purpose, UNKNOWN) for purpose in Purpose]
    for path in (*tokens, "/search?q=x", "/feed.atom", "/api/v1/export"):
        assert not rules.can_fetch("a robot", path), path


def test_the_icon_is_a_picture_of_ours(browser):
    for path in ("/favicon.svg", "/favicon.ico"):
        answer = browser.get(path)
        assert answer.headers["content-type"] == "image/svg+xml"
        assert_safe(answer)
        assert lxml.etree.fromstring(answer.content).tag == "{http://www.w3.org/2000/svg}svg"


def test_a_client_that_goes_away_while_it_sends_is_no_error(ledger, registry):
    app = make_web(ledger, registry)
    sent = []

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    for path in ("/subscribe", "/webhooks/bounces/ses"):
        scope = {
            "type": "http", "method": "POST", "path": path, "query_string": b"", "root_path": "",
            "headers": [(b"content-type", FORM.encode()), (b"content-length", b"9")],
        }  # fmt: skip
        with capture_logs() as logs:
            asyncio.run(app(scope, receive, send))
        assert [entry["log_level"] for entry in logs] == ["debug"], path
    assert sent == []


def test_pages_with_tokens_are_not_for_search_engines(browser, ada):
    for purpose in LINKED:
        page = page_of(browser.get(path_of(purpose, ada.public_id)))
        assert page.xpath("//meta[@name='robots']/@content") == ["noindex"]


def test_pages_load_only_what_is_ours(browser, ada, edition):
    paths = [
        "/",
        "/subscribe",
        "/archive",
        f"/{TODAY}",
        *(path_of(purpose, ada.public_id) for purpose in LINKED),
    ]
    for path in paths:
        page = page_of(browser.get(path))
        loaded = page.xpath(
            "//link[not(@rel='alternate' or @rel='canonical')]/@href | //@src | //@srcset | //@background"
        )
        # The script is for the sign-up form: pages with a token do without.
        ours = ["/style.css", "/favicon.svg", "/page.js"]
        assert loaded == ours[: 3 if page.xpath("//@data-preview") else 2]
        assert not page.xpath("//style | //@style"), "the policy would stop it"


def test_a_crowd_is_asked_to_come_again_and_holds_up_nobody(ledger, registry, ada, edition):
    def crowded(*_: object) -> None:
        raise Crowded

    browser = Browser(make_web(ledger, registry, search=crowded, draft=crowded))
    for path in ("/search?q=ducks", "/feed.atom?topic=ducks"):
        answer = browser.get(path)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5"), path
        assert_safe(answer)
    unsubscribe = path_of(Purpose.UNSUBSCRIBE, ada.public_id)
    assert browser.post(unsubscribe, ONE_CLICK, FORM).status_code == 200


def test_what_is_public_leaves_threads_for_those_who_leave(ledger, registry, ada, edition):
    """All that is for everybody is asked for at once, more often than there are threads."""
    began, go_on = Semaphore(0), Event()

    def wait(*_: object) -> Found:
        began.release()
        go_on.wait(10)
        return Found([], 0)

    app = make_web(ledger, registry, search=wait)

    async def ask(http, method, path):
        return (await http.request(method, path)).status_code

    async def crowd():
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url=HOST) as http:
            asked = [ask(http, "GET", f"/search?q=ducks{number}") for number in range(60)]
            tasks = [asyncio.create_task(one) for one in asked]
            for _ in range(AT_ONCE):
                await asyncio.to_thread(began.acquire, timeout=10)
            left = await ask(http, "POST", path_of(Purpose.UNSUBSCRIBE, ada.public_id))
            assert not any(task.done() for task in tasks)
            go_on.set()
            return left, await asyncio.gather(*tasks)

    left, others = asyncio.run(crowd())
    assert left == 200
    assert set(others) == {200}
