"""`digest demo` in an empty folder."""

import email
import email.policy
import time

import httpx
from lxml import html as lxml_html

from tests.acceptance.conftest import PATIENCE, Person, Start
from tests.integration.smtp_server import nobody_listens
from tests.raw_message import read


def test_demo_makes_a_digest_for_each_sample_subscriber(newcomer: Person) -> None:
    printed = newcomer.digest("demo")
    outbox = newcomer.folder / "paper-digest-demo" / "outbox"
    assert len(list(outbox.glob("*.eml"))) == len(list(outbox.glob("*.html"))) == 3
    for name in ("ada", "grace", "alan"):
        assert f"{name}@example.org" in printed
    assert "3 due = 3 accepted" in printed
    assert [path.name for path in newcomer.folder.iterdir()] == ["paper-digest-demo"]


def test_the_demo_run_twice_sends_nothing_twice_and_says_so(newcomer: Person) -> None:
    newcomer.digest("demo")
    outbox = newcomer.folder / "paper-digest-demo" / "outbox"
    before = {path.name: path.read_bytes() for path in outbox.glob("*.eml")}
    printed = newcomer.digest("demo")
    assert {path.name: path.read_bytes() for path in outbox.glob("*.eml")} == before
    assert "nobody gets the same edition twice" in printed


def test_the_demo_takes_a_folder_and_no_settings_from_outside(newcomer: Person) -> None:
    newcomer.settings["DIGEST_TRANSPORT"] = "smtp://127.0.0.1:1"
    newcomer.digest("demo", "--home", "elsewhere")
    assert len(list((newcomer.folder / "elsewhere" / "outbox").glob("*.eml"))) == 3


def test_a_mail_of_the_demo_is_complete(newcomer: Person) -> None:
    newcomer.digest("demo")
    path = next((newcomer.folder / "paper-digest-demo" / "outbox").glob("grace*.eml"))
    message = read(path.read_bytes())
    names = [name for name, _ in message.headers]
    assert len(names) == len(set(names)), "each header once"
    assert {
        "From", "To", "Date", "Message-ID", "Subject", "Reply-To", "List-Id", "List-Unsubscribe",
        "List-Unsubscribe-Post", "List-Help", "List-Archive", "Feedback-ID", "CFBL-Address",
        "Auto-Submitted", "MIME-Version", "Content-Type",
    } == set(names)  # fmt: skip
    for name, value in message.headers:
        if name.startswith("List-") or name in {"Message-ID", "Feedback-ID"}:
            assert "=?" not in value, name
    assert all(len(line) <= 998 for line in path.read_bytes().split(b"\r\n"))


def test_text_and_html_of_the_demo_hold_the_same_papers(newcomer: Person) -> None:
    newcomer.digest("demo")
    path = next((newcomer.folder / "paper-digest-demo" / "outbox").glob("ada*.eml"))
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    text = message.get_body(("plain",)).get_content()
    html = message.get_body(("html",)).get_content()
    assert len(html.encode()) < 100_000
    titles = [
        " ".join(a.text_content().split()) for a in lxml_html.fromstring(html).xpath("//h3/a")
    ]
    assert len(titles) > 5
    flat = " ".join(text.split())
    # A row has the beginning of a title.
    assert [title for title in titles if title.removesuffix("…") not in flat] == []


def test_the_demo_can_be_clicked_through(newcomer: Person, start: Start) -> None:
    with nobody_listens() as port:
        pass
    serving = start(newcomer, "demo", "--serve", "--port", str(port), sign="The pages are at")
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as browser:
        listed = lxml_html.fromstring(browser.get("/studio/outbox").text)
        (first, *_) = listed.xpath("//tbody//th/a/@href")
        mail = lxml_html.fromstring(browser.get(first).text)
        links = [link for link in mail.xpath("//a/@href") if link.startswith(str(browser.base_url))]
        assert any("/preferences/" in link for link in links)
        assert {browser.get(link).status_code for link in links} == {200}

        browser.post("/subscribe", data={"address": "new@example.org"})
        confirm = _link_in_newest(browser, "/confirm/")
        browser.post(confirm)
        assert _link_in_newest(browser, "/digest/"), "the first digest came at once"
        with browser.stream("GET", "/studio/changes") as news:  # as a page of the studio keeps it
            assert news.status_code == 200
            serving.terminate()
            serving.wait(PATIENCE)


def _link_in_newest(browser: httpx.Client, kind: str) -> str:
    """Return a link of the newest email to the new reader, as soon as one has it."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        listed = lxml_html.fromstring(browser.get("/studio/outbox").text)
        for row in listed.xpath("//tbody/tr[contains(., 'new@example.org')]"):
            mail = lxml_html.fromstring(browser.get(row.xpath(".//th/a/@href")[0]).text)
            if links := [link for link in mail.xpath("//a/@href") if kind in link]:
                return links[0]
        time.sleep(0.2)
    raise AssertionError(f"no email has a link to {kind}")
