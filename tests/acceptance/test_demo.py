"""`digest demo` in an empty folder."""

import email
import email.policy

from lxml import html as lxml_html

from tests.acceptance.conftest import Person
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
    titles = [" ".join(h3.text_content().split()) for h3 in lxml_html.fromstring(html).iter("h3")]
    assert len(titles) > 5
    flat = " ".join(text.split())
    assert [title for title in titles if title not in flat] == []
