"""The operator looks after subscribers in the studio, in a browser without scripts."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.acceptance.conftest import Person, Start, operator_in
from tests.acceptance.looks import look_through, low_contrast, overflow, too_small, violations
from tests.integration.smtp_server import nobody_listens

PEOPLE = "email,topics,consent\nnew@example.org,robots,confirmed\n{{7*7}}&x=y@example.org,,confirmed\nnobody,,\n"


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Person:
    operator = operator_in(tmp_path_factory.mktemp("operator"))
    operator.settings["DIGEST_STUDIO_PASSWORD"] = "open sesame"
    for name in ("ada", "bob", "cleo"):
        operator.digest("subscribers", "add", f"{name}@example.org", "--topic", "agents")
    return operator


@pytest.fixture(scope="module")
def address(operator: Person, start_for_all: Start) -> str:
    with nobody_listens() as port:
        pass
    start_for_all(operator, "studio", "--port", str(port), sign="The studio is at")
    return f"http://127.0.0.1:{port}"


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    page = browser.new_page(java_script_enabled=False)
    page.goto(f"{address}/subscribers")
    page.get_by_label("Your name").fill("Olga")
    page.get_by_label("The studio's password").fill("open sesame")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Subscribers")).to_be_visible()
    yield page
    page.close()


def test_people_are_imported_searched_paused_and_removed(page: Page, operator: Person) -> None:
    page.get_by_role("link", name="Import").click()
    file = {"name": "people.csv", "mimeType": "text/csv", "buffer": PEOPLE.encode()}
    page.get_by_label("File").set_input_files(files=[file])
    page.get_by_role("button", name="Look at it").click()
    expect(page.get_by_role("row", name="4 'nobody' is not an email address")).to_be_visible()
    assert "new@example.org" not in operator.digest("subscribers", "list")
    page.get_by_role("button", name="Add 2").click()
    expect(page.get_by_role("status")).to_contain_text("2 people were added from people.csv")

    page.get_by_role("link", name="Subscribers").last.click()
    page.get_by_label("Address").fill("new@")
    page.get_by_role("button", name="Search").click()
    page.get_by_label("Tick new@example.org").check()
    page.get_by_label("What to do").select_option("pause")
    page.get_by_label("Pause until").fill("2099-01-31")
    page.get_by_role("button", name="Count them").click()
    expect(page.get_by_role("heading", name="Pause 1 person?")).to_be_visible()
    page.get_by_role("button", name="Pause 1").click()
    expect(page.get_by_role("status")).to_contain_text("1 person was paused until 2099-01-31")
    assert "2099-01-31" in operator.digest("subscribers", "show", "new@example.org")

    page.get_by_role("link", name="Back").click()
    page.get_by_role("link", name="new@example.org").click()
    expect(page.locator("pre")).to_contain_text("paused until 2099-01-31")
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Remove 1").click()
    expect(page.get_by_role("status")).to_contain_text("1 person was removed")
    assert "new@example.org" not in operator.digest("subscribers", "list")


@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_page_can_be_read_and_pressed(browser, address, width, scheme) -> None:
    page = browser.new_page()
    page.goto(f"{address}/login?to=/subscribers")
    page.get_by_label("Your name").fill("Olga")
    page.get_by_label("The studio's password").fill("open sesame")
    page.get_by_role("button", name="Log in").click()
    look_through(page, width, scheme)
    for path in ("", "/1", "/add", "/import", "/growth", "?state=left"):
        page.goto(f"{address}/subscribers{path}")
        assert overflow(page) <= 0
        assert low_contrast(page) == []
        assert too_small(page, 24) == []
        assert violations(page) == []
    page.close()
