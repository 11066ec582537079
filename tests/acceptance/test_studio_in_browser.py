"""An operator edits templates and watches the mails follow. Needs Chromium; skipped without."""

import email
import email.policy
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from digest.compose.environment import built_in_templates
from tests.acceptance.conftest import Person, Start, operator_in
from tests.acceptance.looks import look_through, low_contrast, overflow, violations
from tests.integration.smtp_server import Received, SmtpServer, nobody_listens

AT_ONCE = 15_000  # milliseconds, on a machine that has much else to do
CARD = "mail/partials/card.mjml.j2"
WAYS = "mail/partials/ways.mjml.j2"
MORE = "More like this"


@dataclass(frozen=True)
class Studio:
    """A studio over an own folder and a mail server, for all tests: to start takes seconds."""

    url: str
    own: Path
    server: SmtpServer


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, start_for_all: Start) -> Iterator[Studio]:
    operator = operator_in(tmp_path_factory.mktemp("operator"))
    own = operator.folder / "templates"
    shutil.copytree(built_in_templates(), own)
    with nobody_listens() as port:
        pass
    with SmtpServer() as server:
        operator.settings["DIGEST_TRANSPORT"] = server.url()
        words = ["studio", "--port", str(port), "--templates", str(own)]
        start_for_all(operator, *words, sign="The studio is at")
        yield Studio(f"http://127.0.0.1:{port}/", own, server)


@pytest.fixture
def own(studio: Studio) -> Iterator[Path]:
    """The folder of templates, to be changed: in the end they are as they were."""
    before = {each: each.read_bytes() for each in studio.own.rglob("*.j2")}
    yield studio.own
    for file, content in before.items():
        if file.read_bytes() != content:
            file.write_bytes(content)


@pytest.fixture
def received(studio: Studio) -> list[Received]:
    """What the mail server gets."""
    studio.server.received.clear()
    return studio.server.received


@pytest.fixture
def address(studio: Studio) -> str:
    return studio.url


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The studio, opened; in the end, nothing was asked of anybody else."""
    page = browser.new_page(viewport={"width": 1200, "height": 800})
    asked: list[str] = []
    wrong: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(address)
    expect(page.get_by_text("● live")).to_be_visible()
    yield page
    page.close()
    assert [url for url in asked if not url.startswith(address)] == []
    assert wrong == []


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def scrolled(page: Page) -> int:
    return page.evaluate("document.querySelector('iframe').contentWindow.scrollY")


def test_the_pictures_follow_the_templates(page: Page, own: Path) -> None:
    phone = page.frame_locator("iframe").first
    expect(phone.get_by_text(MORE).first).to_be_visible()
    page.evaluate("document.querySelector('iframe').contentWindow.scrollTo(0, 300)")

    edit(own / WAYS, MORE, "Rather more of it")
    expect(phone.get_by_text("Rather more of it").first).to_be_visible(timeout=AT_ONCE)
    expect(page.locator("iframe")).to_have_count(2)
    assert scrolled(page) == 300

    edit(own / CARD, '"leads" colspan="3">', '"leads" colspan="3">{{ card.nonsense }}')
    problem = page.locator(".problem")
    expect(problem).to_be_visible(timeout=AT_ONCE)
    number = 1 + (own / CARD).read_text()[: (own / CARD).read_text().index("{{ card.nons")].count(
        "\n"
    )
    expect(problem.get_by_role("heading")).to_have_text(f"{CARD}, line {number}")
    expect(problem.locator(".marked")).to_contain_text("{{ card.nonsense }}")
    expect(page.get_by_text("Last good picture")).to_be_visible()
    expect(page.locator(".stale")).to_be_visible()
    expect(phone.get_by_text("Rather more of it").first).to_be_visible()
    assert scrolled(page) == 300
    assert violations(page) == []

    edit(own / CARD, "{{ card.nonsense }}", "")
    expect(problem).to_have_count(0, timeout=AT_ONCE)
    expect(page.locator(".stale")).to_have_count(0)
    assert scrolled(page) == 300


def test_the_mail_that_is_shown_is_sent(page: Page, received: list[Received]) -> None:
    page.get_by_label("Email", exact=True).select_option("welcome")
    expect(page.frame_locator("iframe").first.get_by_role("heading").first).to_be_visible()
    page.get_by_text("Send this to me", exact=True).click()
    page.get_by_label("Your address").fill("ada@example.org")
    page.get_by_label("Your address").press("Enter")
    expect(page.locator("#told")).to_have_text("accepted: 2.0.0 OK")
    assert violations(page) == []
    (arrived,) = received
    assert arrived.rcpt_to == ("ada@example.org",)
    mail = email.message_from_bytes(arrived.content, policy=email.policy.default)
    assert mail["Subject"].startswith("[test] ")


def test_everything_is_a_key_away(page: Page) -> None:
    for key, part in (
        ("4", "view=all"),
        ("1", "view=phone"),
        ("d", "scheme=dark"),
        ("i", "images=off"),
        ("g", "tab=changes"),
        ("c", "tab=checks"),
        ("m", "tab=mail"),
        ("d", "scheme=light"),
    ):
        page.keyboard.press(key)
        page.wait_for_url(f"**{part}**", wait_until="commit")
    page.go_back()
    page.wait_for_url("**scheme=dark**", wait_until="commit")
    before = page.get_by_label("Email", exact=True).input_value()
    page.keyboard.press("n")
    expect(page.get_by_label("Email", exact=True)).not_to_have_value(before)
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keyboard")).to_be_visible()
    assert violations(page) == []
    page.get_by_label("Use these keys").uncheck()
    page.keyboard.press("Tab")
    url = page.url
    page.keyboard.press("1")
    assert page.url == url


@pytest.mark.long
def test_every_tab_can_be_read_by_everybody(browser: Browser, address: str, own: Path) -> None:
    edit(own / WAYS, MORE, "Rather more of it")
    edit(own / CARD, "<h3", '<img src="http://example.org/x.png"><h3')  # something to be found
    page = browser.new_page()
    for tab in ("mail", "html", "text", "headers", "mjml", "checks", "changes"):
        page.goto(f"{address}?sample=hostile&images=off&view=all&tab={tab}")
        for width, scheme in ((1200, "light"), (1200, "dark"), (360, "dark")):
            look_through(page, width, scheme)
            found = (violations(page), low_contrast(page), overflow(page))
            assert (tab, width, scheme, *found) == (tab, width, scheme, [], [], 0)
            if width > 1000:  # the bar stays where it is: only what is below it scrolls
                scrolls = "document.documentElement.scrollHeight - innerHeight"
                assert page.evaluate(scrolls) <= 0
    page.close()


def test_pages_are_shown_in_any_language_and_send_nothing(browser: Browser, address: str) -> None:
    page = browser.new_page()
    phone = page.frame_locator("iframe").first
    heading = phone.locator("h1")
    for width in (360, 1200):
        look_through(page, width, "light")
        page.goto(f"{address}pages?page=left&language=ar")
        expect(phone.locator("html[dir=rtl]")).to_have_count(1)
        assert overflow(page) == 0
        assert violations(page) == []
    page.locator("#language").select_option("de")
    page.locator("#page").select_option("sign up")
    expect(heading).to_have_text("Die Arbeiten des Tages per E-Mail")
    phone.locator("#address").fill("ada@example.org")
    phone.locator("#sign-up > div button").first.click()
    phone.get_by_role("link", name="Archiv").first.click()  # links lead on
    expect(heading).to_have_text("Archiv")
    page.close()


def test_it_works_without_scripts(browser: Browser, address: str, received: list[Received]) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    page.get_by_label("Email", exact=True).select_option("goodbye")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name="Dark").click()
    page.get_by_role("link", name="Plain text").click()
    expect(page.locator("pre")).to_contain_text("PAPER DIGEST")
    page.get_by_text("Send this to me", exact=True).click()
    page.get_by_label("Your address").fill("ada@example.org")
    page.get_by_role("button", name="Send a test").click()
    expect(page.locator("#told")).to_have_text("accepted: 2.0.0 OK")
    assert len(received) == 1
    context.close()


def test_it_ends_though_somebody_watches(browser: Browser, operator: Person, start: Start) -> None:
    with nobody_listens() as port:
        pass
    process = start(operator, "studio", "--port", str(port), sign="The studio is at")
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{port}/")
    expect(page.get_by_text("● live")).to_be_visible()
    began = time.monotonic()
    process.terminate()
    process.wait(30)
    assert time.monotonic() - began < 15
    expect(page.get_by_text("○ not connected")).to_be_visible()
    page.close()


def test_other_machines_need_a_password(operator: Person) -> None:
    said = operator.fails("studio", "--host", "0.0.0.0")
    assert "DIGEST_STUDIO_PASSWORD" in said
