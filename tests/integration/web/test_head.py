"""HEAD on every route that GET has: the same answer without its body, and nothing done."""

import pytest
from fastapi.routing import APIRoute
from starlette.routing import Mount

from digest.web.pages import web_app
from subscribers.tokens import Purpose
from tests.integration.browser import MOVED, Browser, path_of
from tests.integration.people import look
from tests.integration.site import SENDER, make_site
from tests.integration.web.test_pages import edition  # noqa: F401  a fixture
from tests.support import NOW, TODAY
from tests.unit.subscribers.test_proof_of_work import PROOF

API_TOKEN = "a token"
HEADERS = {"Authorization": f"Bearer {API_TOKEN}"}


@pytest.fixture
def app(ledger, registry, edition):  # noqa: F811
    site = make_site(
        ledger, registry, api_tokens=(API_TOKEN,), metrics_tokens=(API_TOKEN,), proof_of_work=PROOF
    )
    return web_app(site)


def paths_with_get(app):
    """The paths of all routes that take GET, those of the API included."""
    yield from (r.path for r in app.routes if isinstance(r, APIRoute) and "GET" in r.methods)
    [api] = [route for route in app.routes if isinstance(route, Mount)]
    yield f"{api.path}/openapi.json"
    for path, methods in api.app.openapi()["paths"].items():
        if "get" in methods:
            yield f"{api.path}{path}"


def test_head_is_get_without_its_body_and_does_nothing(app, registry, engine):
    browser = Browser(app)
    person = registry.ask("bob@example.org", (), source="test", now=NOW)
    ada = registry.add("ada@example.org", (), source="test", now=NOW)
    moving = registry.address_changes.ask(ada, "ada@example.net", NOW)
    ids = {Purpose.CONFIRM: person.public_id, Purpose.ADDRESS: moving.public_id}
    values = {
        "{day}": str(TODAY),
        "{name:period}": str(TODAY),
        "/author/{name:path}": "/author/Ada Lovelace",
        "/organisation/{name:path}": "/organisation/Analytical Engines",
        "{kind}/{name:path}": "author/Ada Lovelace",
        "{key:path}": "arxiv:2602.00001",
        "{end}": "bib",
        "{number}": "1",
        "{paper:path}": "arxiv:2602.00001",
        "{kind}": "author",
        "{name:path}": "Jane Doe",
        "{email}": ada.address,
        "/api/v1/topics": "/api/v1/topics?topic=robots",
    }
    before, asked = look(engine), []
    for template in paths_with_get(app):
        path = template
        for name, value in values.items():
            path = path.replace(name, value)
        if "{token}" in path:
            purpose = Purpose(path.split("/")[1])
            token = path_of(purpose, ids.get(purpose, ada.public_id)).split("/")[2]
            if purpose in {Purpose.CONFIRM, Purpose.UNDO, Purpose.ADDRESS}:
                token = SENDER.tokens.make_until(
                    purpose, ids.get(purpose, ada.public_id), NOW.replace(year=2027)
                )
            path = path.replace("{token}", token)
        get, head = (browser.ask(method, path, headers=HEADERS) for method in ("GET", "HEAD"))
        if not MOVED.fullmatch(path):
            is_nothing = template.startswith(("/digest/", "/feed/", "/picture/"))
            assert get.status_code == (404 if is_nothing else 200), path
        assert (head.status_code, head.headers) == (get.status_code, get.headers), path
        assert head.content == b""
        assert get.content or template == "/metrics" or get.is_redirect
        asked.append(template)
    assert len(asked) > 25
    assert "/healthz" in asked
    assert "/unsubscribe/{token}" in asked
    assert "/api/v1/subscribers" in asked
    assert look(engine) == before


def test_where_get_is_not_head_is_not_either(app):
    browser = Browser(app)
    for path in ("/preview",):
        answer = browser.ask("HEAD", path)
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert browser.ask("HEAD", "/nothing").status_code == 404
    assert browser.ask("PUT", "/archive").headers["allow"] == "GET, HEAD"
