"""A reader joins, chooses and leaves, in a browser, with scripts and without."""

import email
import email.policy
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from digest.ledger.database import open_database
from subscribers.registry import Registry
from subscribers.tokens import Purpose, Tokens
from tests.acceptance.conftest import Person
from tests.acceptance.looks import low_contrast, overflow
from tests.integration.smtp_server import nobody_listens

PATIENCE = 100  # looks into the mailbox, a tenth of a second apart


@pytest.fixture
def site(operator: Person, start: Callable[..., subprocess.Popen[str]]) -> str:
    with nobody_listens() as port:
        pass
    operator.settings["DIGEST_BASE_URL"] = f"http://127.0.0.1:{port}"
    start(operator, "serve", "--port", str(port), sign="The pages are at")
    return operator.settings["DIGEST_BASE_URL"]


@pytest.mark.parametrize(
    ("scripts", "width", "scheme"), [(True, 1200, "light"), (False, 360, "dark")]
)
def test_a_reader_joins_chooses_and_leaves(
    browser: Browser, operator: Person, site: str, scripts: bool, width: int, scheme: str
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme=scheme,
        java_script_enabled=scripts,
    )
    page = context.new_page()
    page.goto(site)
    looks_good(page)
    page.get_by_label("Your address").fill("ada@example.org")
    page.get_by_label("Topics, one a line").fill("robots\nagents")
    page.get_by_role("button", name="Subscribe").press("Enter")
    assert page.get_by_role("heading", level=1).inner_text() == "Check your inbox"
    looks_good(page)

    page.goto(link_in(first_mail(page, operator)))
    looks_good(page)
    assert "pending" in operator.digest("subscribers", "list")
    page.get_by_role("button", name="Yes, subscribe me").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Welcome"
    looks_good(page)
    assert "ada@example.org  confirmed  robots, agents" in operator.digest("subscribers", "list")

    page.get_by_role("link", name="Choose your topics").click()
    page.get_by_label("Topics, one a line").fill("robots")
    page.get_by_role("button", name="Save").click()
    assert "Saved" in page.get_by_role("status").inner_text()
    looks_good(page)
    assert "ada@example.org  confirmed  robots\n" in operator.digest("subscribers", "list")

    page.get_by_label("Saturday").uncheck()
    page.get_by_label("Sunday").uncheck()
    page.get_by_label("Most papers on your topics").select_option("5")
    page.get_by_role("button", name="Save").click()
    ada = json.loads(operator.digest("subscribers", "show", "ada@example.org", "--json"))
    assert (ada["cadence"], ada["max_papers"]) == ("weekdays", 5)

    secret = operator.settings["DIGEST_SECRET"]
    person = registry_of(operator).everybody()[0]
    page.goto(f"{site}/unsubscribe/{Tokens([secret]).make(Purpose.UNSUBSCRIBE, person.public_id)}")
    looks_good(page)
    page.get_by_role("button", name="Unsubscribe").click()
    assert page.get_by_role("heading", level=1).inner_text() == "You are unsubscribed"
    looks_good(page)
    assert "withdrawn" in operator.digest("subscribers", "list")
    page.get_by_role("button", name="undo").click()
    assert "confirmed" in operator.digest("subscribers", "list")
    context.close()


def registry_of(operator: Person) -> Registry:
    return Registry(open_database(f"sqlite:///{operator.folder}/var/digest.sqlite3"))


def looks_good(page: Page) -> None:
    assert overflow(page) == 0
    assert low_contrast(page) == []
    assert page.get_by_role("main").count() == 1
    for field in page.locator("input:not([type=hidden]), select, textarea").all():
        assert page.locator(f"label[for={field.get_attribute('id')}]").count() == 1


def first_mail(page: Page, operator: Person) -> Path:
    """The mail goes out after the page is answered: it may take a moment."""
    for _ in range(PATIENCE):
        if mails := operator.mailbox():
            return mails[0]
        page.wait_for_timeout(100)
    raise AssertionError("no mail came")


def link_in(mail: Path) -> str:
    message = email.message_from_bytes(mail.read_bytes(), policy=email.policy.default)
    return re.search(r"http\S+/confirm/\S+", message.get_body(("plain",)).get_content())[0]
