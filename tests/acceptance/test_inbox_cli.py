"""`digest inbox`, as the operator or a mail server calls it."""

import json
import re
from pathlib import Path
from urllib.parse import quote

import pytest

from digest.inbound.inbox import InboundVerdict
from digest.ledger.database import open_database
from subscribers.store.registry import Registry
from subscribers.tokens import Purpose, Tokens
from tests import reports
from tests.acceptance.conftest import entry
from tests.integration.imap_server import PASSWORD, USER, ImapServer
from tests.support import NOW


@pytest.fixture
def wish(operator):
    """A mail with which Ada leaves."""
    operator.digest("subscribers", "add", "ada@example.org")
    registry = Registry(open_database(f"sqlite:///{operator.folder}/var/digest.sqlite3"))
    [ada] = registry.everybody()
    token = Tokens([operator.settings["DIGEST_SECRET"]]).make(Purpose.UNSUBSCRIBE, ada.public_id)
    return f"From: ada@example.org\nSubject: {token}\n\n\n"


NONE = dict.fromkeys(InboundVerdict, 0)


def test_a_maildir_is_read(operator, wish):
    for name in ("new", "cur", "tmp"):
        (operator.folder / "mail" / name).mkdir(parents=True)
    (operator.folder / "mail" / "new" / "1.host").write_text(wish)
    (operator.folder / "mail" / "new" / "2.host").write_text("Subject: hello\n\n\n")
    operator.settings["DIGEST_INBOX"] = "mail"
    assert operator.digest_json("inbox") == {**NONE, "unsubscribed": 1, "unknown": 1}
    assert "withdrawn" in operator.digest("subscribers", "list")
    assert [file.name for file in (operator.folder / "mail" / "cur").glob("2*")] == ["2.host:2,F"]
    assert operator.digest("inbox") == "Processed: nothing. Left for you to read: nothing.\n"


def test_a_folder_on_a_server_is_read(operator, wish, good_certificate, authority):
    with ImapServer(good_certificate) as server:
        server.add(wish.encode(), b"Subject: hello\r\n\r\n")
        who = f"{quote(USER, safe='')}:{quote(PASSWORD, safe='')}"
        place = f"imaps://{who}@127.0.0.1:{server.port}/INBOX"
        said = operator.fails("inbox", place)
        assert "its certificate is not valid" in said
        assert PASSWORD not in said
        operator.settings["DIGEST_SMTP_CA_FILE"] = str(authority.ca_file)
        operator.settings["DIGEST_INBOX"] = place
        said = operator.digest("inbox")
        assert said == "Processed: 1 unsubscribed. Left for you to read: 1 unknown.\n"
        assert server.flags() == [{r"\Seen"}, {r"\Flagged"}]
    shown = operator.digest("config")
    assert "127.0.0.1" in shown
    assert quote(PASSWORD, safe="") not in shown


def test_a_place_that_is_none_is_refused_without_its_password(operator):
    done = operator.run("inbox", "imap://ada:sesame@mail.example.org/INBOX")
    assert (done.returncode, done.stdout) == (2, "")
    assert "only for localhost" in " ".join(done.stderr.replace("│", " ").split())
    assert "sesame" not in done.stderr


def test_a_mail_server_hands_one_over(operator, wish):
    assert "1 unsubscribed" in operator.run("inbox", "-", given=wish).stdout
    assert "withdrawn" in operator.digest("subscribers", "list")


def test_a_mail_that_nobody_understands_is_kept(operator, wish):
    done = operator.run("inbox", "-", given="Subject: hello\n\n\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "Processed: nothing. Left for you to read: 1 unknown.\n"
    [file] = (operator.folder / "var" / "aside" / "new").iterdir()
    assert file.read_text() == "Subject: hello\n\n\n"


def test_a_mail_that_cannot_be_taken_now_is_left_with_the_mail_server(operator, wish):
    operator.settings["DIGEST_DATABASE_URL"] = "sqlite:////dev/null/digest.sqlite3"
    done = operator.run("inbox", "-", given=wish)
    assert (done.returncode, done.stdout) == (75, "")
    assert "database" in done.stderr


def test_without_a_place_it_is_asked_for(operator, wish):
    assert "DIGEST_INBOX is not set" in operator.fails("inbox")


def test_one_place_is_read_at_a_time(operator, wish):
    (operator.folder / "box").write_text(f"From ada\n{wish}")
    assert operator.run("inbox", "box", "box").returncode == 2
    assert operator.digest("inbox", "box").startswith("Processed: 1 unsubscribed.")


def test_a_digest_that_comes_back_is_the_last(operator, wish, smtp_server):
    operator.settings["DIGEST_TRANSPORT"] = smtp_server.url()
    operator.settings["DIGEST_BOUNCE_ADDRESS"] = "bounces@example.org"
    day = [entry(1, "Robots", submittedOnDailyAt="2026-02-20T01:00:00.000Z")]
    (operator.folder / "answer").write_text(json.dumps(day))
    operator.digest("collect", "--file", "answer")
    operator.digest("run", "--once", "--now", NOW.isoformat())
    [sent] = smtp_server.received
    assert re.fullmatch(r"bounces\+1-[a-z2-7]+@example\.org", sent.mail_from)
    report = reports.failure(sent.mail_from).decode()
    said = operator.run("inbox", "-", given=report).stdout
    assert said == "Processed: 1 hard. Left for you to read: nothing.\n"
    assert "suppressed: hard-bounce" in operator.digest("subscribers", "list")


MAILS = Path(__file__).parents[1] / "fixtures" / "mail"


def test_mails_are_classified(operator):
    files = [str(MAILS / f"{name}.eml") for name in ("dsn_expired", "complaint_to", "dsn_delayed")]
    soft, complaint, delayed = operator.digest_json("inbox", "classify", *files)
    assert soft == {
        "file": files[0],
        "kind": "soft",
        "recipients": [
            {
                "address": "ada@example.org",
                "hard": False,
                "status": "4.4.7",
                "reason": "554 4.4.7 the mail lay here for five days",
            }
        ],
        "complaint": False,
        "waiting": [],
    }
    assert (complaint["kind"], complaint["complaint"]) == ("complaint", True)
    assert [recipient["address"] for recipient in complaint["recipients"]] == ["ada@example.org"]
    assert (delayed["kind"], delayed["recipients"]) == ("delayed", [])
    assert delayed["waiting"] == ["ada@example.org"]


def test_classes_are_readable(operator):
    said = operator.digest("inbox", "classify", str(MAILS / "qmail.eml"), str(MAILS / "person.eml"))
    assert said.splitlines() == [
        f"{MAILS / 'qmail.eml'}: hard, ada@example.org is dead (5.1.1), grace@example.org (5.2.2)",
        f"{MAILS / 'person.eml'}: unknown",
    ]


def test_a_file_that_is_none_is_told(operator):
    assert "nothing.eml: No such file" in operator.fails("inbox", "classify", "nothing.eml")


def test_classify_wants_files(operator):
    done = operator.run("inbox", "classify")
    assert (done.returncode, done.stdout) == (2, "")
    assert "digest inbox classify message.eml" in done.stderr
