"""`digest inbox`, as the operator or a mail server calls it."""

import json
from pathlib import Path

import pytest

from digest.ledger.database import open_database
from subscribers.store.registry import Registry
from subscribers.tokens import Purpose, Tokens


@pytest.fixture
def wish(operator):
    """A mail with which Ada leaves."""
    operator.digest("subscribers", "add", "ada@example.org")
    registry = Registry(open_database(f"sqlite:///{operator.folder}/var/digest.sqlite3"))
    [ada] = registry.everybody()
    token = Tokens([operator.settings["DIGEST_SECRET"]]).make(Purpose.UNSUBSCRIBE, ada.public_id)
    return f"From: ada@example.org\nSubject: {token}\n\n\n"


def test_a_maildir_is_read(operator, wish):
    for name in ("new", "cur", "tmp"):
        (operator.folder / "mail" / name).mkdir(parents=True)
    (operator.folder / "mail" / "new" / "1.host").write_text(wish)
    operator.settings["DIGEST_INBOX"] = "mail"
    said = json.loads(operator.digest("inbox", "--json"))
    assert said == {"unsubscribed": 1, "left": 0}
    assert "withdrawn" in operator.digest("subscribers", "list")
    assert operator.digest("inbox") == "0 unsubscribed, 0 mails left for you to read.\n"


def test_a_mail_server_hands_one_over(operator, wish):
    assert "1 unsubscribed" in operator.run("inbox", "-", given=wish).stdout
    assert "withdrawn" in operator.digest("subscribers", "list")


def test_a_mail_that_nobody_understands_fails(operator, wish):
    done = operator.run("inbox", "-", given="Subject: hello\n\n\n")
    assert (done.returncode, done.stderr) == (1, "")


def test_without_a_place_it_is_asked_for(operator, wish):
    assert "DIGEST_INBOX is not set" in operator.fails("inbox")


def test_one_place_is_read_at_a_time(operator, wish):
    (operator.folder / "box").write_text(f"From ada\n{wish}")
    assert operator.run("inbox", "box", "box").returncode == 2
    assert operator.digest("inbox", "box") == "1 unsubscribed, 0 mails left for you to read.\n"


MAILS = Path(__file__).parents[1] / "fixtures" / "mail"


def test_mails_are_classified(operator):
    files = [str(MAILS / f"{name}.eml") for name in ("dsn_expired", "complaint_to", "dsn_delayed")]
    soft, complaint, delayed = map(
        json.loads, operator.digest("inbox", "classify", *files, "--json").splitlines()
    )
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
    assert [each["address"] for each in complaint["recipients"]] == ["ada@example.org"]
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
    assert "name one or more files" in done.stderr
