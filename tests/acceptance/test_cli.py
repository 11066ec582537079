"""The commands, as an operator types them."""

import json
import re
import signal
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from digest.app.app import App
from digest.cli.run import _when_sent, editions_line
from digest.ledger.database import open_database
from digest.ledger.ledger import Ledger
from tests.acceptance.conftest import PATIENCE, Api, Person, entry
from tests.integration.plans import claim_next
from tests.integration.smtp_server import HOST, nobody_listens

MORNING = ("run", "--now", "2026-02-20T08:00:00Z")


@pytest.fixture
def recorded(tmp_path: Path) -> str:
    """A recorded answer of the API, in a file whose name says nothing."""
    day = [
        entry(1, "Robots that fold laundry", submittedOnDailyAt="2026-02-20T01:00:00.000Z"),
        entry(2, "Agents at work", submittedOnDailyAt="2026-02-20T02:00:00.000Z"),
    ]
    path = tmp_path / "answer"
    path.write_text(json.dumps(day))
    return str(path)


@pytest.fixture
def undated(tmp_path: Path) -> str:
    """A recorded answer of the API that says nowhere of which day it is."""
    path = tmp_path / "undated.json"
    path.write_text(json.dumps([entry(1, "Robots that fold laundry"), entry(2, "Agents at work")]))
    return str(path)


def test_version(newcomer: Person) -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", newcomer.digest("--version"))


def test_collect_counts_what_is_new_and_what_is_updated(operator: Person, recorded: str) -> None:
    common = {"rejected": [], "listed_on": ["2026-02-20"], "doubts": [], "rising": 0}
    first = operator.digest_json("collect", "--file", recorded)
    assert first == {"papers": 2, "new": 2, "updated": 0, **common}
    again = operator.digest_json("collect", "--file", recorded)
    assert again == {"papers": 2, "new": 0, "updated": 0, **common}
    Path(recorded).write_text(json.dumps([entry(1, "Robots that fold laundry", upvotes=90)]))
    risen = operator.digest_json("collect", "--file", recorded, "--date", "2026-02-20")
    assert risen == {"papers": 1, "new": 0, "updated": 1, **common}
    said = operator.digest("collect", "--file", recorded, "--date", "2026-02-20")
    assert said == "1 paper: 0 new, 0 updated, listed on 2026-02-20.\n"


def test_collect_files_no_paper_without_a_day_under_today(operator: Person, undated: str) -> None:
    assert "say it with --date" in operator.fails("collect", "--file", undated)
    said = operator.digest("collect", "--file", undated, "--date", "2024-05-06")
    assert said == "2 papers: 2 new, 0 updated, listed on 2024-05-06.\n"


def test_collect_lists_what_it_cannot_read_and_keeps_the_rest(
    operator: Person, recorded: str, tmp_path: Path
) -> None:
    Path(recorded).write_text(json.dumps([entry(1, "Kept"), {"no": "paper"}]))
    odd = tmp_path / "odd.txt"
    odd.write_text("hello")
    files = [recorded, str(odd), "missing.json"]
    collected = operator.digest_json("collect", "--date", "2026-02-20", "--file", *files)
    assert collected["papers"] == 1
    left_out = [(each["file"], each["where"]) for each in collected["rejected"]]
    assert left_out == [
        (recorded, "entry 2"), (str(odd), "whole file"), ("missing.json", "whole file"),
    ]  # fmt: skip
    assert all(each["why"] for each in collected["rejected"])


def test_collect_asks_the_api_for_one_day(operator: Person, api: Api) -> None:
    operator.settings["DIGEST_HUGGINGFACE_URL"] = api.url
    api.days["2026-02-20"] = [entry(1, "A"), entry(2, "B")]
    assert operator.digest_json("collect", "--date", "2026-02-20")["new"] == 2
    assert len(list((operator.folder / "var" / "raw").rglob("*.json.gz"))) == 2


def test_feeds_that_are_set_but_not_asked_are_told(operator: Person, api: Api) -> None:
    operator.settings |= {
        "DIGEST_HUGGINGFACE_URL": api.url,
        "DIGEST_FEEDS": "pond=https://pond.example/rss",
    }
    no_effect = "DIGEST_FEEDS has no effect, because DIGEST_SOURCES does not name feeds."
    assert operator.run("collect", "--date", "2026-02-20").stderr.splitlines()[0] == no_effect
    named = operator.run("collect", "--date", "2026-02-20", "--source", "huggingface")
    assert "no effect" not in named.stderr
    operator.settings |= {"DIGEST_SOURCES": "feeds", "DIGEST_FEEDS": ""}
    assert "DIGEST_SOURCES has feeds, but DIGEST_FEEDS names none" in operator.fails("collect")


def test_a_source_that_is_down_is_told_and_fails(operator: Person) -> None:
    operator.settings |= {
        "DIGEST_HUGGINGFACE_URL": "http://127.0.0.1:1",
        "DIGEST_HTTP_ATTEMPTS": "1",
    }
    said = operator.fails("collect", "--date", "2026-02-20")
    assert "huggingface" in said
    assert "127.0.0.1:1" in said


def test_an_unknown_source_is_named(operator: Person) -> None:
    said = operator.fails("collect", "--source", "nature")
    assert "'nature'" in said
    assert "arxiv" in said


def test_run_sends_once_and_prints_the_balance(operator: Person, recorded: str) -> None:
    operator.digest("collect", "--file", recorded)
    operator.digest("subscribers", "add", "ada@example.org", "--topic", "robots")
    operator.digest("subscribers", "add", "bob@example.org", "--topic", "astrology")
    operator.digest("subscribers", "add", "eve@example.org")
    balance = operator.digest_json(*MORNING)
    assert balance == {
        "edition": "2026-02-20", "due": 3, "accepted": 2, "deferred": 0, "refused": 0,
        "suppressed": 0, "skipped": 1, "uncertain": 0, "pending": 0,
        "skipped_for": {"nothing-matched": 1},
        "is_being_planned": False,
    }  # fmt: skip
    mails = {path.name: path.read_bytes() for path in operator.mailbox()}
    assert sorted(name.split("-")[0] for name in mails) == ["ada@example.org", "eve@example.org"]
    assert operator.digest_json(*MORNING) == balance
    assert {path.name: path.read_bytes() for path in operator.mailbox()} == mails
    assert "3 due = 2 accepted + 1 skipped (1 nothing-matched)" in operator.digest(*MORNING)


def test_run_says_when_the_rest_is_sent_and_by_whom(operator: Person, recorded: str) -> None:
    operator.digest("collect", "--file", recorded)
    operator.digest("subscribers", "add", "ada@example.org", "--topic", "robots")
    operator.settings["DIGEST_SEND_WINDOW"] = "23:00-23:30"
    done = operator.run(*MORNING)
    assert done.returncode == 0
    assert "1 pending: emails are sent from 23:00 to 23:30 (DIGEST_SEND_WINDOW)." in done.stderr
    engine = open_database(f"sqlite:///{operator.folder}/var/digest.sqlite3")
    ledger = Ledger(engine)
    with ledger.live_workers.enter() as another:
        assert claim_next(ledger, another, datetime(2026, 2, 20, 8, tzinfo=UTC))
        said = operator.fails(*MORNING)
    engine.dispose()
    assert "1 pending: another process is sending them (digest up, schedule or worker)." in said


@pytest.mark.parametrize(
    ("engine", "who"), [("embedded", "a later run"), ("cluster", "digest worker")]
)
def test_run_says_who_sends_when_there_are_workers(tmp_path: Path, engine: str, who: str) -> None:
    settings = {"DIGEST_ENGINE": engine, "DIGEST_DATABASE_URL": "postgresql+psycopg://h/d"}
    app = App({**settings, "DIGEST_HOME": str(tmp_path)}, dotenv=None)
    now = datetime(2026, 2, 20, 8, tzinfo=UTC)
    assert _when_sent(app, now, others_send=False) == f"{who} sends them"


def test_run_collects_when_nothing_was_collected_yet(operator: Person, api: Api) -> None:
    operator.settings["DIGEST_HUGGINGFACE_URL"] = api.url
    api.days["2026-02-19"] = [entry(1, "Yesterday's")]
    operator.digest("subscribers", "add", "ada@example.org")
    assert operator.digest_json(*MORNING)["accepted"] == 1
    asked = len(api.asked)
    assert operator.digest_json(*MORNING)["accepted"] == 1
    assert len(api.asked) == asked, "the edition is frozen: nothing is asked again"


def test_run_without_papers_skips_everybody_and_makes_up_for_it(
    operator: Person, api: Api, recorded: str
) -> None:
    operator.settings["DIGEST_HUGGINGFACE_URL"] = api.url
    operator.digest("subscribers", "add", "ada@example.org")
    assert operator.digest_json(*MORNING)["skipped_for"] == {"no-papers": 1}
    operator.digest("collect", "--file", recorded)
    assert operator.digest_json(*MORNING)["accepted"] == 1


def test_a_test_mail_is_marked_and_leaves_no_trace_in_the_books(
    operator: Person, recorded: str
) -> None:
    operator.digest("collect", "--file", recorded)
    operator.digest("send", "--to", "me@example.org", "--topic", "robots", "agents")
    [mail] = operator.mailbox()
    assert b"\r\nSubject: [test] " in mail.read_bytes()
    assert operator.digest_json(*MORNING)["due"] == 0


def test_a_dry_run_prints_the_message_and_sends_nothing(operator: Person, recorded: str) -> None:
    operator.digest("collect", "--file", recorded)
    printed = operator.digest("send", "--to", "me@example.org", "--dry-run")
    assert printed.startswith("From: ")
    assert "\nTo: me@example.org" in printed
    assert operator.mailbox() == []


def test_a_topic_that_nothing_matches_is_said(operator: Person, recorded: str) -> None:
    operator.digest("collect", "--file", recorded)
    assert "no paper" in operator.fails("send", "--to", "me@example.org", "--topic", "astrology")


def test_preview_works_before_anything_is_set(newcomer: Person, recorded: str) -> None:
    assert "nothing is collected" in newcomer.fails("preview")
    newcomer.digest("collect", "--file", recorded)
    html, text = (newcomer.folder / line for line in newcomer.digest("preview").splitlines())
    assert "Robots that fold laundry" in html.read_text()
    assert "DIGEST_POSTAL_ADDRESS is not set" in text.read_text()


def test_a_digest_is_in_the_language_that_is_asked_for(operator: Person, recorded: str) -> None:
    operator.digest("collect", "--file", recorded)
    for language, said in (("ar", 'lang="ar" dir="rtl"'), ("de-AT", 'lang="de"'), ("ar-XB", "⟦")):
        file, _ = operator.digest("preview", "--language", language).splitlines()
        assert said in (operator.folder / file).read_text()
    message = operator.digest("send", "--to", "me@example.org", "--language", "fr", "--dry-run")
    assert "?lang=fr" in re.sub(r"=\r?\n", "", message).replace("=3D", "=")
    for words in (
        ("preview",),
        ("send", "--to", "me@example.org"),
        ("send", "--to", "me@example.org", "--state", "x"),
    ):
        refused = operator.run(*words, "--language", "tlh")
        assert refused.returncode == 2
        assert "'tlh' is not spoken here: expected one of ar, " in refused.stderr


def test_subscribers_are_added_listed_and_removed(operator: Person) -> None:
    operator.digest("subscribers", "add", "Ada@Example.ORG", "--topic", "a", "--topic", "b")
    [ada] = json.loads(operator.digest("subscribers", "list", "--json"))
    assert (ada["address"], ada["topics"], ada["consent"]) == (
        "Ada@example.org",
        ["a", "b"],
        "confirmed",
    )
    operator.digest("subscribers", "remove", "ada@example.org")
    assert operator.digest("subscribers", "list") == ""
    assert "ada@example.org" in operator.fails("subscribers", "remove", "ada@example.org")


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("add", "nobody"), "'nobody'"),
        (("add", "a@example.org", "--topic", "!!"), "'!!'"),
    ],
)
def test_bad_subscribers_are_refused_by_name(
    operator: Person, words: tuple[str, ...], named: str
) -> None:
    assert named in operator.fails("subscribers", *words)


def test_a_missing_setting_is_one_line_that_names_it(newcomer: Person) -> None:
    done = newcomer.run(*MORNING)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert "DIGEST_FROM" in line


def test_a_malformed_setting_is_one_line_that_names_it(operator: Person) -> None:
    operator.settings["DIGEST_BASE_URL"] = "http://digest.example.org"
    [line] = operator.run("config").stderr.splitlines()
    assert line.startswith("digest: DIGEST_BASE_URL is 'http://digest.example.org': expected https")


def test_config_tells_values_and_origins_but_no_secrets(operator: Person) -> None:
    (operator.folder / ".env").write_text("DIGEST_FROM_NAME=From the file\n")
    (operator.folder / "relay").write_text("smtps://me:hunter2@relay.example.org\n")
    operator.settings["DIGEST_TRANSPORT_FILE"] = "relay"
    printed = operator.digest("config")
    assert "DIGEST_FROM_NAME=From the file  (.env)" in printed
    assert "DIGEST_FROM=digest@example.org  (environment)" in printed
    assert "DIGEST_HOME=./var  (default)" in printed
    assert "smtps://me:••••••••@relay.example.org  (environment, relay)" in printed
    assert "hunter2" not in printed
    assert operator.settings["DIGEST_SECRET"] not in printed


def test_db_upgrade_may_be_repeated(newcomer: Person) -> None:
    assert newcomer.digest("db", "upgrade") == newcomer.digest("db", "upgrade")
    assert (newcomer.folder / "var" / "digest.sqlite3").is_file()


def test_a_run_with_trouble_is_told_to_the_operator_by_mail(operator: Person) -> None:
    with nobody_listens() as port:
        operator.settings |= {
            "DIGEST_OPERATOR": "operator@example.org",
            "DIGEST_HUGGINGFACE_URL": f"http://{HOST}:{port}",
            "DIGEST_HTTP_ATTEMPTS": "1",
        }
        told = operator.fails("run", "--once")
    assert "no edition: fewer than 5 papers are there" in told
    [mail] = operator.mailbox()
    assert mail.name.startswith("operator@example.org")
    assert "DIGEST_ENOUGH_PAPERS" in mail.read_text()


@pytest.mark.parametrize(
    ("at", "today"), [("07:59", "today's is still to come"), ("08:00", "today's is made now")]
)
def test_it_says_when_todays_edition_is_made(operator: Person, at: str, today: str) -> None:
    app = App(environment=operator.settings, dotenv=None, home=str(operator.folder / "var"))
    now = datetime.fromisoformat(f"2026-02-20T{at}Z")
    assert editions_line(app, now) == f"An edition is made each day at 08:00 UTC; {today}."


def test_it_says_that_todays_edition_was_made(operator: Person, recorded: str) -> None:
    operator.digest("collect", "--file", recorded)
    operator.digest(*MORNING)
    app = App(environment=operator.settings, dotenv=None, home=str(operator.folder / "var"))
    now = datetime(2026, 2, 20, 9, tzinfo=UTC)
    assert editions_line(app, now).endswith("; today's was made before.")


def test_the_schedule_says_when_and_stops_when_told(
    operator: Person, start: Callable[..., subprocess.Popen[str]]
) -> None:
    operator.settings |= {"DIGEST_RUN_AT": "03:30", "DIGEST_TIMEZONE": "Europe/Oslo"}
    process = start(operator, "schedule", sign="each day at 03:30 Europe/Oslo")
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0
