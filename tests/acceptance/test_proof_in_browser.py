"""The sign-up form with a proof of work, in a browser that computes it."""

from collections.abc import Iterator
from threading import Event, Thread

import pytest
from playwright.sync_api import Browser, expect

from digest.ledger.ledger import Ledger
from digest.service.web_server import WebServer
from digest.web.site import page_renderer
from subscribers.proof_of_work import ProofOfWork
from subscribers.store.registry import Registry
from tests.integration.site import SENDER, TEMPLATES, make_web


@pytest.fixture
def site(ledger: Ledger, registry: Registry) -> Iterator[str]:
    """The address of pages that ask for a proof of work."""
    app = make_web(
        ledger,
        registry,
        render=page_renderer(TEMPLATES, SENDER, asks_proof=True),
        proof_of_work=ProofOfWork(SENDER.tokens.keyed),
    )
    ready = Event()
    server = WebServer(app, "127.0.0.1", 0, ready=ready.set)
    thread = Thread(target=server.run)
    thread.start()
    assert ready.wait(10)
    yield f"http://127.0.0.1:{server._listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(30)


@pytest.mark.long
@pytest.mark.parametrize("start", ["/", "/subscribe"])
def test_a_browser_computes_before_it_sends_the_form(
    browser: Browser, site: str, registry: Registry, start: str
) -> None:
    page = browser.new_page()
    page.goto(f"{site}{start}")
    page.get_by_label("Your email address").fill("ada@example.org")
    page.get_by_role("button", name="Show me what I would have got").click()  # needs no proof
    expect(page).to_have_url(f"{site}/preview")
    page.get_by_role("button", name="Subscribe").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your inbox", timeout=60_000)
    assert [person.address for person in registry.everybody()] == ["ada@example.org"]
    page.close()


@pytest.mark.long
def test_without_scripts_the_form_says_why(browser: Browser, site: str, registry: Registry) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto(f"{site}/subscribe")
    page.get_by_label("Your email address").fill("ada@example.org")
    page.get_by_role("button", name="Subscribe").first.click()
    expect(page.get_by_role("alert")).to_contain_text("with JavaScript")
    assert registry.everybody() == []
    page.close()
