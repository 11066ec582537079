"""The sign-up form in a page of another site: `digest embed`, and a browser that sends it."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from pathlib import Path
from threading import Event, Thread

import pytest
from playwright.sync_api import Browser, Page, expect

from digest.ledger.ledger import Ledger
from digest.service.web_server import WebServer
from digest.web.embed import snippet
from digest.web.site import page_renderer
from subscribers.origins import Origins
from subscribers.proof_of_work import ProofOfWork
from subscribers.store.registry import Registry
from subscribers.topics import parse_topics
from tests.acceptance.conftest import Person
from tests.acceptance.looks import overflow
from tests.integration.site import SENDER, TEMPLATES, make_web

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Our lab</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'"></head>
<body><main><h1>Our lab</h1><p>What we read.</p>{form}</main></body></html>"""


@contextmanager
def serving(folder: Path) -> Iterator[int]:
    """Serve a folder on a free port, as another site."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join(30)
    server.server_close()


@contextmanager
def pages(ledger: Ledger, registry: Registry, site: int, *, proof: bool = False) -> Iterator[str]:
    """Serve the pages; the site on that port of 127.0.0.1 may have their form."""
    app = make_web(
        ledger,
        registry,
        render=page_renderer(TEMPLATES, SENDER, asks_proof=proof),
        proof_of_work=ProofOfWork(SENDER.tokens.keyed) if proof else None,
        origins=Origins(SENDER.base_url, frozenset({f"http://127.0.0.1:{site}"})),
    )
    ready = Event()
    server = WebServer(app, "127.0.0.1", 0, ready=ready.set)
    thread = Thread(target=server.run)
    thread.start()
    assert ready.wait(30)
    yield f"http://127.0.0.1:{server._listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(30)


def paste(folder: Path, address: str, code: str = "en") -> None:
    """Paste the form for the pages at an address into a page of the site."""
    form = snippet(
        page_renderer(TEMPLATES, SENDER),
        TEMPLATES.languages,
        SENDER,
        code,
        parse_topics(["robots"]),
    )
    html = PAGE.format(form=form.replace(SENDER.base_url, address))
    (folder / "index.html").write_text(html, encoding="utf-8")


def send(page: Page) -> None:
    page.get_by_label("Your email address").fill("ada@example.org")
    page.get_by_role("button", name="Subscribe").click()


@pytest.mark.long
@pytest.mark.parametrize("scripts", [True, False])
def test_it_ends_at_our_page_that_says_to_look_into_the_mailbox(
    browser: Browser, ledger: Ledger, registry: Registry, tmp_path: Path, scripts: bool
) -> None:
    with serving(tmp_path) as port, pages(ledger, registry, port) as address:
        paste(tmp_path, address)
        page = browser.new_page(java_script_enabled=scripts)
        page.goto(f"http://127.0.0.1:{port}/")
        send(page)
        expect(page.get_by_role("heading", level=1)).to_have_text("Check your inbox")
        expect(page).to_have_url(f"{address}/en/subscribe")
        page.close()
    [ada] = registry.everybody()
    assert [topic.text for topic in ada.topics] == ["robots"]
    [asked] = registry.file_of(ada.address).evidence  # type: ignore[union-attr]
    assert asked.source == f"form of http://127.0.0.1:{port}, text 1"


@pytest.mark.long
@pytest.mark.parametrize("policy", ["strict-origin", "no-referrer"])
def test_from_any_other_site_it_is_sent_once_more_at_our_own(
    browser: Browser, ledger: Ledger, registry: Registry, tmp_path: Path, policy: str
) -> None:
    with serving(tmp_path) as port, pages(ledger, registry, port) as address:
        paste(tmp_path, address)
        page = browser.new_page()
        name = "localhost" if policy == "strict-origin" else "127.0.0.1"  # another origin, or null
        page.goto(f"http://{name}:{port}/")
        page.evaluate(
            "policy => document.head.insertAdjacentHTML('beforeend', "
            "`<meta name=referrer content=${policy}>`)",
            policy,
        )
        send(page)
        expect(page.get_by_role("alert")).to_contain_text("once more")
        assert registry.everybody() == []
        page.get_by_role("button", name="Subscribe").first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Check your inbox")
        page.close()
    [ada] = registry.everybody()
    assert [topic.text for topic in ada.topics] == ["robots"]


@pytest.mark.long
def test_where_a_proof_is_asked_for_our_own_page_computes_it(
    browser: Browser, ledger: Ledger, registry: Registry, tmp_path: Path
) -> None:
    with serving(tmp_path) as port, pages(ledger, registry, port, proof=True) as address:
        paste(tmp_path, address)
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{port}/")
        send(page)
        expect(page.get_by_role("alert")).to_contain_text("once more")
        page.get_by_role("button", name="Subscribe").first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text(
            "Check your inbox", timeout=60_000
        )
        page.close()
    assert [person.address for person in registry.everybody()] == ["ada@example.org"]


@pytest.mark.long
def test_a_frame_around_our_form_stays_empty(
    browser: Browser, ledger: Ledger, registry: Registry, tmp_path: Path
) -> None:
    """An allowed site may send the form, and no more than that."""
    with serving(tmp_path) as port, pages(ledger, registry, port) as address:
        (tmp_path / "index.html").write_text(f"<iframe src='{address}/subscribe'></iframe>")
        page = browser.new_page()
        refused: list[str] = []
        page.on("console", lambda message: refused.append(message.text))
        page.goto(f"http://127.0.0.1:{port}/")
        assert page.frames[1].locator("form").count() == 0
        assert any("frame-ancestors" in text for text in refused)
        page.close()


@pytest.mark.long
def test_the_form_fits_a_phone_without_any_style(browser: Browser, tmp_path: Path) -> None:
    with serving(tmp_path) as port:
        for code, width in product(TEMPLATES.languages.codes, (360, 1200)):
            paste(tmp_path, SENDER.base_url, code)
            page = browser.new_page(viewport={"width": width, "height": 800})
            page.goto(f"http://127.0.0.1:{port}/")
            assert overflow(page) <= 0, (code, width)
            assert not page.locator("[name=website]").is_visible()
            page.close()


# ---- the command ----------------------------------------------------------------------------


def test_the_command_prints_the_form_and_says_what_is_not_set(operator: Person) -> None:
    done = operator.run("embed")
    assert done.returncode == 0
    assert done.stdout.startswith("<form ")
    assert f'action="{operator.settings["DIGEST_BASE_URL"]}/en/subscribe"' in done.stdout
    assert "DIGEST_EMBED_ORIGINS is not set" in " ".join(done.stderr.split())


def test_the_command_speaks_a_language_and_ticks_topics(operator: Person) -> None:
    operator.settings["DIGEST_EMBED_ORIGINS"] = "https://lab.example.org"
    topic = 'robots "that [walk]" & ' + "long " * 30
    done = operator.run("embed", "--language", "de-AT", "--topic", topic, "agents")
    assert (done.returncode, done.stderr) == (0, "")
    assert "/de/subscribe" in done.stdout
    assert 'value="agents" checked' in done.stdout
    assert "&#34;that [walk]&#34; &amp; long long" in done.stdout


def test_what_the_command_cannot_use_is_said(operator: Person) -> None:
    done = operator.run("embed", "--language", "tlh")
    assert done.returncode == 2
    assert "tlh is not spoken here; choose one of ar, de," in " ".join(done.stderr.split())
    assert "!!" in operator.fails("embed", "--topic", "!!")
    operator.settings["DIGEST_BASE_URL"] = "none"
    assert "DIGEST_BASE_URL" in operator.fails("embed")
    operator.settings["DIGEST_EMBED_ORIGINS"] = "https://lab.example.org/"
    told = operator.fails("embed")
    assert "DIGEST_EMBED_ORIGINS is 'https://lab.example.org/'" in told
    assert "no path, not even /; got 'https://lab.example.org/'" in told
