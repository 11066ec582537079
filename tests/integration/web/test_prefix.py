"""A public address with a path: every link, form and feed is below it, whatever the proxy does."""

from dataclasses import replace
from urllib.parse import urlsplit

import lxml.html
import pytest

from digest.web.pages import web_app
from digest.web.site import page_renderer
from subscribers.tokens import Purpose
from subscribers.topics import parse_topics
from tests.integration.browser import Browser
from tests.integration.site import SENDER, TEMPLATES, make_site
from tests.integration.web.test_pages import edition  # noqa: F401  a fixture
from tests.support import NOW, TODAY

# In the navigation of every page, and made by others than these tests' site.
ELSEWHERE = {"/privacy"}
# What a person types into the forms, wherever it fits.
TYPED = {
    "address": "eve@example.org",
    "kind": "author",
    "name": "Jane Doe",
    "papers": "2602.00001",
    "until": "2026-03-01",
}
LINKED = (Purpose.PREFERENCES, Purpose.UNSUBSCRIBE)


def browser_at(prefix, ledger, registry):
    identity = replace(SENDER, base_url=f"https://example.org{prefix}")
    site = make_site(ledger, registry, render=page_renderer(TEMPLATES, identity))
    return identity, Browser(web_app(replace(site, identity=identity, api_tokens=("a token",))))


@pytest.mark.parametrize("strips", [True, False], ids=["stripping", "non-stripping"])
@pytest.mark.parametrize("prefix", ["/digest", "/papers/daily"])
@pytest.mark.usefixtures("edition")
def test_no_link_is_dead_behind_either_proxy(ledger, registry, prefix, strips):
    ada = registry.add("ada@example.org", parse_topics(["robots"]), source="test", now=NOW)
    identity, browser = browser_at(prefix, ledger, registry)

    def ask(method, path):
        assert path.startswith(f"{prefix}/"), path
        return browser.ask(method, path[len(prefix) :] if strips else path)

    paths = [f"{prefix}/", f"{prefix}/{TODAY}", f"{prefix}/api/v1/openapi.json"]
    paths.append(f"{prefix}/de/archive")
    purposes = (Purpose.UNSUBSCRIBE, Purpose.PREFERENCES)
    paths += [urlsplit(identity.link(purpose, ada.public_id)).path for purpose in purposes]
    paths.append(f"{prefix}/preferences/cut-off")  # the page of a bad link
    seen, expected = set(), {404: 1}
    while paths:
        path = paths.pop()
        if path in seen:
            continue
        seen.add(path)
        answer = ask("GET", path)
        if answer.status_code == 405:  # a form's target: it takes only POST
            continue
        if answer.status_code == 404 and path.removeprefix(prefix) not in ELSEWHERE:
            expected[404] -= 1
            assert expected[404] == 0, path
        if answer.is_redirect:
            paths.append(answer.headers["location"])
        elif "text/html" in answer.headers["content-type"]:
            page = lxml.html.fromstring(answer.text)
            # In one more language than English: all would take long.
            links = "//*[not(@hreflang)]/@href | //@src | //@action | //@formaction"
            found = page.xpath(f"{links} | //@data-preview")
            paths += [link.partition("?")[0] for link in found if link.startswith("/")]
    assert f"{prefix}/style.css" in seen
    assert f"{prefix}/feed.atom" in seen
    assert f"{prefix}/link" in seen
    assert len(seen) > 15
    left = ask("POST", urlsplit(identity.link(Purpose.UNSUBSCRIBE, ada.public_id)).path)
    assert left.status_code == 200
    assert f'action="{prefix}/undo/' in left.text


@pytest.mark.parametrize("strips", [True, False], ids=["stripping", "non-stripping"])
@pytest.mark.usefixtures("edition")
def test_forms_feeds_and_the_api_work_behind_either_proxy(ledger, registry, strips):
    ada = registry.add("ada@example.org", parse_topics(["robots"]), source="test", now=NOW)
    identity, browser = browser_at("/digest", ledger, registry)

    def ask(method, path, **values):
        address = path if path.startswith("https:") else f"https://example.org{path}"
        path = urlsplit(address)._replace(scheme="", netloc="").geturl()
        return browser.ask(method, path.removeprefix("/digest") if strips else path, **values)

    def forms(path):
        """The fields of each form of a page, by where its buttons send it."""
        for form in lxml.html.fromstring(ask("GET", path).text).xpath("//form[@method='post']"):
            for button in form.xpath(".//button"):
                target = button.get("formaction") or form.get("action") or path
                yield target, dict(form.form_values()) | TYPED

    own = [identity.link(purpose, ada.public_id) for purpose in LINKED]
    sent = {}
    for path in ("/digest/", "/digest/subscribe", "/digest/preferences/cut-off", *own):
        for target, fields in forms(path):
            sent[target] = ask("POST", target, data=fields).status_code
    assert set(sent.values()) <= {200, 429}, sent
    assert {"/digest/subscribe", "/digest/preview", "/digest/link"} < set(sent)
    entries = ask("GET", "/digest/feed.json?topic=things").json()["items"]
    assert entries
    for entry in entries:
        assert entry["url"].startswith("https://example.org/digest/paper/")
        first = ask("GET", entry["url"])
        headers = {"If-None-Match": first.headers["etag"]}
        assert ask("HEAD", entry["url"], headers=headers).status_code == 304
    token = {"Authorization": "Bearer a token"}
    added = {"email": "bob@example.org", "consent": "vouched"}
    made = ask("POST", "/digest/api/v1/subscribers", headers=token, json=added)
    assert made.status_code == 201


def test_the_api_and_its_description_are_below_the_prefix(ledger, registry):
    _, browser = browser_at("/digest", ledger, registry)
    path = "/digest/api/v1"
    assert browser.get(f"{path}/openapi.json").json()["servers"] == [{"url": path}]
    token = {"Authorization": "Bearer a token"}
    assert browser.ask("GET", f"{path}/subscribers", headers=token).json()["subscribers"] == []


def test_a_name_that_begins_like_the_prefix_is_another(ledger, registry):
    _, browser = browser_at("/digest", ledger, registry)
    assert browser.get("/digests/archive").status_code == 404
