"""A reader joins, chooses, reads and leaves, in a browser: with scripts, without, by keyboard."""

import email
import email.policy
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from digest.collect.sample_edition import SAMPLE_EDITION
from digest.ledger.database import open_database
from subscribers.model import Subscriber
from subscribers.store.registry import Registry
from subscribers.tokens import Purpose, Tokens
from tests.acceptance.conftest import Person, Start, operator_in
from tests.acceptance.looks import look_through, low_contrast, overflow, too_small, violations
from tests.integration.smtp_server import nobody_listens

PATIENCE = 100  # looks into the mailbox, a tenth of a second apart
TODAY = datetime.now(UTC).date().isoformat()


@dataclass(frozen=True)
class Served:
    """Somebody whose pages are served, over an edition of today; ``saved`` is that as a database.

    It is for all tests: to make and to start it takes seconds.
    """

    operator: Person
    saved: Path

    @property
    def database(self) -> Path:
        return self.operator.folder / "var" / "digest.sqlite3"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, start_for_all: Start) -> Served:
    operator = operator_in(tmp_path_factory.mktemp("operator"))
    served = Served(operator, operator.folder / "saved.sqlite3")
    with nobody_listens() as port:
        pass
    operator.settings["DIGEST_BASE_URL"] = f"http://127.0.0.1:{port}"
    operator.settings["DIGEST_HUGGINGFACE_URL"] = "http://127.0.0.1:9"
    operator.digest("collect", "--file", str(SAMPLE_EDITION), "--date", TODAY)
    operator.digest("run", "--once")
    copy_database(served.database, served.saved)
    start_for_all(operator, "serve", "--port", str(port), sign="The pages are at")
    return served


@pytest.fixture
def operator(served: Served) -> Person:
    """Nobody reads yet, and no mail was sent."""
    copy_database(served.saved, served.database)
    for mail in served.operator.mailbox():
        mail.unlink()
    return served.operator


@pytest.fixture
def site(operator: Person) -> str:
    """The address of the pages."""
    return operator.settings["DIGEST_BASE_URL"]


WITH_SCRIPTS = pytest.param((True, 1200, "light"), id="scripts", marks=pytest.mark.long)
WITHOUT = pytest.param((False, 360, "dark"), id="none")


@pytest.fixture(params=[WITH_SCRIPTS, WITHOUT])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    scripts, width, scheme = request.param
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme=scheme,
        java_script_enabled=scripts,
        timezone_id="Asia/Tokyo",
    )
    yield context.new_page()
    context.close()


def test_a_reader_joins_chooses_reads_and_leaves(page: Page, operator: Person, site: str) -> None:
    page.goto(site)
    looks_good(page)
    page.get_by_label("Your email address").fill("ada@example.org")
    page.get_by_label("Your own topics").fill("video generation; nothing like it")
    page.get_by_label("reinforcement learning").check()
    page.get_by_text("When, how much").click()
    page.get_by_label("Monday to Friday").check()
    page.get_by_label("Time of day").fill("06:30")
    page.get_by_label("Time zone").select_option("Europe/Oslo")
    page.get_by_label("On my topics, at most").select_option("5")
    page.get_by_label("Email me even when there is nothing for me").check()
    page.get_by_role("button", name="Show me what I would have got").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What you would have got")
    looks_good(page)
    page.get_by_role("button", name="Subscribe").first.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your inbox")
    looks_good(page)

    page.goto(link_in(mail_to(operator, page, "ada@example.org"), "confirm"))
    looks_good(page)
    assert shown(operator)["consent"] == "pending"
    page.get_by_role("button", name="Yes, subscribe me").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You’re subscribed")
    looks_good(page)
    ada = shown(operator)
    assert ada["topics"] == ["reinforcement learning", "video generation", "nothing like it"]
    asked = ("consent", "cadence", "at", "timezone", "max_papers", "note_when_nothing")
    assert {name: ada[name] for name in asked} == {
        "consent": "confirmed",
        "cadence": "weekdays",
        "at": "06:30",
        "timezone": "Europe/Oslo",
        "max_papers": 5,
        "note_when_nothing": True,
    }

    page.get_by_role("link", name="See your settings").click()
    expect(page.get_by_label("Email me even when there is nothing for me")).to_be_checked()
    for dropped in ("nothing like it", "reinforcement learning"):
        page.get_by_label(dropped).uncheck()
    unfold(page, "Never show")
    page.get_by_label("Papers that mention").fill("medical")
    unfold(page, "When, and in")
    page.get_by_label("On days I choose").check()
    for day in ("Tuesday", "Wednesday"):
        page.get_by_label(day).uncheck()
    page.get_by_label("Saturday").check()
    page.get_by_label("Sunday").check()
    save(page)
    assert "Saved" in page.get_by_role("status").inner_text()
    looks_good(page)
    ada = shown(operator)
    assert (ada["topics"], ada["exclusions"]) == (["video generation"], ["medical"])
    assert ada["cadence"] == "mon+thu+fri+sat+sun"

    unfold(page, "When, and in")
    page.get_by_label("On days I choose").check()
    page.get_by_label("Every day").check()
    save(page)
    operator.digest("run", "--once")
    digest = digest_to(operator, "ada@example.org")
    page.goto(link_in(digest, "digest"))
    expect(page.get_by_role("link", name="Not for me").first).to_be_visible()
    assert overflow(page) == 0
    page.get_by_role("link", name="Not for me").first.click()
    looks_good(page)
    page.get_by_role("button", name="Not for me").click()
    assert "Saved: not for me." in page.get_by_role("status").inner_text()
    looks_good(page)
    assert [each["verdict"] for each in shown(operator)["opinions"]] == ["mute"]

    page.goto(link_in(digest, "preferences"))
    page.get_by_role("link", name="change address").click()  # which unfolds it
    page.get_by_label("New address").fill("ada@example.net")
    page.get_by_role("button", name="Change address").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your new inbox")
    looks_good(page)
    page.goto(link_in(mail_to(operator, page, "ada@example.net"), "address"))
    looks_good(page)
    page.get_by_role("button", name="Yes, use").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your address has changed")
    looks_good(page)
    assert shown(operator, "ada@example.net")["consent"] == "confirmed"

    page.goto(link_in(digest, "unsubscribe"))
    looks_good(page)
    page.get_by_role("button", name="Unsubscribe").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You’re unsubscribed")
    looks_good(page)
    assert shown(operator, "ada@example.net")["consent"] == "withdrawn"
    page.get_by_role("button", name="Resubscribe").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You’re subscribed")
    assert shown(operator, "ada@example.net")["consent"] == "confirmed"


@pytest.mark.long
def test_the_whole_life_of_a_reader_on_a_phone(
    browser: Browser, operator: Person, site: str
) -> None:
    """Each page on the way fits a phone, can be pressed by a thumb, and axe finds nothing."""
    context = browser.new_context(
        viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True, locale="en-GB"
    )
    page = context.new_page()
    page.goto(f"{site}/?topic=video+generation&topic=%3Cb%3E&topic=!!")
    fits_a_phone(page, "The day’s research papers on your topics, in one short email")
    assert chip(page, "video generation").is_checked()
    assert chip(page, "<b>").is_checked(), "a topic like any other"
    chip(page, "<b>").uncheck()
    chip(page, "agents").check()
    page.get_by_label("Your email address").fill("ada@example.org")
    page.get_by_role("button", name="Subscribe").first.tap()
    fits_a_phone(page, "Check your inbox")
    page.goto(link_in(mail_to(operator, page, "ada@example.org"), "confirm"))
    fits_a_phone(page, "Confirm your subscription")
    page.get_by_role("button", name="Yes, subscribe me").tap()
    fits_a_phone(page, "You’re subscribed")

    page.get_by_role("link", name="See your settings").tap()
    fits_a_phone(page, "Your digest")
    page.get_by_label("Add a topic").fill("world models")
    page.get_by_role("button", name="Try it").tap()
    expect(page.get_by_text("Not saved yet")).to_be_visible()
    fits_a_phone(page, "Your digest")
    assert "world models" not in shown(operator)["topics"]
    assert chip(page, "world models").is_checked()
    report = page.locator(".reports > li").last
    assert "world models" in report.inner_text()
    assert "papers of the last 30 days match" in report.inner_text()
    save(page)
    expect(page.get_by_text("Saved. Your next digest arrives")).to_be_visible()
    assert set(shown(operator)["topics"]) == {"video generation", "agents", "world models"}

    operator.digest("run", "--once")
    digest = digest_to(operator, "ada@example.org")
    page.goto(f"{link_in(digest, 'opinion')}?verdict=like")
    fits_a_phone(page)
    title = page.get_by_role("heading", level=1).inner_text()
    assert shown(operator)["opinions"] == []
    page.get_by_role("button", name="More like this").tap()
    expect(page.get_by_text("Saved: more like this.")).to_be_visible()
    fits_a_phone(page, title)
    [opinion] = shown(operator)["opinions"]
    assert opinion["verdict"] == "like"
    page.get_by_role("button", name="Undo").tap()
    expect(page.get_by_text("Your rating was removed.")).to_be_visible()
    assert shown(operator)["opinions"] == []
    page.get_by_role("button", name="Not for me").tap()
    expect(page.get_by_text("Saved: not for me.")).to_be_visible()

    page.get_by_role("link", name="All that you told us").tap()
    page.get_by_role("button", name=f"Undo: {title}").tap()
    expect(page.get_by_text(f"Removed: {title}")).to_be_visible()
    fits_a_phone(page, "Your digest")
    page.get_by_role("button", name="Undo", exact=True).tap()
    expect(page.get_by_role("button", name=f"Undo: {title}")).to_be_visible()
    assert [opinion["verdict"] for opinion in shown(operator)["opinions"]] == ["mute"]

    page.get_by_role("button", name="Pause 1 week").tap()
    expect(page.get_by_text("Saved. Paused until")).to_be_visible()
    fits_a_phone(page, "Your digest")
    assert shown(operator)["paused_until"]
    page.get_by_role("button", name="Resume now").tap()
    expect(page.get_by_text("Saved. Your next digest arrives")).to_be_visible()
    assert shown(operator)["paused_until"] is None

    page.get_by_role("link", name="Unsubscribe").tap()
    fits_a_phone(page, "Unsubscribe?")
    page.get_by_role("button", name="Unsubscribe").tap()
    fits_a_phone(page, "You’re unsubscribed")
    assert shown(operator)["consent"] == "withdrawn"
    page.get_by_role("button", name="Resubscribe").tap()
    fits_a_phone(page, "You’re subscribed")
    assert shown(operator)["consent"] == "confirmed"
    context.close()


def test_a_script_guesses_the_zone_and_shows_the_preview(browser: Browser, site: str) -> None:
    context = browser.new_context(timezone_id="Asia/Tokyo")
    page = context.new_page()
    page.goto(site)
    assert page.locator("#timezone").input_value() == "Asia/Tokyo"
    assert page.get_by_role("heading", name="Today’s papers").is_visible()
    page.get_by_label("Your own topics").press_sequentially("video generation")
    expect(page.get_by_role("heading", name="Your email of")).to_be_visible()
    page.get_by_label("Your own topics").fill("zymurgy")
    expect(page.get_by_role("heading", name="Nothing on")).to_be_visible()
    assert page.url == f"{site}/"
    context.close()


def test_the_keyboard_is_enough(browser: Browser, operator: Person, site: str) -> None:
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    page = context.new_page()
    page.goto(site)
    tab_to(page, "address")
    page.keyboard.type("ada@example.org")
    tab_to(page, "topic-0")
    page.keyboard.press("Space")
    assert page.locator("#topic-0").is_checked()
    tab_to(page, "topics")
    page.keyboard.type("robots")
    tab_to(page, "cadence-daily", opening="summary")
    page.keyboard.press("ArrowDown")
    assert page.locator("#cadence-weekdays").is_checked()
    tab_to(page, "BUTTON")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your inbox")
    assert shown(operator)["cadence"] == "weekdays"
    mail_to(operator, page, "ada@example.org")  # or else the next test would find it
    context.close()


@pytest.mark.long
def test_everybody_can_use_the_pages(browser: Browser, operator: Person, site: str) -> None:
    operator.digest("subscribers", "add", "ada@example.org", "--topic", "robots")
    ada, tokens = person(operator), Tokens([operator.settings["DIGEST_SECRET"]])
    page = browser.new_page()
    page.goto(f"{site}/preferences/{tokens.make(Purpose.PREFERENCES, ada.public_id)}")
    unfold(page, "Your private feed")
    page.get_by_role("button", name="Make a private feed").click()
    own = {purpose: tokens.make(purpose, ada.public_id) for purpose in Purpose}
    for path in (
        "/",
        "/subscribe",
        "/link",
        "/archive",
        f"/{TODAY}",
        f"/{TODAY}?code=yes&sort=newest",
        f"/{datetime.now(UTC):%G-W%V}",
        f"/{TODAY[:7]}",
        "/1999-01-01",
        "/paper/arxiv:2512.04677",
        "/author/Yubo%20Huang",
        "/organisation/Nex%20AGI",
        "/search",
        "/search?q=video",
        "/search?q=zymurgy",
        "/search?q=%22open",
        "/feeds",
        "/feeds?topic=video",
        "/privacy",
        f"/preferences/{own[Purpose.PREFERENCES]}",
        f"/preferences/{own[Purpose.PREFERENCES]}/delete",
        f"/unsubscribe/{own[Purpose.UNSUBSCRIBE]}",
        "/unsubscribe/broken",
        f"/opinion/{own[Purpose.RATING]}/arxiv:2512.04677?verdict=like",
    ):
        answer = page.goto(site + path)
        assert answer is not None
        assert answer.status < 500, path
        for folded in page.locator("summary").all():
            folded.click()
        for width, scheme in product((360, 1200), ("light", "dark")):
            look_through(page, width, scheme)
            found = (overflow(page), violations(page))
            assert (path, width, scheme, *found) == (path, width, scheme, 0, [])
    page.close()


def chip(page: Page, topic: str) -> Locator:
    return page.get_by_role("checkbox", name=topic, exact=True)


def unfold(page: Page, part: str) -> None:
    page.locator("summary", has_text=part).click()


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).last.click()


def copy_database(source: Path, target: Path) -> None:
    """Into a database that others may have open."""
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


def tab_to(page: Page, wanted: str, opening: str = "") -> None:
    """Press Tab until a field (by its id, or a button by its name) has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        focus = page.evaluate("[document.activeElement.id, document.activeElement.tagName]")
        if wanted in focus:
            return
        if opening and opening.upper() in focus:
            page.keyboard.press("Enter")
    raise AssertionError(f"{wanted} is never reached")


def fits_a_phone(page: Page, heading: str = "") -> None:
    if heading:
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    looks_good(page)
    assert violations(page) == []
    assert too_small(page, 36) == []


def looks_good(page: Page) -> None:
    assert overflow(page) == 0
    assert low_contrast(page) == []
    assert page.get_by_role("main").count() == 1
    for field in page.locator("input:not([type=hidden]), select, textarea").all():
        assert page.locator(f"label[for={field.get_attribute('id')}]").count() == 1


def shown(operator: Person, address: str = "ada@example.org") -> dict[str, object]:
    return json.loads(operator.digest("subscribers", "show", address, "--json"))


def person(operator: Person) -> Subscriber:
    registry = Registry(open_database(f"sqlite:///{operator.folder}/var/digest.sqlite3"))
    return registry.everybody()[0]


def mail_to(operator: Person, page: Page, address: str) -> Path:
    """The mail goes out after the page is answered: it may take a moment."""
    for _ in range(PATIENCE):
        for mail in operator.mailbox():
            if mail.name.startswith(address):
                return mail
        page.wait_for_timeout(100)
    raise AssertionError("no mail came")


def digest_to(operator: Person, address: str) -> Path:
    mails = [mail for mail in operator.mailbox() if mail.name.startswith(address)]
    [digest] = [mail for mail in mails if b"List-Unsubscribe:" in mail.read_bytes()]
    return digest


def link_in(mail: Path, purpose: str) -> str:
    message = email.message_from_bytes(mail.read_bytes(), policy=email.policy.default)
    return re.search(rf"http\S+/{purpose}/\S+", message.get_body(("plain",)).get_content())[0]
