"""`digest inbox`, as the operator or a mail server calls it."""

import json

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
