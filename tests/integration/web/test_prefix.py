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

    paths = [f"{prefix}/", f"{prefix}/archive/{TODAY}", f"{prefix}/api/v1/openapi.json"]
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
        if answer.status_code == 404:
            expected[404] -= 1
            assert expected[404] == 0, path
        if "text/html" in answer.headers["content-type"]:
            page = lxml.html.fromstring(answer.text)
            found = page.xpath("//@href | //@src | //@action | //@formaction | //@data-preview")
            paths += [link.partition("?")[0] for link in found if link.startswith("/")]
    assert f"{prefix}/style.css" in seen
    assert f"{prefix}/feed.atom" in seen
    assert f"{prefix}/link" in seen
    assert len(seen) > 15
    left = ask("POST", urlsplit(identity.link(Purpose.UNSUBSCRIBE, ada.public_id)).path)
    assert left.status_code == 200
    assert f'action="{prefix}/undo/' in left.text


def test_the_api_and_its_description_are_below_the_prefix(ledger, registry):
    _, browser = browser_at("/digest", ledger, registry)
    path = "/digest/api/v1"
    assert browser.get(f"{path}/openapi.json").json()["servers"] == [{"url": path}]
    token = {"Authorization": "Bearer a token"}
    assert browser.ask("GET", f"{path}/subscribers", headers=token).json()["subscribers"] == []


def test_a_name_that_begins_like_the_prefix_is_another(ledger, registry):
    _, browser = browser_at("/digest", ledger, registry)
    assert browser.get("/digests/archive").status_code == 404
