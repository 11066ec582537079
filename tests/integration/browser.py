"""Asks the pages as a browser would; and what holds for every answer."""

import asyncio
from urllib.parse import urlsplit

import httpx
import lxml.html

from tests.integration.site import SENDER

HOST = "https://digest.example.org"
FORM = "application/x-www-form-urlencoded"
CLIENT = "203.0.113.7"
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class Browser:
    """Asks the application, and never follows a redirect."""

    def __init__(self, app):
        self._app = app

    def ask(self, method, path, *, client=CLIENT, **values):
        async def once():
            transport = httpx.ASGITransport(app=self._app, client=(client, 1234))
            async with httpx.AsyncClient(transport=transport, base_url=HOST) as http:
                return await http.request(method, path, **values)

        return asyncio.run(once())

    def get(self, path):
        return self.ask("GET", path)

    def post(self, path, content=b"", kind=FORM):
        return self.ask("POST", path, content=content, headers={"Content-Type": kind})


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
    assert not page.xpath("//script[not(@src) or text()] | //iframe | //object | //embed")
    assert not page.xpath("//@*[starts-with(name(), 'on')]")
    for address in page.xpath("//@src | //link/@href | //form/@action"):
        assert address.startswith("/")
        assert not address.startswith("//")
    for field in page.xpath("//textarea | //select | //input[not(@type='hidden')]"):
        assert page.xpath(f"//label[@for='{field.get('id')}']"), "a field without a label"
    return page


def assert_safe(answer, policy=POLICY):
    """What holds for every answer."""
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == policy
    assert "set-cookie" not in answer.headers
    assert "location" not in answer.headers
    assert not answer.is_redirect
