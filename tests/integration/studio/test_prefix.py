"""The studio behind a proxy, under a path: every link is below it, whatever the proxy does."""

import lxml.html
import pytest

from digest.app.app import App
from digest.app.studio import studio
from digest.model.papers import Harvest
from tests.integration.studio_client import Client
from tests.support import NOW, SENDING, TODAY, make_sighting

ROOT = "/digest/studio"
PASSWORD = "open sesame"
AS_THE_PROXY_SAYS = {"Host": "papers.example.org"}


@pytest.fixture
def app(tmp_path):
    """An installation with an edition and a delivery."""
    app = App({}, None, lambda: NOW, home=str(tmp_path), studio_password=PASSWORD, **SENDING)
    app.registry.add("ada@example.org", (), source="test", now=NOW)
    app.collector.keep(Harvest((make_sighting(1),)))
    edition = app.ledger.editions.freeze(TODAY, TODAY, NOW)
    app.planning.today(edition, NOW)
    yield app
    app.engine.dispose()


def logged_in(client):
    """Return the headers of somebody who has logged in; the cookie is for the path only."""
    form = {"name": "ada", "password": PASSWORD}
    answer = client.post(f"{ROOT}/login", data=form, headers=AS_THE_PROXY_SAYS)
    assert answer.headers["location"] == f"{ROOT}/"
    cookie, *attributes = answer.headers["set-cookie"].split("; ")
    assert f"Path={ROOT}" in attributes
    return {**AS_THE_PROXY_SAYS, "Cookie": cookie}


@pytest.mark.parametrize("strips", [True, False], ids=["stripping", "non-stripping"])
def test_no_link_is_dead_behind_either_proxy(app, strips):
    client = Client(studio(app, root=ROOT))
    headers = logged_in(client)

    def ask(link, method="GET"):
        assert link.startswith(f"{ROOT}/"), link
        path = link.removeprefix(ROOT) if strips else link
        return client.ask(method, path, headers=headers)

    def links_on(link):
        answer = ask(link)
        assert answer.status_code == 200, link
        if link.startswith(f"{ROOT}/picture") or "html" not in answer.headers["content-type"]:
            return []
        found = lxml.html.fromstring(answer.text).xpath("//@href | //@src | //@action")
        found = [link for link in found if not link.startswith(("#", "https://", "mailto:"))]
        # The pages of readers lead to each other, and are many: their links are only looked at.
        if link.startswith((f"{ROOT}/page?", f"{ROOT}/site/")):
            assert all(link.startswith(f"{ROOT}/site/") for link in found)
            return [link for link in found if link.endswith(".css")]
        return found

    only_posted = ("send", "logout", "subscribers/count")
    links, seen = links_on(f"{ROOT}/?tab=headers"), {f"{ROOT}/{place}" for place in only_posted}
    links.append(f"{ROOT}/")
    while links:
        link = links.pop()
        path = link.partition("?")[0].partition("#")[0]
        if path not in seen:
            seen.add(path)
            links += links_on(link)
    places = ("", "studio.css", "studio.js", "picture", "send", "message.eml", "editions", "runs")
    places += ("pages", "page", "site/style.css")
    places += ("subscribers", "subscribers/1", "subscribers/import", "subscribers/export.csv")
    assert {f"{ROOT}/{place}" for place in places} <= seen
    assert f"{ROOT}/editions/{TODAY}/subscribers/1" in seen
    assert ask(f"{ROOT}/send", "POST").status_code == 200


def test_a_page_of_an_error_leads_back_too(app):
    client = Client(studio(app, root=ROOT))
    answer = client.get("/nothing", headers=logged_in(client))
    assert answer.status_code == 404
    assert f'href="{ROOT}/"' in answer.text


def test_what_follows_the_templates_is_asked_for_beside_the_script(app):
    client = Client(studio(app, root=ROOT))
    script = client.get("/studio.js", headers=logged_in(client)).text
    assert 'new URL("changes", root)' in script
    assert '"/' not in script


def test_a_proxys_name_is_taken_only_with_a_password(tmp_path):
    app = App({}, None, home=str(tmp_path), **SENDING)
    answer = Client(studio(app, root=ROOT)).get("/", headers={"Host": "papers.example.org"})
    assert answer.status_code == 421
