"""The log of a command: one delivery to be followed in it, and nobody's address."""

import json

import pytest

from digest.collect.sample_edition import SAMPLE_EDITION
from tests.acceptance.conftest import Done, Person
from tests.integration.smtp_server import Point, SmtpServer

MORNING = "2025-12-05T08:00:00+00:00"
LATER = "2025-12-05T09:00:00+00:00"


@pytest.fixture
def collected(operator: Person, smtp_server: SmtpServer) -> Person:
    operator.settings["DIGEST_TRANSPORT"] = smtp_server.url()
    operator.digest("subscribers", "add", "ada@example.org", "--topic", "video generation")
    operator.digest("collect", "--file", str(SAMPLE_EDITION), "--date", "2025-12-05")
    return operator


def logged(done: Done) -> list[dict[str, object]]:
    """The lines of the log; others are for a person."""
    return [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]


def test_a_delivery_is_followed_by_its_number(collected: Person, smtp_server: SmtpServer) -> None:
    smtp_server.will_say(Point.RCPT, "450 4.2.1 <ada@example.org> is busy")
    [busy] = logged(collected.run("run", "--once", "--now", MORNING))
    assert busy.pop("timestamp")
    assert busy == {
        "event": "a delivery was not accepted",
        "level": "warning",
        "delivery": 1,
        "outcome": "deferred",
        "code": 450,
        "text": "4.2.1 <a…@example.org> is busy",
    }
    smtp_server.will_say(Point.RCPT, "550 5.1.1 <ada@example.org> is unknown")
    refused, blocked = logged(collected.run("run", "--once", "--now", LATER))
    assert (refused["delivery"], refused["text"]) == (1, "5.1.1 <a…@example.org> is unknown")
    assert blocked["event"] == "an address is blocked"
    assert blocked["delivery"] == 1
    told = collected.digest("why", "1")
    assert "deferred: 450 4.2.1 <ada@example.org> is busy" in told
    assert "refused: 550 5.1.1 <ada@example.org> is unknown" in told
    assert "  2025-12-05 09:00 came back, hard: " in told


def test_addresses_are_in_it_where_that_is_set(collected: Person, smtp_server: SmtpServer) -> None:
    collected.settings["DIGEST_LOG_ADDRESSES"] = "yes"
    smtp_server.will_say(Point.RCPT, "450 4.2.1 <ada@example.org> is busy")
    [busy] = logged(collected.run("run", "--once", "--now", MORNING))
    assert busy["text"] == "4.2.1 <ada@example.org> is busy"


def test_it_is_lines_for_people_where_that_is_set(
    collected: Person, smtp_server: SmtpServer
) -> None:
    collected.settings["DIGEST_LOG_FORMAT"] = "lines"
    smtp_server.will_say(Point.RCPT, "450 4.2.1 <ada@example.org> is busy")
    done = collected.run("run", "--now", MORNING)
    assert logged(done) == []
    [line] = [line for line in done.stderr.splitlines() if "[warning" in line]
    assert "a delivery was not accepted" in line
    assert "code=450" in line


def test_a_fault_of_ours_is_logged_and_tells_no_address(
    collected: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("cannot serve ada@example.org")

    monkeypatch.setattr("digest.monitoring.why_text.why_lines", fail)
    done = collected.run("why", "ada@example.org")
    [line] = logged(done)
    assert (done.returncode, done.stdout) == (1, "")
    assert "RuntimeError: cannot serve a…@example.org" in str(line["exception"])
    assert "ada@example.org" not in done.stderr
