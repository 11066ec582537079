"""`digest announce`: from a file to every reader's mailbox, once."""

import email
import email.policy
from collections import Counter

import pytest
import time_machine

from tests.acceptance.conftest import Person
from tests.integration.smtp_server import SmtpServer
from tests.support import NOW

TEXT = "Hello,\nwe move.\n\n- [our plans](https://new.example/plans)\n- <b>no markup</b>\n"


@pytest.fixture
def sender(operator: Person, smtp_server: SmtpServer) -> Person:
    operator.settings["DIGEST_TRANSPORT"] = smtp_server.url()
    (operator.folder / "news.txt").write_text(TEXT)
    for name, topic in (("ada", "robots"), ("bob", "video"), ("eve", "robots")):
        operator.digest("subscribers", "add", f"{name}@example.org", "--topic", topic)
    return operator


def received(server: SmtpServer) -> Counter[str]:
    return Counter(mail.rcpt_to[0].partition("@")[0] for mail in server.received)


def test_it_can_be_looked_at_and_tried_first(sender: Person, smtp_server: SmtpServer) -> None:
    html, text = sender.digest("announce", "We move", "news.txt", "--preview").split()
    assert "we move." in (sender.folder / text).read_text()
    assert "&lt;b&gt;no markup&lt;/b&gt;" in (sender.folder / html).read_text()
    assert not smtp_server.received
    said = sender.digest("announce", "We move", "news.txt", "--to", "me@example.org")
    assert said.startswith("To me@example.org: accepted")
    assert received(smtp_server) == {"me": 1}
    assert "Announced" not in sender.run("status").stdout


def test_it_goes_to_each_reader_once(sender: Person, smtp_server: SmtpServer) -> None:
    line = "Announcement 1, 'We move': 3 chosen = 3 accepted\n"
    assert sender.digest("announce", "We move", "news.txt", "--all", "--yes") == line
    again = sender.run("announce", "We move", "news.txt", "--all", "--yes")
    assert (again.returncode, again.stdout) == (0, line)
    assert "nobody gets it twice" in again.stderr
    assert received(smtp_server) == {"ada": 1, "bob": 1, "eve": 1}
    mail = email.message_from_bytes(smtp_server.received[0].content, policy=email.policy.default)
    assert mail["Subject"] == "We move"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "our plans (https://new.example/plans)" in mail.get_body(("plain",)).get_content()
    assert "'We move'" in sender.run("status").stdout
    why = sender.digest("why", "ada@example.org")
    assert "the announcement 'We move'\n  delivery 1: accepted by the mail server" in why


def test_some_can_be_chosen(sender: Person, smtp_server: SmtpServer) -> None:
    (sender.folder / "list.txt").write_text("EVE@example.org\nbob@example.org,gone@example.org\n")
    sender.digest("announce", "A", "news.txt", "--topic", "robot", "--yes")
    assert received(smtp_server) == {"ada": 1, "eve": 1}
    sender.digest("announce", "B", "news.txt", "--addresses", "list.txt", "--yes")
    assert received(smtp_server) == {"ada": 1, "bob": 1, "eve": 2}
    nobody = sender.run("announce", "C", "news.txt", "--language", "de", "--yes")
    assert nobody.returncode == 1
    assert "nobody is chosen: confirmed readers with emails in de" in nobody.stderr


def test_it_asks_before_it_sends(sender: Person, smtp_server: SmtpServer) -> None:
    said = sender.run("announce", "We move", "news.txt", "--all", given="n\n")
    assert said.returncode == 1
    assert "Send 'We move' to 3 readers?" in said.stderr
    assert not smtp_server.received
    assert sender.run("announce", "We move", "news.txt", "--all", given="y\n").returncode == 0
    assert sum(received(smtp_server).values()) == 3


def test_the_text_may_come_from_standard_input(sender: Person, smtp_server: SmtpServer) -> None:
    said = sender.run("announce", "We move", "-", "--all", "--yes", given=TEXT)
    assert said.returncode == 0
    assert sum(received(smtp_server).values()) == 3
    unsure = sender.run("announce", "Another", "--all", given=TEXT)
    assert unsure.returncode == 2
    assert "--yes" in unsure.stderr


@pytest.mark.parametrize(
    ("words", "status", "why"),
    [
        ((), 2, "give a subject"),
        (("We move", "news.txt"), 2, "say to whom"),
        (("We move", "news.txt", "--all", "--topic", "x"), 2, "say to whom"),
        (("We move", "none.txt", "--all"), 1, "none.txt: No such file"),
        (("We move", "empty.txt", "--all"), 1, "the text is empty"),
        (("We move", "latin.txt", "--all"), 1, "latin.txt: it is not UTF-8"),
        (("x" * 201, "news.txt", "--all"), 1, "may have 200 at most"),
        (("We move", "news.txt", "--to", "nobody"), 1, "nobody"),
        (("--stop", "7"), 1, "there is no announcement 7"),
    ],
)
def test_a_slip_is_told_and_nothing_is_sent(
    sender: Person, smtp_server: SmtpServer, words: tuple[str, ...], status: int, why: str
) -> None:
    (sender.folder / "empty.txt").write_text("\n")
    (sender.folder / "latin.txt").write_bytes(b"caf\xe9")
    said = sender.run("announce", *words)
    assert said.returncode == status
    assert why in said.stderr
    assert not smtp_server.received


@time_machine.travel(NOW.replace(hour=12), tick=False)
def test_what_waits_for_its_hours_and_can_be_dropped(
    sender: Person, smtp_server: SmtpServer
) -> None:
    sender.settings["DIGEST_SEND_WINDOW"] = "00:00-00:01"  # nothing goes out
    said = sender.run("announce", "We move", "news.txt", "--all", "--yes")
    assert said.stdout == "Announcement 1, 'We move': 3 chosen = 3 pending\n"
    assert sender.digest("announce", "--stop", "1") == (
        "Announcement 1, 'We move': 3 chosen = 3 skipped (3 stopped)\n"
    )
    del sender.settings["DIGEST_SEND_WINDOW"]
    sender.run("run")
    assert not any(b"We move" in mail.content for mail in smtp_server.received)
