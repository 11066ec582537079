"""The public pages, over both databases: what they show, and what alone changes anything."""

import asyncio
from urllib.parse import urlencode, urlsplit

import httpx
import lxml.html
import pytest
from sqlalchemy import select

from digest.collect.merge import keys_of, merge
from digest.compose.environment import Templates
from digest.compose.sender import sender_of
from digest.pipeline import Pipeline
from digest.web.pages import web_app
from subscribers.model import Consent
from subscribers.tables import consents, subscribers
from subscribers.tokens import Purpose, Tokens
from subscribers.topics import LONGEST_TOPIC, MOST_TOPICS, parse_topics
from tests.support import NOW, TODAY, make_settings, make_sighting

SENDER = sender_of(make_settings())
HOST = "https://digest.example.org"
FORM = "application/x-www-form-urlencoded"
ONE_CLICK = b"List-Unsubscribe=One-Click"
UNKNOWN = "f" * 32
# The links in every digest.
LINKED = (Purpose.UNSUBSCRIBE, Purpose.PREFERENCES)


class Browser:
    """Asks the application, and never follows a redirect."""

    def __init__(self, app):
        self._app = app

    def ask(self, method, path, **values):
        async def once():
            transport = httpx.ASGITransport(app=self._app)
            async with httpx.AsyncClient(transport=transport, base_url=HOST) as client:
                return await client.request(method, path, **values)

        return asyncio.run(once())

    def get(self, path):
        return self.ask("GET", path)

    def post(self, path, content=b"", kind=FORM):
        return self.ask("POST", path, content=content, headers={"Content-Type": kind})


@pytest.fixture
def browser(ledger, registry):
    draft = Pipeline(make_settings(), ledger, registry, list).draft
    return Browser(
        web_app(SENDER, Templates(), ledger.editions, registry, lambda: NOW, lambda _: None, draft)
    )


@pytest.fixture
def ada(registry):
    return registry.add("ada@example.org", parse_topics(["robots"]), source="test", now=NOW)


@pytest.fixture
def grace(registry):
    return registry.add("grace@example.org", parse_topics(["compilers"]), source="test", now=NOW)


@pytest.fixture
def rows(engine):
    """Reads everything that is stored about people."""

    def rows():
        with engine.connect() as connection:
            return [
                [tuple(row) for row in connection.execute(select(table).order_by(table.c.id))]
                for table in (subscribers, consents)
            ]

    return rows


@pytest.fixture
def edition(ledger):
    sightings = [
        make_sighting(1, upvotes=2, organisation="Analytical Engines"),
        make_sighting(2, upvotes=9, title="<script>alert(1)</script> & {{ 7*7 }}", page_url=""),
        make_sighting(3, upvotes=None, arxiv_id="", page_url="", title="A title and no more",
                      abstract="", authors=(), author_count=0),
    ]  # fmt: skip
    ledger.papers.absorb(*keys_of(sightings), lambda known: merge(known, sightings))
    return ledger.editions.freeze(TODAY, TODAY, NOW)


def path_of(purpose, public_id):
    return urlsplit(SENDER.link(purpose, public_id)).path


def page_of(answer):
    """A page, after the checks that hold for every one."""
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.text.lower().startswith("<!doctype html>")
    page = lxml.html.document_fromstring(answer.text)
    assert page.get("lang") == "en"
    assert page.findtext("head/title").strip()
    assert len(page.xpath("//h1")) == 1
    assert not page.xpath("//script | //iframe | //object | //embed")
    assert not page.xpath("//@*[starts-with(name(), 'on')]")
    for address in page.xpath("//@src | //link/@href | //form/@action"):
        assert address.startswith("/")
        assert not address.startswith("//")
    for field in page.xpath("//textarea | //input[not(@type='hidden')]"):
        assert page.xpath(f"//label[@for='{field.get('id')}']"), "a field without a label"
    return page


def assert_safe(answer):
    """What holds for every answer."""
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; form-action 'self';")
    assert "frame-ancestors 'none'" in policy
    assert "set-cookie" not in answer.headers
    assert "location" not in answer.headers


# ---- what changes something, and what does not -------------------------------------------------


# Tests that change nothing try all their cases in one database: making one is what takes time.
@pytest.mark.parametrize("purpose", LINKED)
def test_looking_changes_nothing(browser, ada, rows, purpose):
    before = rows()
    for method in ("GET", "GET", "HEAD", "HEAD"):
        answer = browser.ask(method, path_of(purpose, ada.public_id))
        assert answer.status_code == 200
        assert_safe(answer)
        assert rows() == before


@pytest.mark.parametrize("purpose", LINKED)
def test_other_methods_are_not_allowed(browser, ada, rows, purpose):
    before = rows()
    for method in ("OPTIONS", "PUT", "PATCH", "DELETE", "TRACE"):
        answer = browser.ask(method, path_of(purpose, ada.public_id), content=b"topics=changed")
        assert answer.status_code == 405, method
        assert_safe(answer)
        assert rows() == before, method


def multipart(name, value):
    body = f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n--b--\r\n'
    return body.encode(), "multipart/form-data; boundary=b"


POSTS = {
    "one click": (ONE_CLICK, FORM),
    "one click in parts": multipart("List-Unsubscribe", "One-Click"),
    "the button": (b"", FORM),
    "no body": (b"", "text/plain"),
}


@pytest.mark.parametrize(("body", "kind"), POSTS.values(), ids=POSTS)
def test_every_kind_of_post_unsubscribes(browser, ada, grace, rows, body, kind):
    before = rows()
    answer = browser.post(path_of(Purpose.UNSUBSCRIBE, ada.public_id), body, kind)
    assert answer.status_code == 200
    assert_safe(answer)
    assert "You are unsubscribed" in page_of(answer).text_content()
    people, evidence = rows()
    assert people == [_with_consent(before[0][0], "withdrawn"), before[0][1]]
    assert evidence[:-1] == before[1]
    assert evidence[-1][1:] == (ada.id, "withdrawn", NOW, "link in a mail")


def _with_consent(row, consent):
    names = [column.name for column in subscribers.columns]
    return tuple(consent if name == "consent" else value for name, value in zip(names, row, strict=True))  # fmt: skip


def test_unsubscribing_twice_is_doing_it_once(browser, ada, rows):
    path = path_of(Purpose.UNSUBSCRIBE, ada.public_id)
    first = browser.post(path, ONE_CLICK)
    after = rows()
    second = browser.post(path, ONE_CLICK)
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert rows() == after


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"topics=graph+neural+networks%0D%0Aants", FORM), multipart("topics", "graph neural networks\r\nants")],
    ids=["urlencoded", "multipart"],
)  # fmt: skip
def test_preferences_are_saved(browser, registry, ada, grace, rows, body, kind):
    before = rows()
    answer = browser.post(path_of(Purpose.PREFERENCES, ada.public_id), body, kind)
    assert answer.status_code == 200
    assert_safe(answer)
    assert "Saved" in page_of(answer).text_content()
    stored = registry.get(ada.id)
    assert [topic.text for topic in stored.topics] == ["graph neural networks", "ants"]
    assert stored.consent is Consent.CONFIRMED
    assert registry.get(grace.id) == grace
    assert rows()[1] == before[1]


def test_saving_twice_is_saving_once(browser, ada, rows):
    path = path_of(Purpose.PREFERENCES, ada.public_id)
    browser.post(path, b"topics=ants")
    after = rows()
    assert browser.post(path, b"topics=ants").status_code == 200
    assert rows() == after


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


# ---- links that are not valid ------------------------------------------------------------------


def bad_tokens(purpose, public_id):
    good = SENDER.tokens.make(purpose, public_id)
    other = next(each for each in LINKED if each is not purpose)
    flipped = "A" if good[5] != "A" else "B"
    return {
        "tampered": good[:5] + flipped + good[6:],
        "cut off": good[:-3],
        "another purpose's": SENDER.tokens.make(other, public_id),
        "another key's": Tokens(["somebody else's"]).make(purpose, public_id),
        "the id in clear": public_id,
        "a dot": "%2E",
        "not UTF-8": "%FF%FE",
        "NUL": "%00",
        "markup": "%3Cscript%3Ealert(1)%3C%2Fscript%3E".replace("%2F", "%5C"),
        "huge": "x" * 50_000,
    }


@pytest.mark.parametrize("purpose", LINKED)
def test_every_bad_link_gets_the_same_answer_and_changes_nothing(browser, ada, rows, purpose):
    before = rows()
    answers = [
        browser.ask(method, f"/{purpose}/{token}", content=body, headers={"Content-Type": FORM})
        for token in bad_tokens(purpose, ada.public_id).values()
        for method, body in (("GET", b""), ("POST", ONE_CLICK), ("POST", b"topics=ants"))
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert "This link is not valid" in page_of(answers[0]).text_content()
    for answer in answers:
        assert_safe(answer)
    assert rows() == before


@pytest.mark.parametrize("purpose", LINKED)
def test_another_subscribers_link_is_about_that_one_only(browser, ada, grace, rows, purpose):
    before = rows()
    body = ONE_CLICK if purpose is Purpose.UNSUBSCRIBE else b"topics=ants"
    answer = browser.post(path_of(purpose, grace.public_id), body)
    assert answer.status_code == 200
    assert "ada@" not in answer.text
    after = rows()
    assert after[0][0] == before[0][0]
    assert after[0][1] != before[0][1]
    assert [row for row in after[1] if row[1] == ada.id] == [
        row for row in before[1] if row[1] == ada.id
    ]


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
        assert "You are unsubscribed" in page_of(answer).text_content()
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
    registry.set_wishes(ada.public_id, parse_topics(["robots", "world models"]), ada.preferences)
    page = page_of(browser.get(path_of(Purpose.PREFERENCES, ada.public_id)))
    (field,) = page.xpath("//form[@method='post']//textarea[@name='topics']")
    assert field.text == "robots\nworld models"


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
    assert page.xpath("//textarea")[0].text.split() == typed.replace("\x00", "\ufffd").split()
    assert rows() == before


def test_a_form_that_is_too_long_is_refused_and_not_sent_back(browser, ada, rows):
    before = rows()
    path = path_of(Purpose.PREFERENCES, ada.public_id)
    answer = browser.ask("POST", path, data={"topics": "x" * 1_000_000})
    assert answer.status_code == 422
    assert "too long" in page_of(answer).xpath("//*[@role='alert']")[0].text_content()
    assert len(answer.content) < 10_000
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
        assert page.xpath("//textarea")[0].text == typed
        assert not page.xpath("//b | //script")


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
    assert "study of things in the title" in " ".join(page.text_content().split())
    assert page.xpath("//input[@name='address']/@value") == ["me@x.org"]
    assert page.xpath("//textarea[@name='topics']")[0].text == "study of things"


def test_a_preview_of_nothing_says_so(browser, edition):
    assert "no paper matched" in preview(browser, "astrology").text
    assert "Trending" in preview(browser, "").text


def test_a_preview_without_an_edition_says_so(browser):
    assert "no edition yet" in preview(browser, "robots").text


def test_a_preview_of_what_is_no_topic_says_why(browser, edition):
    answer = preview(browser, "!!")
    assert answer.status_code == 422
    assert "at least one word" in answer.text


def test_an_empty_archive_says_so(browser):
    answer = browser.get("/archive")
    assert answer.status_code == 200
    assert "none yet" in page_of(answer).text_content()


def test_the_archive_leads_to_the_edition(browser, edition):
    answer = browser.get("/archive")
    assert_safe(answer)
    page = page_of(answer)
    assert "3 papers" in page.text_content()
    (link,) = [each for each in page.xpath("//main//a/@href") if each.startswith("/archive/")]
    assert browser.get(link).status_code == 200


def test_an_edition_shows_its_papers_most_upvotes_first(browser, edition):
    answer = browser.get(f"/archive/{TODAY}")
    assert answer.status_code == 200
    assert_safe(answer)
    page = page_of(answer)
    assert "20 February 2026" in page.findtext("head/title")
    titles = [heading.text_content() for heading in page.xpath("//h2")]
    assert titles == [
        "<script>alert(1)</script> & {{ 7*7 }}",
        "A study of things, part 1",
        "A title and no more",
    ]
    assert "Analytical Engines" in page.text_content()
    assert all(
        link.startswith("https://huggingface.co/papers") for link in page.xpath("//h2/a/@href")
    )


def test_what_is_not_there_is_a_page_all_the_same(browser, edition):
    for path in (
        "/archive/2026-02-21",
        "/archive/2026-02-30",
        "/archive/not-a-date",
        "/archive/99999999",
        "/archive/%3Cscript%3E",
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


def test_pages_with_tokens_are_not_for_search_engines(browser, ada):
    for purpose in LINKED:
        page = page_of(browser.get(path_of(purpose, ada.public_id)))
        assert page.xpath("//meta[@name='robots']/@content") == ["noindex"]


def test_pages_load_only_the_style_sheet(browser, ada, edition):
    paths = [
        "/",
        "/archive",
        f"/archive/{TODAY}",
        *(path_of(each, ada.public_id) for each in LINKED),
    ]
    for path in paths:
        page = page_of(browser.get(path))
        assert page.xpath(
            "//link[not(@rel='alternate')]/@href | //@src | //@srcset | //@background"
        ) == ["/style.css"]
        assert not page.xpath("//style | //@style"), "the policy would stop it"
