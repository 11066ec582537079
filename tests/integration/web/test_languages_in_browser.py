"""A reader's whole life in Chromium, in each language: every page fits a phone and a desk, axe finds
nothing, and nothing is said in another language.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import urlsplit

import lxml.html
import pytest
import uvicorn

from digest.compose.environment import Templates
from digest.compose.language import codes
from digest.compose.pseudo import ACCENTED, MIRRORED, studio_language
from digest.web.pages import web_app
from subscribers.tokens import Purpose
from tests.acceptance.conftest import browser  # noqa: F401  a fixture
from tests.acceptance.looks import overflow, violations
from tests.integration.browser import HOST, path_of
from tests.integration.site import make_site
from tests.integration.web.test_pages import edition  # noqa: F401  a fixture
from tests.integration.web.test_pseudo_pages import known_words, seen_on
from tests.raw_message import read
from tests.support import TODAY
from tests.unit.compose.test_pseudo import words

PHONE, DESK = 360, 1200
PSEUDO = (ACCENTED, MIRRORED)
# The name of the site stands where lines begin, and an English title runs from left to right.
_OTHER_SIDE = """(rtl) => [
  ...[...document.querySelectorAll(".top .wordmark")]
    .filter((name) => name.getBoundingClientRect().left > innerWidth / 2 != rtl),
  ...[...document.querySelectorAll(".paper h3, .lead h3")]
    .filter((title) => getComputedStyle(title).direction != "ltr"),
].map((one) => one.textContent.trim())"""
OF_PAGES = ("landmark-one-main", "region")  # which an email has none of
PATIENCE = 10  # seconds


@contextmanager
def served(app) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            thread.join(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(PATIENCE)


class Life:
    """One reader, and the looks at every page on their way; ``faults`` are what was found there."""

    def __init__(self, page, address, site, language, widths):
        self.page, self.address, self.site, self.language = page, address, site, language
        self.widths = widths
        self.faults = []
        self._known = known_words(language) if language.code in PSEUDO else None
        catalogue = getattr(language.translations, "_catalog", {})
        self._english = {
            message
            for message, said in catalogue.items()
            if isinstance(message, str) and " " in message and message != said
        }

    def visit(self, path):
        self.page.goto(f"{self.address}{path.removeprefix(HOST)}")
        self.look(path)

    def press(self, selector, where):
        with self.page.expect_navigation():
            self.page.locator(selector).first.click()
        self.look(where)

    def look(self, where, not_asked=()):
        """Look at a page with all of it unfolded, at each width."""
        page, said = self.page, page_source(self.page)
        if said.get("lang") != self.language.code or said.get("dir") != self.language.direction:
            self.faults.append(f"{where}: {said.get('lang')} {said.get('dir')}")
        for width in self.widths:
            page.set_viewport_size({"width": width, "height": 800})
            page.evaluate(
                "document.querySelectorAll('details:not(.more)').forEach(d => d.open = true)"
            )
            if more := overflow(page):
                self.faults.append(f"{where}: {more} pixels too wide at {width}")
            for text in page.evaluate(_OTHER_SIDE, self.language.direction == "rtl"):
                self.faults.append(f"{where}: {text} is on the other side")
            self.faults += [
                f"{where}, {width}: {found}"
                for found in violations(page)
                if not found.startswith(not_asked)
            ]
        self.faults += [f"{where}: {word}" for word in self._foreign(page.content())]

    def _foreign(self, html):
        if self._known is not None:
            return words(seen_on(html)) - self._known
        texts = {" ".join(text.split()) for text in lxml.html.document_fromstring(html).itertext()}
        return texts & self._english

    def read_mail(self, html, where):
        self.page.goto("about:blank")  # a page's policy would refuse the email's own style
        self.page.set_content(html)
        self.look(where, OF_PAGES)


def page_source(page):
    return lxml.html.document_fromstring(page.content())


def live(life, mails, registry):
    """Sign up, confirm, choose, read, and leave."""
    for path in ("/", f"/{TODAY}", "/2026-02", "/archive", "/search?q=things", "/search?q=%22"):
        life.visit(path)
    for path in ("/paper/arxiv:2602.00001", "/feeds", "/privacy", "/nothing", "/subscribe"):
        life.visit(path)
    page = life.page
    page.locator("#address").fill("nobody@example.org")
    page.locator("#topics").fill('things "nothing')
    life.press("#sign-up > div button", "a wrong topic")
    page.locator("#topics").fill("study of things; nothing like it")
    life.press("#sign-up .actions button", "preview")
    life.press("#sign-up > div button", "check your inbox")
    for _ in range(PATIENCE * 20):  # it is sent once the page is there
        if mails:
            break
        page.wait_for_timeout(50)
    text, html = (part.text for part in read(mails[-1].content).parts)
    life.read_mail(html, "the email to confirm")
    confirm = next(word for word in text.split() if f"/{Purpose.CONFIRM}/" in word)
    life.visit(urlsplit(confirm).path)
    life.press("main form button", "welcome")
    [person] = registry.everybody()
    assert person.preferences.locale == life.language.code
    settings = path_of(Purpose.PREFERENCES, person.public_id)
    life.visit(settings)
    life.press(".save button", "saved")
    life.press("#pause button", "paused")
    page.locator("#exclusions").fill('nothing "things')
    life.press(".save button", "wrong preferences")
    life.visit(f"{settings}/delete")
    life.visit(f"{path_of(Purpose.FOLLOW, person.public_id)}/author/Ada%20Lovelace")
    life.press("main form button", "followed")
    digest = life.site.draft(TODAY, person.topics, person.preferences)
    mail = replace(digest, locale=person.preferences.locale)
    life.read_mail(life.site.sample_mail(mail), "the digest")
    life.visit(f"{path_of(Purpose.RATING, person.public_id)}/arxiv:2602.00001")
    life.press("main form button", "rated")
    life.visit(path_of(Purpose.UNSUBSCRIBE, person.public_id))
    life.press("main form button", "left")
    life.press("main form button", "undone")


def at_both_widths(code):
    return pytest.param(code, (PHONE, DESK), marks=pytest.mark.long, id=code)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)  # a page asks either alike
@pytest.mark.parametrize(
    ("code", "widths"),
    [
        pytest.param(MIRRORED, (PHONE,), id=MIRRORED),  # from right to left, and nobody's
        *map(at_both_widths, (ACCENTED, *codes())),
    ],
)
def test_a_whole_life_in_each_language(browser, ledger, registry, edition, code, widths):  # noqa: F811
    templates = Templates(language=studio_language(code)) if code in PSEUDO else Templates()
    mails = []
    site = make_site(ledger, registry, mails=mails, templates=templates)
    context = browser.new_context(extra_http_headers={"Accept-Language": code})
    with served(web_app(site)) as address:
        life = Life(context.new_page(), address, site, templates.languages.of_reader(code), widths)
        live(life, mails, registry)
    context.close()
    assert not life.faults, "\n".join(sorted(set(life.faults)))
