"""Ask for pages as a browser would, and check every answer."""

import asyncio
import json
import re
from urllib.parse import urlsplit

import httpx
import lxml.html

from tests.integration.site import SENDER

HOST = "https://digest.example.org"
FORM = "application/x-www-form-urlencoded"
CLIENT = "203.0.113.7"
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# What is the same for everybody.
PUBLIC = re.compile(
    r"/|/archive|/search|/feeds|/subscribe|/sample|/[0-9]{4}-[0-9W-]+(/papers.bib)?"
    r"|/(paper|author|organisation)/.*"
    r"|/[a-z]+(-[a-z0-9]+)?\.[a-z]+"
)
LANGUAGE = re.compile(r"^/[a-z]{2}(-[A-Z][a-z]+)?/")
# They have the form to join, and no tokens in their addresses.
WITH_SIGN_UP = {"/", "/subscribe", "/preview"}
# What leads elsewhere, on the same site.
MOVED = re.compile(r"/today|/archive/.+")


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


def page_of(answer, language="en"):
    """Return a page, after the checks for all pages."""
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.text.lower().startswith("<!doctype html>")
    page = lxml.html.document_fromstring(answer.text)
    assert page.get("lang") == answer.headers["content-language"] == language
    assert page.findtext("head/title").strip()
    assert len(page.xpath("//h1")) == 1
    scripts = "//script[not(@type='application/ld+json')][not(@src) or text()]"
    assert not page.xpath(f"{scripts} | //iframe | //object | //embed")
    for data in page.xpath("//script[@type='application/ld+json']/text()"):
        assert json.loads(data)["@context"] == "https://schema.org"
    assert not page.xpath("//@*[starts-with(name(), 'on')]")
    for address in page.xpath(
        "//@src | //link[@rel!='canonical' and not(@hreflang)]/@href | //form/@action"
    ):
        assert address.startswith("/")
        assert not address.startswith("//")
    for field in page.xpath("//textarea | //select | //input[not(@type='hidden')]"):
        assert page.xpath(f"//label[@for='{field.get('id')}']"), "a field without a label"
    return page


def assert_safe(answer, policy=POLICY):
    """Check what must hold for every answer."""
    path = LANGUAGE.sub("/", answer.url.path)
    is_public = (
        answer.status_code in {200, 304}
        and answer.request.method in {"GET", "HEAD"}
        and PUBLIC.fullmatch(path)
    )
    kept = "public, max-age=300" if is_public else "no-store"
    assert answer.headers["cache-control"] == kept
    referrer = "same-origin" if path in WITH_SIGN_UP else "no-referrer"
    assert answer.headers["referrer-policy"] == referrer
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == policy
    assert "set-cookie" not in answer.headers
    if not MOVED.fullmatch(path):
        assert "location" not in answer.headers
        assert not answer.is_redirect
