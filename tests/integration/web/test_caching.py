"""What may be kept of the pages, for how long, and how somebody learns that it has changed."""

from datetime import timedelta

import pytest

from digest.ledger.history import Collection
from digest.model.search import Found
from digest.web.caching import MAX_AGE, Versions
from digest.web.pages import web_app
from subscribers.tokens import Purpose
from tests.integration.browser import Browser, path_of
from tests.integration.site import make_site, make_web
from tests.integration.web.test_pages import edition  # noqa: F401  a fixture
from tests.support import NOW, TODAY

PUBLIC = [
    "/", "/subscribe", "/archive", f"/{TODAY}", "/feed.atom", "/feed.json", "/feed.json?topic=things",
    f"/{TODAY:%G-W%V}", f"/{TODAY:%Y-%m}", "/paper/arxiv:2602.00001", "/paper/arxiv:2602.00001/cite.bib",
    "/author/Ada%20Lovelace", "/organisation/Analytical%20Engines", "/sitemap.xml", "/sitemap-days.xml", "/sitemap-1.xml",
    "/search", "/search?q=things", "/feeds", "/style.css", "/page.js", "/favicon.svg", "/robots.txt",
]  # fmt: skip
PAGES = PUBLIC[:19]


@pytest.fixture
def browser(ledger, registry, edition):  # noqa: F811
    return Browser(make_web(ledger, registry))


def again(browser, path, **headers):
    return browser.ask("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})


@pytest.mark.parametrize("path", PUBLIC)
def test_what_is_public_may_be_kept_and_is_not_sent_twice(browser, path):
    first = browser.get(path)
    assert first.status_code == 200
    assert first.headers["cache-control"] == f"public, max-age={MAX_AGE}"
    assert first.headers["last-modified"] == "Fri, 20 Feb 2026 08:00:00 GMT"
    tag = first.headers["etag"]
    for asked in (
        {"If_None_Match": tag},
        {"If_None_Match": f'"other", {tag}'},
        {"If_None_Match": tag.removeprefix("W/")},
        {"If_None_Match": "*"},
        {"If_None_Match": tag, "If_Modified_Since": "Fri, 20 Feb 2015 08:00:00 GMT"},
        {"If_Modified_Since": first.headers["last-modified"]},
    ):
        unchanged = again(browser, path, **asked)
        assert (unchanged.status_code, unchanged.content) == (304, b""), asked
        for name in ("cache-control", "etag", "last-modified"):
            assert unchanged.headers[name] == first.headers[name]
        assert "content-type" not in unchanged.headers
    for asked in (
        {"If_None_Match": '"other"'},
        # A tag counts, and not a date as well (RFC 9110 section 13.2.2).
        {"If_None_Match": '"other"', "If_Modified_Since": first.headers["last-modified"]},
        {"If_Modified_Since": "Fri, 20 Feb 2026 07:59:59 GMT"},
        {"If_Modified_Since": "Fri, 99 Feb 2026 07:59:59 GMT"},
        {"If_Modified_Since": "yesterday"},
        {"If_Modified_Since": "Fri, 20 Feb 2026 08:00:00"},
    ):
        assert again(browser, path, **asked).content == first.content, asked


def test_who_asks_again_costs_no_ranking(ledger, registry, edition):  # noqa: F811
    asked = []

    def search(query, *_):
        asked.append(query.topic.text)
        return Found([], 0)

    browser = Browser(make_web(ledger, registry, search=search))
    tag = browser.get("/search?q=ducks").headers["etag"]
    assert again(browser, "/search?q=ducks", If_None_Match=tag).status_code == 304
    assert again(browser, "/search?q=geese", If_None_Match=tag).status_code == 200
    assert asked == ["ducks", "geese"]


@pytest.mark.parametrize("path", PAGES)
def test_a_collection_and_an_edition_change_what_is_kept(ledger, registry, edition, path):  # noqa: F811
    now = [NOW]
    browser = Browser(make_web(ledger, registry, clock=lambda: now[0]))
    first = browser.get(path)
    for change in (
        lambda: ledger.history.record_collection(Collection(TODAY, NOW, "huggingface")),
        lambda: ledger.editions.freeze(TODAY + timedelta(days=1), TODAY, NOW),
    ):
        change()
        now[0] += timedelta(minutes=1)
        changed = again(browser, path, If_None_Match=first.headers["etag"])
        assert changed.status_code == 200
        assert changed.headers["last-modified"] != first.headers["last-modified"]
        old = again(browser, path, If_Modified_Since=first.headers["last-modified"])
        assert old.status_code == 200
        first = changed


def test_another_template_another_program_another_tag(ledger, registry):
    stamp = ["before"]
    tags = set()
    for started in (NOW, NOW, NOW + timedelta(days=1)):
        versions = Versions(lambda: stamp[0], lambda started=started: started)
        site = make_site(ledger, registry, file_versions=versions)
        tags.add(Browser(web_app(site)).get("/style.css").headers["etag"])
        stamp[0] = "after"
    assert len(tags) == 3


def test_what_is_refused_or_for_one_person_is_not_kept(browser, registry):
    ada = registry.add("ada@example.org", (), source="test", now=NOW)
    personal = [path_of(purpose, ada.public_id) for purpose in Purpose]
    refused = ["/2026-02-21", "/2026-02-30", "/search?q=!!", "/feed.atom?topic=!!"]
    for path in (*personal, *refused, "/healthz", "/readyz", "/nothing"):
        for method in ("GET", "HEAD", "POST"):
            answer = browser.ask(method, path, headers={"If-None-Match": "*"})
            assert answer.status_code != 304
            assert answer.headers["cache-control"] == "no-store", (method, path)
            assert "etag" not in answer.headers
