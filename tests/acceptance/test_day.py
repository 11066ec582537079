"""A whole day: from the API, over a real mail server, to a reader who leaves."""

import email
import email.policy
import re
import ssl
import urllib.request
from collections.abc import Callable
from email.message import EmailMessage
from urllib.parse import urlencode

import pytest

from tests.acceptance.conftest import Api, Person, entry
from tests.integration.smtp_server import Authority, SmtpServer, nobody_listens

MORNING = ("run", "--once", "--now", "2026-02-20T08:00:00Z")
NEXT_MORNING = ("run", "--once", "--now", "2026-02-21T08:00:00Z")


@pytest.fixture
def collected(operator: Person, api: Api) -> Person:
    """An operator with two subscribers and papers on two days."""
    operator.settings["DIGEST_HUGGINGFACE_URL"] = api.url
    api.days["2026-02-20"] = [
        entry(1, "Robots that <script>alert(1)</script> fold ]]> & carry", upvotes=0),
        entry(2, "Agents\x00 at\r\nBcc: eve@example.org\r\n \u202ework"),
        entry(3, "Trending " + "very " * 1000 + "much", ai_summary="The source says so."),
    ]
    api.days["2026-02-21"] = [entry(4, "Robots again")]
    operator.digest("collect", "--date", "2026-02-20")
    operator.digest("subscribers", "add", "ada@example.org", "--topic", "robots")
    operator.digest("subscribers", "add", "bob@example.org", "--topic", "agents")
    return operator


@pytest.mark.parametrize("scheme", ["smtp", "smtp+starttls", "smtps"])
def test_from_the_api_to_the_parsed_message(
    collected: Person,
    start_smtp: Callable[..., SmtpServer],
    good_certificate: ssl.SSLContext,
    authority: Authority,
    scheme: str,
) -> None:
    server = start_smtp(scheme, context=None if scheme == "smtp" else good_certificate)
    collected.settings["DIGEST_TRANSPORT"] = server.url()
    collected.settings["DIGEST_SMTP_CA_FILE"] = str(authority.ca_file)
    assert collected.digest_json(*MORNING)["accepted"] == 2
    assert [received.rcpt_to for received in server.received] == [
        ("ada@example.org",), ("bob@example.org",),
    ]  # fmt: skip
    assert all(received.over_tls == (scheme != "smtp") for received in server.received)
    ada, bob = (_parsed(received.content) for received in server.received)
    assert ada["To"] == "ada@example.org"
    assert ada["Bcc"] is None
    assert "Robots that <script>alert(1)</script> fold ]]> & carry" in _text(ada)
    assert "Robots that &lt;script&gt;alert(1)&lt;/script&gt; fold ]]&gt; &amp; carry" in _html(ada)
    assert "<script" not in _html(ada)
    assert "Agents at Bcc: eve@example.org work" in _text(bob)
    assert len(_html(bob).encode()) < 100_000
    assert collected.digest_json(*MORNING)["accepted"] == 2
    assert len(server.received) == 2, "nothing is sent twice"


def test_whoever_leaves_by_one_click_gets_nothing_afterwards(
    collected: Person,
    smtp_server: SmtpServer,
    start: Callable[..., object],
) -> None:
    with nobody_listens() as port:
        pass
    collected.settings["DIGEST_TRANSPORT"] = smtp_server.url()
    collected.settings["DIGEST_BASE_URL"] = f"http://127.0.0.1:{port}"
    collected.digest(*MORNING)
    link = _unsubscribe_link(_parsed(smtp_server.received[0].content))
    start(collected, "serve", "--port", str(port), sign="The pages are at")
    urllib.request.urlopen(link, timeout=10).close()
    assert "ada@example.org  confirmed" in collected.digest("subscribers", "list")
    one_click = urlencode({"List-Unsubscribe": "One-Click"}).encode()
    for _ in range(2):
        with urllib.request.urlopen(link, one_click, timeout=10) as answer:
            assert (answer.status, answer.url) == (200, link)
    assert "ada@example.org  withdrawn" in collected.digest("subscribers", "list")
    smtp_server.received.clear()
    collected.digest("collect", "--date", "2026-02-21")
    balance = collected.digest_json(*NEXT_MORNING)
    assert (balance["due"], balance["skipped_for"]) == (1, {"nothing-matched": 1})
    assert smtp_server.received == []
    assert "unsubscribed" in collected.fails("subscribers", "add", "ada@example.org")


def test_a_relay_with_a_wrong_certificate_is_refused(
    collected: Person,
    start_smtp: Callable[..., SmtpServer],
    stranger: Authority,
) -> None:
    server = start_smtp("smtps", context=stranger.context_for("relay.example.org"))
    collected.settings["DIGEST_TRANSPORT"] = server.url()
    done = collected.run(*MORNING, "--json")
    assert done.returncode == 1
    assert '"pending": 2' in done.stdout
    assert "certificate" in done.stderr
    assert "127.0.0.1" in done.stderr
    assert server.received == []
    assert "certificate" in collected.fails("send", "--to", "me@example.org")


def test_a_relay_that_is_down_today_delivers_when_it_is_back(
    collected: Person, smtp_server: SmtpServer
) -> None:
    with nobody_listens() as port:
        collected.settings["DIGEST_TRANSPORT"] = f"smtp://127.0.0.1:{port}"
        assert "Connection refused" in collected.fails(*MORNING)
    collected.settings["DIGEST_TRANSPORT"] = smtp_server.url()
    assert collected.digest_json(*MORNING)["accepted"] == 2
    assert len(smtp_server.received) == 2


def _parsed(content: bytes) -> EmailMessage:
    return email.message_from_bytes(content, policy=email.policy.default)


def _text(message: EmailMessage) -> str:
    """The plain text, its folded lines joined."""
    return " ".join(message.get_body(("plain",)).get_content().split())


def _html(message: EmailMessage) -> str:
    return message.get_body(("html",)).get_content()


def _unsubscribe_link(message: EmailMessage) -> str:
    return re.search(r"<(http[^>]+)>", message["List-Unsubscribe"])[1]
