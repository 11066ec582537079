"""`digest deliveries`, after a relay that hung up in the worst moment."""

import email
import json
from datetime import datetime, timedelta

import pytest
import time_machine

from digest.ledger.database import open_database
from digest.ledger.locks import advisory_lock
from tests.acceptance.conftest import Person, entry
from tests.integration.smtp_server import Point, SmtpServer
from tests.support import NOW

MORNING = ("run", "--once", "--now", NOW.isoformat())
NOON = ("run", "--once", "--now", NOW.replace(hour=12).isoformat())
LOST = "no answer to the final dot: closed by the server"
LINE = "Edition 2026-02-20: 2 due = 1 accepted + 1 uncertain\n"


@pytest.fixture
def unsure(operator: Person, smtp_server: SmtpServer) -> Person:
    """An operator who does not know whether Ada has the edition; Bob has it."""
    operator.settings["DIGEST_TRANSPORT"] = smtp_server.url()
    day = [entry(1, "Robots", submittedOnDailyAt="2026-02-20T01:00:00.000Z")]
    (operator.folder / "answer").write_text(json.dumps(day))
    operator.digest("collect", "--file", "answer")
    for name in ("ada", "bob"):
        operator.digest("subscribers", "add", f"{name}@example.org")
    smtp_server.will_hang_up(Point.DOT)
    assert operator.digest(*MORNING) == LINE
    return operator


def message_ids(server: SmtpServer) -> list[tuple[str, str]]:
    return [
        (each.rcpt_to[0], email.message_from_bytes(each.content)["Message-ID"])
        for each in server.received
    ]


def test_what_is_uncertain_is_listed(unsure: Person) -> None:
    row = f"2026-02-20  ada@example.org  2026-02-20 08:00 UTC  {LOST}\n"
    assert unsure.digest("deliveries", "uncertain") == row
    assert unsure.digest("deliveries", "uncertain", "--date", "2026-02-20") == row
    doubts = unsure.digest_json("deliveries", "uncertain")
    since = datetime.fromisoformat(doubts[0]["since"])
    assert timedelta() <= since - NOW < timedelta(minutes=1)
    assert doubts == [
        {
            "edition": "2026-02-20",
            "address": "ada@example.org",
            "planned_at": NOW.isoformat(),
            "since": since.isoformat(),
            "last_words": LOST,
        }
    ]
    unsure.digest("subscribers", "remove", "ada@example.org")
    assert "  (removed)  " in unsure.digest("deliveries", "uncertain")


@time_machine.travel(NOW, tick=False)
def test_sent_again_it_is_the_same_message(unsure: Person, smtp_server: SmtpServer) -> None:
    said = unsure.run("deliveries", "uncertain", "--resend")
    assert (said.stdout, said.stderr) == ("1 will be sent again by the next run.\n", "")
    assert unsure.digest("deliveries", "uncertain") == "Nothing is uncertain.\n"
    assert unsure.digest("deliveries", "balance") == LINE.replace("uncertain", "pending")
    assert unsure.digest(*NOON) == "Edition 2026-02-20: 2 due = 2 accepted\n"
    first, bob, again = message_ids(smtp_server)
    assert first == again
    assert (first[0], bob[0]) == ("ada@example.org", "bob@example.org")
    assert unsure.digest_json("deliveries", "uncertain", "--resend") == {"resent": 0, "too_old": 0}


@time_machine.travel(NOW.replace(month=3), tick=False)
def test_what_is_too_old_to_be_sent_is_told(unsure: Person) -> None:
    said = unsure.run("deliveries", "uncertain", "--resend")
    assert said.returncode == 0
    assert "1 of them it will give up" in " ".join(said.stderr.split())
    assert "DIGEST_STALE_AFTER_HOURS" in said.stderr


def test_dropped_it_is_never_sent(unsure: Person, smtp_server: SmtpServer) -> None:
    assert unsure.digest("deliveries", "uncertain", "--drop") == "1 given up.\n"
    line = "Edition 2026-02-20: 2 due = 1 accepted + 1 skipped (1 dropped)\n"
    assert unsure.digest("deliveries", "balance") == line
    assert unsure.digest(*NOON) == line
    assert len(smtp_server.received) == 2
    assert unsure.digest_json("deliveries", "uncertain", "--drop") == {"dropped": 0}
    assert unsure.digest_json("deliveries", "uncertain") == []


def test_the_balance_is_that_of_the_run(unsure: Person) -> None:
    assert unsure.digest("deliveries", "balance") == LINE
    told = unsure.digest_json("deliveries", "balance", "--date", "2026-02-20")
    assert told == {**unsure.digest_json(*MORNING), "no_longer_kept": 0}


@pytest.mark.parametrize("option", ["--resend", "--drop"])
def test_it_is_refused_while_a_run_is_under_way(unsure: Person, option: str) -> None:
    engine = open_database(f"sqlite:///{unsure.folder}/var/digest.sqlite3")
    with advisory_lock(engine, "run"):
        assert "another run is under way" in unsure.fails("deliveries", "uncertain", option)
        assert unsure.digest("deliveries", "balance") == LINE
    engine.dispose()


def test_what_cannot_be_meant_is_told(unsure: Person) -> None:
    done = unsure.run("deliveries", "uncertain", "--resend", "--drop")
    assert (done.returncode, "not both" in done.stderr) == (2, True)
    assert unsure.run("deliveries", "balance", "--date", "today").returncode == 2
    for words in (("uncertain",), ("uncertain", "--drop"), ("balance",)):
        said = unsure.fails("deliveries", *words, "--date", "2020-01-31")
        assert said == "digest: there is no edition of 2020-01-31"


def test_before_the_first_run_there_is_nothing(newcomer: Person) -> None:
    assert "there is no edition yet" in newcomer.fails("deliveries", "balance")
    assert newcomer.digest("deliveries", "uncertain") == "Nothing is uncertain.\n"


def test_what_the_relay_refused_for_our_sake_is_told_and_tried_again(
    operator: Person, smtp_server: SmtpServer
) -> None:
    """The run ends with status 1, nobody is blocked, and after the fix all get their edition."""
    operator.settings["DIGEST_TRANSPORT"] = smtp_server.url()
    day = [entry(1, "Robots", submittedOnDailyAt="2026-02-20T01:00:00.000Z")]
    (operator.folder / "answer").write_text(json.dumps(day))
    operator.digest("collect", "--file", "answer")
    for name in ("ada", "bob"):
        operator.digest("subscribers", "add", f"{name}@example.org")
    reply = "554 Message rejected: sender identity is not verified"
    smtp_server.habit = lambda point, _: reply if point is Point.DOT else None
    done = operator.run(*MORNING)
    assert (done.returncode, done.stdout) == (1, "Edition 2026-02-20: 2 due = 2 deferred\n")
    said = " ".join(done.stderr.split())
    assert (
        f"the edition of 2026-02-20 is refused, and not for its readers' addresses: {reply}" in said
    )
    smtp_server.habit = lambda *_: None
    with time_machine.travel(NOW + timedelta(minutes=1), tick=False):
        status = operator.run("status", "--json")
        assert status.returncode == 1
        found = json.loads(status.stdout)
        assert found["refused"] == [{"day": "2026-02-20", "count": 2, "said": reply}]
        assert "refused" in [warning["kind"] for warning in found["warnings"]]
        assert operator.digest_json("deliveries", "retry") == {"resent": 2, "too_old": 0}
    soon = (NOW + timedelta(minutes=2)).isoformat()
    assert (
        operator.digest("run", "--once", "--now", soon)
        == "Edition 2026-02-20: 2 due = 2 accepted\n"
    )
