"""Backups of both databases: made while others work, put back as a whole, or not at all."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import Engine, make_url, select, text

from digest.app.app import App
from digest.errors import LedgerError
from digest.ledger import pg_tools
from digest.ledger.claims import Limits
from digest.ledger.database import NEWEST_REVISION, ensure_current, open_database, revision
from digest.ledger.ledger import Ledger
from digest.ledger.locks import advisory_lock
from digest.ledger.tables import papers
from digest.maintenance.backup import Backups
from digest.maintenance.instance_guard import InstanceGuard
from digest.model.deliveries import DeliveryState
from digest.model.messages import Outcome, OutcomeKind
from subscribers.model import SuppressionReason
from subscribers.store.registry import Registry
from tests.integration.ledger.test_database import another_process_holding, downgrade, set_revision
from tests.integration.ledger.test_papers import absorb
from tests.integration.people import look
from tests.integration.plans import bring, plan
from tests.support import NOW, SENDING, TODAY, make_sighting

S = DeliveryState


@pytest.fixture(autouse=True)
def _tools(database_url: str) -> None:
    if database_url.startswith("postgresql") and shutil.which("pg_dump") is None:
        pytest.skip("no pg_dump on this machine")


@pytest.fixture
def engine(database_url: str):
    engine = open_database(database_url)
    ensure_current(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def backups(database_url: str, home: Path) -> Backups:
    return Backups(database_url, home)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a backup's file"


def fill(engine: Engine) -> None:
    """Somebody, and an edition that they have."""
    ledger, registry = Ledger(engine), Registry(engine)
    registry.add("ada@example.org", (), source="test", now=NOW)
    registry.suppressions.add("x@example.org", SuppressionReason.OPERATOR, now=NOW)
    absorb(ledger, make_sighting(1, title="O'Hara's \\ “%s” – ünï 模型"))
    with ledger.live_workers.enter() as claims:
        bring(ledger, claims, plan(ledger, ledger.editions.freeze(TODAY, TODAY, NOW)), S.ACCEPTED)


def titles(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(select(papers.c.title)).scalars())


def guard(engine: Engine, home: Path) -> InstanceGuard:
    return InstanceGuard(engine, home, "this-host")


# ---- there and back ----------------------------------------------------------------------------


def test_what_is_put_back_is_what_there_was(engine, backups, file, home):
    fill(engine)
    before, papers_before = look(engine), titles(engine)
    made = backups.make(file, now=NOW)
    assert (made.file, made.octets) == (file, file.stat().st_size)
    assert (made.contents.subscribers, made.contents.blocks) == (1, 1)
    assert (made.contents.papers, made.contents.editions) == (1, 1)
    assert made.contents.revision == NEWEST_REVISION
    assert file.stat().st_mode & 0o777 == 0o600

    Registry(engine).remove("ada@example.org")
    absorb(Ledger(engine), make_sighting(2))
    done = backups.restore(file, force=True, now=NOW)
    assert (done.contents, done.revision) == (made.contents, NEWEST_REVISION)
    assert look(engine) == before
    assert titles(engine) == papers_before
    assert revision(engine) == NEWEST_REVISION

    assert done.kept  # what was there is a backup itself
    backups.restore(done.kept, force=True, now=NOW + timedelta(seconds=1))
    assert not Registry(engine).everybody()
    assert len(titles(engine)) == 2


def test_ids_go_on_where_they_were(engine, backups, file):
    """Someone who was removed before the backup leaves a number that nobody gets."""
    registry = Registry(engine)
    registry.add("ada@example.org", (), source="test", now=NOW)
    last = registry.add("bob@example.org", (), source="test", now=NOW).id
    registry.remove("bob@example.org")
    backups.make(file, now=NOW)
    backups.restore(file, force=True, now=NOW)
    assert registry.add("eve@example.org", (), source="test", now=NOW).id > last


def test_an_empty_ledger_is_replaced_without_ado(engine, backups, file, home):
    fill(engine)
    backups.make(file, now=NOW)
    for table in ("attempts", "delivery_papers", "deliveries", "edition_papers", "editions",
                  "listings", "observations", "papers", "suppressions", "subscribers"):  # fmt: skip
        with engine.begin() as connection:
            connection.execute(text(f"DELETE FROM {table}"))
    assert backups.restore(file, now=NOW).kept is None
    assert len(Registry(engine).everybody()) == 1


def test_one_that_is_not_there_is_made(engine, backups, file, home, database_url, tmp_path):
    fill(engine)
    backups.make(file, now=NOW)
    if engine.dialect.name == "sqlite":
        engine.dispose()
        (tmp_path / "digest.sqlite3").unlink()
        # What is left of another is not taken for a part of this one.
        (tmp_path / "digest.sqlite3-wal").write_bytes(b"old")
    else:
        downgrade(engine, "base")
        with engine.begin() as connection:
            connection.execute(text("DROP TABLE alembic_version"))
    assert backups.restore(file, now=NOW).contents.subscribers == 1
    assert len(Registry(engine).everybody()) == 1
    if engine.dialect.name == "sqlite":
        assert (tmp_path / "digest.sqlite3").stat().st_mode & 0o777 == 0o600


# ---- the guard ----------------------------------------------------------------------------------


@pytest.mark.parametrize("has_sent", [True, False], ids=["has sent", "has never sent"])
def test_nothing_is_sent_from_what_was_put_back(engine, backups, file, home, has_sent):
    fill(engine)
    if has_sent:
        guard(engine, home).renew(NOW)
    backups.make(file, now=NOW)
    guard(engine, home).check()  # the original sends on
    guard(engine, home).renew(NOW)
    backups.restore(file, force=True, now=NOW)
    with pytest.raises(LedgerError, match="digest db adopt"):
        guard(engine, home).renew(NOW)
    guard(engine, home).adopt(NOW)
    guard(engine, home).renew(NOW)


@pytest.mark.parametrize(
    "at", ["0001", *(pytest.param(each, marks=pytest.mark.long) for each in ("0006", "0007"))]
)
def test_an_older_one_is_upgraded_and_marked_as_well(engine, backups, file, home, at):
    fill(engine)
    downgrade(engine, at)
    assert backups.make(file, now=NOW).contents.revision == at
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM suppressions"))
    done = backups.restore(file, force=True, now=NOW)
    assert (done.revision, done.contents.revision) == (at, NEWEST_REVISION)
    assert revision(engine) == NEWEST_REVISION
    assert Registry(engine).suppressions.covers("x@example.org")
    with pytest.raises(LedgerError, match="digest db adopt"):
        guard(engine, home).renew(NOW)


def test_an_older_one_replaces_a_newer_one(engine, backups, file):
    fill(engine)
    downgrade(engine, "0006")
    backups.make(file, now=NOW)
    from digest.ledger.database import upgrade

    upgrade(engine)
    backups.restore(file, force=True, now=NOW)
    assert revision(engine) == NEWEST_REVISION
    assert len(titles(engine)) == 1


# ---- what is refused ------------------------------------------------------------------------------


def refused(backups, file, match, *, force=True):
    with pytest.raises(LedgerError, match=match) as error:
        backups.restore(file, force=force, now=NOW)
    assert "\n" not in str(error.value)


def test_a_ledger_that_is_not_empty_wants_force(engine, backups, file):
    fill(engine)
    backups.make(file, now=NOW)
    refused(backups, file, "there is a ledger with 1 subscriber: --force", force=False)


def test_a_backup_that_is_there_wants_force(engine, backups, file):
    fill(engine)
    file.write_text("precious", encoding="utf-8")
    with pytest.raises(LedgerError, match="is there already: --force replaces it"):
        backups.make(file, now=NOW)
    assert file.read_text(encoding="utf-8") == "precious"
    backups.make(file, force=True, now=NOW)
    assert backups.restore(file, force=True, now=NOW).contents.subscribers == 1


@pytest.mark.parametrize("work", ["run", "collection"])
def test_not_while_somebody_works(engine, backups, file, work):
    fill(engine)
    backups.make(file, now=NOW)
    with another_process_holding(engine, work):
        refused(backups, file, f"another {work} is under way")


def test_not_while_somebody_sends(engine, backups, file):
    fill(engine)
    backups.make(file, now=NOW)
    ledger = Ledger(engine)
    edition = ledger.editions.on(TODAY)
    with ledger.live_workers.enter() as claims:
        bring(ledger, claims, plan(ledger, edition, 2), S.SENDING)
        refused(backups, file, "mails are being sent")
        with advisory_lock(engine, "run"):  # nothing is held after it was refused
            pass
    backups.restore(file, force=True, now=NOW)


def test_a_letter_is_no_backup(engine, backups, file):
    fill(engine)
    file.write_text("a letter to my aunt", encoding="utf-8")
    refused(backups, file, "is no backup of a ledger")
    refused(backups, file.with_name("nowhere"), "No such file")


def test_a_damaged_one_changes_nothing(engine, backups, file):
    fill(engine)
    backups.make(file, now=NOW)
    whole, before = file.read_bytes(), look(engine)
    for damaged in (whole[: len(whole) * 2 // 3], whole[:50]):
        file.write_bytes(damaged)
        refused(backups, file, ".")
        assert look(engine) == before
    if engine.dialect.name == "sqlite":
        garbage = os.urandom(4096 * 6)
        file.write_bytes(whole[: 4096 * 20] + garbage + whole[4096 * 26 :])
        refused(backups, file, "damaged|malformed")
        assert look(engine) == before
    assert not list(file.parent.rglob("*.before-*"))  # it did not come to that


def test_a_newer_one_is_for_a_newer_program(engine, backups, file):
    fill(engine)
    set_revision(engine, "0999")
    backups.make(file, now=NOW)
    set_revision(engine, NEWEST_REVISION)
    refused(backups, file, "at revision 0999, .*upgrade the program")
    assert revision(engine) == NEWEST_REVISION


def test_nothing_to_back_up(database_url, home, file):
    with pytest.raises(LedgerError, match="there is no ledger yet"):
        Backups(database_url, home).make(file, now=NOW)
    assert not file.exists()


def test_no_trace_is_left_beside(engine, backups, file, home, tmp_path):
    fill(engine)
    backups.make(file, now=NOW)
    with pytest.raises(LedgerError):
        backups.make(tmp_path / "no folder" / "x", now=NOW)
    backups.restore(file, force=True, now=NOW)
    engine.dispose()
    left = {each.name for each in tmp_path.rglob("*")}
    assert not {each for each in left if ".part" in each}, left


# ---- of one kind only ---------------------------------------------------------------------------


@pytest.fixture
def sqlite(engine):
    if engine.dialect.name != "sqlite":
        pytest.skip("of SQLite only")


@pytest.fixture
def postgres(engine):
    if engine.dialect.name == "sqlite":
        pytest.skip("of PostgreSQL only")


@pytest.mark.usefixtures("sqlite")
def test_a_backup_in_sqlite_is_one_whole_file_and_a_database(engine, backups, file):
    fill(engine)
    backups.make(file, now=NOW)
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert connection.execute("SELECT count(*) FROM subscribers").fetchone() == (1,)
    connection.close()


@pytest.mark.usefixtures("sqlite")
def test_the_ledger_itself_is_no_place_for_its_backup(engine, backups, tmp_path):
    fill(engine)
    with pytest.raises(LedgerError, match="is the ledger itself"):
        backups.make(tmp_path / "digest.sqlite3", force=True, now=NOW)
    with pytest.raises(LedgerError, match="is no file"):
        backups.make(tmp_path, force=True, now=NOW)
    assert len(Registry(engine).everybody()) == 1


@pytest.mark.usefixtures("sqlite")
def test_who_has_the_ledger_open_sees_what_was_put_back(engine, backups, file, database_url):
    """As `digest serve` has."""
    fill(engine)
    backups.make(file, now=NOW)
    pages = open_database(database_url)
    with pages.connect() as connection:
        Registry(engine).remove("ada@example.org")
        assert connection.execute(text("SELECT count(*) FROM subscribers")).scalar() == 0
        connection.rollback()
        backups.restore(file, force=True, now=NOW)
        assert connection.execute(text("SELECT count(*) FROM subscribers")).scalar() == 1
    Registry(pages).add("bob@example.org", (), source="test", now=NOW)
    assert len(Registry(engine).everybody()) == 2
    pages.dispose()


@pytest.mark.usefixtures("sqlite")
def test_a_ledger_that_is_damaged_can_be_replaced_and_is_kept(engine, backups, file, tmp_path):
    fill(engine)
    backups.make(file, now=NOW)
    engine.dispose()
    path = tmp_path / "digest.sqlite3"
    path.write_bytes(garbage := b"no database at all " * 1000)
    refused(backups, file, "no ledger that could be read", force=False)
    done = backups.restore(file, force=True, now=NOW)
    assert done.kept
    assert done.kept.read_bytes() == garbage
    assert len(Registry(engine).everybody()) == 1


@pytest.mark.usefixtures("sqlite")
@pytest.mark.parametrize("harm", ["torn", "overwritten"])
def test_a_ledger_with_a_bad_place_in_it_can_be_replaced(engine, backups, file, tmp_path, harm):
    fill(engine)
    backups.make(file, now=NOW)
    engine.dispose()
    path = tmp_path / "digest.sqlite3"
    whole = path.read_bytes()
    garbage = b"?" * 4096 * 12
    bad = whole[:20_000] if harm == "torn" else whole[:4096] + garbage + whole[4096 * 13 :]
    path.write_bytes(bad)
    done = backups.restore(file, force=True, now=NOW)
    assert done.kept
    assert len(Registry(engine).everybody()) == 1
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"


@pytest.mark.usefixtures("sqlite")
def test_another_programs_database_is_not_replaced_in_passing(engine, backups, file, tmp_path):
    fill(engine)
    backups.make(file, now=NOW)
    other = tmp_path / "other.sqlite3"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE songs (title)")
    connection.close()
    theirs = Backups(f"sqlite:///{other}", tmp_path)
    refused(theirs, file, "the database of something else", force=False)
    with pytest.raises(LedgerError, match="the database of something else"):
        theirs.make(tmp_path / "another", now=NOW)


@pytest.mark.usefixtures("postgres")
def test_a_kind_is_not_put_into_the_other(engine, backups, file, tmp_path):
    fill(engine)
    backups.make(file, now=NOW)
    refused(
        Backups(f"sqlite:///{tmp_path}/other", tmp_path), file, "no backup of a ledger in SQLite"
    )
    in_sqlite = tmp_path / "in sqlite"
    with sqlite3.connect(in_sqlite) as connection:
        connection.execute("CREATE TABLE songs (title)")
    connection.close()
    refused(backups, in_sqlite, "no backup of a ledger in PostgreSQL")


@pytest.mark.usefixtures("postgres")
def test_a_password_is_in_no_command_line(engine, monkeypatch, file):
    url = make_url("postgresql+psycopg://o%27hara:s3cr%27et@db.example.org:99/a b?sslmode=require")
    seen = []

    def run(command, **named):
        seen.append((command, named["env"]))
        return subprocess.CompletedProcess(command, 1, "", "pg_dump: error: no\nmore\n")

    monkeypatch.setattr(subprocess, "run", run)
    elsewhere = open_database(url.render_as_string(hide_password=False))
    with pytest.raises(LedgerError, match=r"^pg_dump: error: no$"):
        pg_tools.dump(elsewhere, file, "public", ["papers"], "1")
    [(command, environment)] = seen
    assert not any("s3cr" in each for each in command)
    assert environment["PGPASSWORD"] == "s3cr'et"
    assert r"user='o\'hara'" in command[-1]
    assert "sslmode='require'" in command[-1]


@pytest.mark.usefixtures("postgres")
def test_without_the_tools_it_says_what_to_install(engine, backups, file, monkeypatch):
    fill(engine)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(LedgerError, match="there is no pg_dump: install PostgreSQL's client"):
        backups.make(file, now=NOW)
    assert not file.exists()


@pytest.mark.usefixtures("postgres")
def test_what_fails_in_the_middle_leaves_all_as_it_was(engine, backups, file, monkeypatch):
    fill(engine)
    backups.make(file, now=NOW)
    before = look(engine)
    write_script = pg_tools.write_script

    def write_broken_script(path, script):
        write_script(path, script)
        lines = script.read_text(encoding="utf-8").splitlines(keepends=True)
        script.write_text("".join(lines[: len(lines) * 2 // 3]) + ";\nSELECT 1/0;\n")

    monkeypatch.setattr(pg_tools, "write_script", write_broken_script)
    refused(backups, file, "psql")
    assert look(engine) == before
    assert revision(engine) == NEWEST_REVISION


@pytest.mark.usefixtures("postgres")
def test_what_else_is_in_the_schema_is_left_alone(engine, backups, file):
    fill(engine)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE songs (title text)"))
        connection.execute(text("INSERT INTO songs VALUES ('yesterday')"))
    backups.make(file, now=NOW)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO songs VALUES ('today')"))
    backups.restore(file, force=True, now=NOW)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM songs")).scalar() == 2


# ---- while others work ----------------------------------------------------------------------------


def test_a_backup_while_mails_are_sent_agrees_with_itself(engine, backups, file, tmp_path, home):
    """Each claim and each outcome is in it as a whole, and the sum is right; nobody is held up."""
    ledger = Ledger(engine)
    absorb(ledger, make_sighting(1))
    edition = ledger.editions.freeze(TODAY, TODAY, NOW)
    people = 150
    for number in range(people):
        plan(ledger, edition, number)
    sent, errors, enough = [], [], Event()

    def send() -> None:
        try:
            with ledger.live_workers.enter() as claims:
                while delivery := claims.next(Limits(), NOW):
                    claims.record(delivery, Outcome(OutcomeKind.ACCEPTED, "ok", 250), None, NOW)
                    sent.append(delivery)
                    if len(sent) > 10:
                        enough.set()
        except Exception as error:  # noqa: BLE001  told by the test
            errors.append(error)
        finally:
            enough.set()

    with ExitStack() as stack:
        threads = [threading.Thread(target=send) for _ in range(3)]
        for each in threads:
            each.start()
            stack.callback(each.join)
        assert enough.wait(20)
        made = [backups.make(tmp_path / f"{n}", now=NOW) for n in range(2)]
    assert not errors
    assert len(sent) == people
    for each in made:
        backups.restore(each.file, force=True, now=NOW)
        balance = ledger.editions.balance(edition)
        assert balance.due == people
        assert balance.is_balanced
        with engine.connect() as connection:
            attempts = connection.execute(text("SELECT count(*) FROM attempts")).scalar()
        assert attempts == balance.accepted
        (home / "instance").unlink(missing_ok=True)
        for kept in [*home.glob("*.before-*"), *tmp_path.glob("*.before-*")]:
            kept.unlink()


KILLED = """
import sys
from datetime import datetime, UTC
from pathlib import Path
from digest.maintenance.backup import Backups
backups = Backups(sys.argv[1], Path(sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
backups.restore(Path(sys.argv[3]), force=True, now=datetime.now(UTC))
print("done", flush=True)
"""


@pytest.mark.parametrize(
    "after", [0.1, *(pytest.param(each, marks=pytest.mark.long) for each in (0, 0.05, 0.3))]
)
def test_a_restore_that_is_killed_leaves_the_old_or_the_new(
    engine, backups, file, home, database_url, after
):
    fill(engine)
    new = look(engine)
    backups.make(file, now=NOW)
    registry = Registry(engine)
    registry.remove("ada@example.org")
    for number in range(50):
        registry.add(f"r{number}@example.org", (), source="test", now=NOW)
    old = look(engine)
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, database_url, str(home), str(file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        assert process.stdout.readline() == "ready\n"
        process.stdin.write("go\n")
        process.stdin.flush()
        Event().wait(after)
        os.killpg(process.pid, signal.SIGKILL)
    assert look(engine) in (old, new)
    backups.restore(file, force=True, now=NOW)  # what it held is free
    assert look(engine) == new


def test_the_application_has_them(tmp_path):
    app = App({}, None, home=str(tmp_path), **SENDING)
    registry = app.registry
    registry.add("ada@example.org", (), source="test", now=NOW)
    made = app.backups.make(tmp_path / "backup", now=NOW)
    assert made.contents.subscribers == 1
    app.engine.dispose()
