"""Backups in SQLite: made while others work, put back as a whole, or not at all."""

import os
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
from sqlalchemy import Engine, select, text

from digest.errors import LedgerError
from digest.ledger import sqlite_files
from digest.ledger.database import (
    NEWEST_REVISION,
    ensure_current,
    open_database,
    revision,
    upgrade,
)
from digest.ledger.ledger import Ledger
from digest.ledger.locks import advisory_lock
from digest.ledger.search_index import SearchIndex
from digest.ledger.tables import papers
from digest.maintenance.backup import back_up, restore, upgrade_ledger
from digest.maintenance.instance_guard import InstanceGuard
from digest.model.deliveries import DeliveryState
from digest.model.messages import Outcome, OutcomeKind
from digest.rank.index_words import VERSION
from subscribers.model import SuppressionReason
from subscribers.store.registry import Registry
from tests.integration.ledger.test_database import another_process_holding, set_revision
from tests.integration.ledger.test_migrations import fill as fill_tables
from tests.integration.ledger.test_migrations import rows_of, upgrade_to
from tests.integration.ledger.test_papers import absorb
from tests.integration.people import look
from tests.integration.plans import bring, claim_next, plan, record
from tests.support import NOW, TODAY, make_sighting

S = DeliveryState


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'digest.sqlite3'}"


@pytest.fixture
def engine(url: str):
    engine = open_database(url)
    ensure_current(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


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


def test_what_is_put_back_is_what_there_was(engine, url, file, home):
    fill(engine)
    before, papers_before = look(engine), titles(engine)
    made = back_up(url, file, now=NOW)
    assert (made.file, made.octets) == (file, file.stat().st_size)
    assert (made.counts.subscribers, made.counts.blocks) == (1, 1)
    assert (made.counts.papers, made.counts.editions) == (1, 1)
    assert made.counts.revision == NEWEST_REVISION
    assert file.stat().st_mode & 0o777 == 0o600

    Registry(engine).remove("ada@example.org")
    absorb(Ledger(engine), make_sighting(2))
    done = restore(url, file, force=True, now=NOW)
    assert (done.counts, done.revision) == (made.counts, NEWEST_REVISION)
    assert look(engine) == before
    assert titles(engine) == papers_before
    assert revision(engine) == NEWEST_REVISION

    assert done.kept  # what was there is a backup itself
    restore(url, done.kept, force=True, now=NOW + timedelta(seconds=1))
    assert not Registry(engine).everybody()
    assert len(titles(engine)) == 2


def test_ids_go_on_where_they_were(engine, url, file):
    """Someone who was removed before the backup leaves a number that nobody gets."""
    registry = Registry(engine)
    registry.add("ada@example.org", (), source="test", now=NOW)
    last = registry.add("bob@example.org", (), source="test", now=NOW).id
    registry.remove("bob@example.org")
    back_up(url, file, now=NOW)
    restore(url, file, force=True, now=NOW)
    assert registry.add("eve@example.org", (), source="test", now=NOW).id > last


def test_an_empty_ledger_is_replaced_without_ado(engine, url, file, home):
    fill(engine)
    back_up(url, file, now=NOW)
    for table in ("attempts", "deliveries", "edition_papers", "editions",
                  "listings", "observations", "paper_names", "paper_words", "pictures", "papers",
                  "suppressions", "subscribers"):  # fmt: skip
        with engine.begin() as connection:
            connection.execute(text(f"DELETE FROM {table}"))
    assert restore(url, file, now=NOW).kept is None
    assert len(Registry(engine).everybody()) == 1


def test_one_that_is_not_there_is_made(engine, url, file, home, tmp_path):
    fill(engine)
    back_up(url, file, now=NOW)
    engine.dispose()
    (tmp_path / "digest.sqlite3").unlink()
    # What is left of another is not taken for a part of this one.
    (tmp_path / "digest.sqlite3-wal").write_bytes(b"old")
    assert restore(url, file, now=NOW).counts.subscribers == 1
    assert len(Registry(engine).everybody()) == 1
    assert (tmp_path / "digest.sqlite3").stat().st_mode & 0o777 == 0o600


# ---- the guard ----------------------------------------------------------------------------------


@pytest.mark.parametrize("has_sent", [True, False], ids=["has sent", "has never sent"])
def test_nothing_is_sent_from_what_was_put_back(engine, url, file, home, has_sent):
    fill(engine)
    if has_sent:
        guard(engine, home).renew(NOW)
    back_up(url, file, now=NOW)
    guard(engine, home).check()  # the original sends on
    guard(engine, home).renew(NOW)
    restore(url, file, force=True, now=NOW)
    with pytest.raises(LedgerError, match="digest db adopt"):
        guard(engine, home).renew(NOW)
    guard(engine, home).adopt(NOW)
    guard(engine, home).renew(NOW)


@pytest.fixture
def older(url: str) -> Engine:
    """A ledger at the first revision, with three rows in every table."""
    engine = open_database(url)
    upgrade_to(engine, "0001")
    fill_tables(engine)
    yield engine
    engine.dispose()


def test_an_older_one_is_upgraded_and_marked_as_well(older, url, file, home):
    assert back_up(url, file, now=NOW).counts.revision == "0001"
    with older.begin() as connection:
        connection.execute(text("DELETE FROM suppressions"))
    done = restore(url, file, force=True, now=NOW)
    assert (done.revision, done.counts.revision) == ("0001", NEWEST_REVISION)
    assert revision(older) == NEWEST_REVISION
    assert Registry(older).suppressions.covers("x@example.org")
    with pytest.raises(LedgerError, match="digest db adopt"):
        guard(older, home).renew(NOW)


def test_an_older_one_replaces_a_newer_one(older, url, file):
    back_up(url, file, now=NOW)
    upgrade(older)
    restore(url, file, force=True, now=NOW)
    assert revision(older) == NEWEST_REVISION
    assert len(titles(older)) == 3


def test_papers_are_found_after_an_upgrade_and_in_what_was_put_back(older, url, file):
    with older.begin() as connection:
        connection.execute(text("UPDATE papers SET title = 'Ducks on ponds'"))
    back_up(url, file, now=NOW)
    upgrade_ledger(url, NOW)
    assert len(SearchIndex(older).having("duck")) == 3
    restore(url, file, force=True, now=NOW + timedelta(seconds=1))  # of the first revision
    assert len(SearchIndex(older).having("duck")) == 3
    back_up(url, file, force=True, now=NOW)
    with older.begin() as connection:
        connection.execute(text("UPDATE paper_words SET version = 0"))
    restore(url, file, force=True, now=NOW + timedelta(seconds=2))  # of this one
    assert SearchIndex(older).unread(VERSION, 9) == []
    assert len(SearchIndex(older).having("duck")) == 3


# ---- before an upgrade -----------------------------------------------------------------------------


def test_before_an_upgrade_the_file_is_kept(older, url, tmp_path, home):
    rows = rows_of(older)
    kept = upgrade_ledger(url, NOW)
    assert kept == tmp_path / "digest.sqlite3.before-20260220T080000Z"
    assert revision(older) == NEWEST_REVISION
    before = open_database(f"sqlite:///{kept}")
    assert revision(before) == "0001"
    assert rows_of(before) == rows
    before.dispose()
    assert upgrade_ledger(url, NOW) is None  # nothing is to be done
    restore(url, kept, force=True, now=NOW + timedelta(seconds=1))
    with pytest.raises(LedgerError, match="digest db adopt"):
        guard(older, home).renew(NOW)


def test_without_that_backup_nothing_is_upgraded(older, url, tmp_path):
    there = tmp_path / "digest.sqlite3.before-20260220T080000Z"
    there.write_text("an older one", encoding="utf-8")
    with pytest.raises(LedgerError, match="exists already"):
        upgrade_ledger(url, NOW)
    assert revision(older) == "0001"
    assert there.read_text(encoding="utf-8") == "an older one"


def test_a_new_or_a_current_ledger_is_not_kept(url, tmp_path):
    assert upgrade_ledger(url, NOW) is None
    assert upgrade_ledger(url, NOW) is None
    assert not list(tmp_path.glob("*.before-*"))


# ---- the copy is counted ---------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["suppressions", "attempts"])
def test_a_copy_that_lacks_rows_is_refused(engine, url, file, tmp_path, monkeypatch, table):
    fill(engine)
    back_up(url, file, now=NOW)
    before = look(engine)
    copy_pages = sqlite_files._copy_pages

    def lose_rows(reading, writing, progress):
        copy_pages(reading, writing, progress)
        writing.execute(f"DELETE FROM {table}")

    monkeypatch.setattr(sqlite_files, "_copy_pages", lose_rows)
    lost = f"is an incomplete copy of .*: it has 0 of 1 rows in {table}"
    with pytest.raises(LedgerError, match=lost):
        back_up(url, tmp_path / "another", now=NOW)
    assert not (tmp_path / "another").exists()
    refused(url, file, lost)
    assert look(engine) == before


# ---- what is refused ------------------------------------------------------------------------------


def refused(url, file, match, *, force=True):
    with pytest.raises(LedgerError, match=match) as error:
        restore(url, file, force=force, now=NOW)
    assert "\n" not in str(error.value)


def test_a_ledger_that_is_not_empty_wants_force(engine, url, file):
    fill(engine)
    back_up(url, file, now=NOW)
    refused(url, file, "there is a database with 1 subscriber: --force", force=False)


def test_a_backup_that_is_there_wants_force(engine, url, file):
    fill(engine)
    file.write_text("precious", encoding="utf-8")
    with pytest.raises(LedgerError, match="exists already: --force replaces it"):
        back_up(url, file, now=NOW)
    assert file.read_text(encoding="utf-8") == "precious"
    back_up(url, file, force=True, now=NOW)
    assert restore(url, file, force=True, now=NOW).counts.subscribers == 1


@pytest.mark.parametrize("work", ["run", "collection"])
def test_not_while_somebody_works(engine, url, file, work):
    fill(engine)
    back_up(url, file, now=NOW)
    with another_process_holding(engine, work):
        refused(url, file, f"another {work} is under way")


def test_not_while_somebody_sends(engine, url, file):
    fill(engine)
    back_up(url, file, now=NOW)
    ledger = Ledger(engine)
    edition = ledger.editions.on(TODAY)
    with ledger.live_workers.enter() as claims:
        bring(ledger, claims, plan(ledger, edition, 2), S.SENDING)
        refused(url, file, "emails are being sent")
        with advisory_lock(engine, "run"):  # nothing is held after it was refused
            pass
    restore(url, file, force=True, now=NOW)


def test_a_letter_is_no_backup(engine, url, file):
    fill(engine)
    file.write_text("a letter to my aunt", encoding="utf-8")
    refused(url, file, "is no backup of a")
    refused(url, file.with_name("nowhere"), "No such file")


def test_a_damaged_one_changes_nothing(engine, url, file):
    fill(engine)
    back_up(url, file, now=NOW)
    whole, before = file.read_bytes(), look(engine)
    for damaged in (whole[: len(whole) * 2 // 3], whole[:50]):
        file.write_bytes(damaged)
        refused(url, file, ".")
        assert look(engine) == before
    garbage = os.urandom(4096 * 6)
    file.write_bytes(whole[: 4096 * 20] + garbage + whole[4096 * 26 :])
    refused(url, file, "damaged|malformed")
    assert look(engine) == before
    assert not list(file.parent.rglob("*.before-*"))  # it did not come to that


def test_a_newer_one_is_for_a_newer_program(engine, url, file):
    fill(engine)
    set_revision(engine, "0999")
    back_up(url, file, now=NOW)
    set_revision(engine, NEWEST_REVISION)
    refused(url, file, "at revision 0999, .*upgrade the program")
    assert revision(engine) == NEWEST_REVISION


def test_nothing_to_back_up(url, home, file):
    with pytest.raises(LedgerError, match="there is no database yet"):
        back_up(url, file, now=NOW)
    assert not file.exists()


def test_no_trace_is_left_beside(engine, url, file, home, tmp_path):
    fill(engine)
    back_up(url, file, now=NOW)
    with pytest.raises(LedgerError):
        back_up(url, tmp_path / "no folder" / "x", now=NOW)
    restore(url, file, force=True, now=NOW)
    engine.dispose()
    left = {each.name for each in tmp_path.rglob("*")}
    assert not {each for each in left if ".part" in each}, left


# ---- files ---------------------------------------------------------------------------------------


def test_a_backup_in_sqlite_is_one_whole_file_and_a_database(engine, url, file):
    fill(engine)
    back_up(url, file, now=NOW)
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert connection.execute("SELECT count(*) FROM subscribers").fetchone() == (1,)
    connection.close()


def test_the_ledger_itself_is_no_place_for_its_backup(engine, url, tmp_path):
    fill(engine)
    with pytest.raises(LedgerError, match="is the database itself"):
        back_up(url, tmp_path / "digest.sqlite3", force=True, now=NOW)
    with pytest.raises(LedgerError, match="is not a regular file"):
        back_up(url, tmp_path, force=True, now=NOW)
    assert len(Registry(engine).everybody()) == 1


def test_who_has_the_ledger_open_sees_what_was_put_back(engine, url, file):
    """As `digest serve` has."""
    fill(engine)
    back_up(url, file, now=NOW)
    pages = open_database(url)
    with pages.connect() as connection:
        Registry(engine).remove("ada@example.org")
        assert connection.execute(text("SELECT count(*) FROM subscribers")).scalar() == 0
        connection.rollback()
        restore(url, file, force=True, now=NOW)
        assert connection.execute(text("SELECT count(*) FROM subscribers")).scalar() == 1
    Registry(pages).add("bob@example.org", (), source="test", now=NOW)
    assert len(Registry(engine).everybody()) == 2
    pages.dispose()


def test_a_ledger_that_is_damaged_can_be_replaced_and_is_kept(engine, url, file, tmp_path):
    fill(engine)
    back_up(url, file, now=NOW)
    engine.dispose()
    path = tmp_path / "digest.sqlite3"
    path.write_bytes(garbage := b"no database at all " * 1000)
    refused(url, file, "the database cannot be read", force=False)
    done = restore(url, file, force=True, now=NOW)
    assert done.kept
    assert done.kept.read_bytes() == garbage
    assert len(Registry(engine).everybody()) == 1


@pytest.mark.parametrize("harm", ["torn", "overwritten"])
def test_a_ledger_with_a_bad_place_in_it_can_be_replaced(engine, url, file, tmp_path, harm):
    fill(engine)
    back_up(url, file, now=NOW)
    engine.dispose()
    path = tmp_path / "digest.sqlite3"
    whole = path.read_bytes()
    garbage = b"?" * 4096 * 12
    bad = whole[:20_000] if harm == "torn" else whole[:4096] + garbage + whole[4096 * 13 :]
    path.write_bytes(bad)
    done = restore(url, file, force=True, now=NOW)
    assert done.kept
    assert len(Registry(engine).everybody()) == 1
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"


def test_another_programs_database_is_not_replaced_in_passing(engine, url, file, tmp_path):
    fill(engine)
    back_up(url, file, now=NOW)
    other = tmp_path / "other.sqlite3"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE songs (title)")
    connection.close()
    theirs = f"sqlite:///{other}"
    refused(theirs, file, "the database of something else", force=False)
    with pytest.raises(LedgerError, match="the database of something else"):
        back_up(theirs, tmp_path / "another", now=NOW)


# ---- while others work ----------------------------------------------------------------------------


def test_a_backup_while_mails_are_sent_agrees_with_itself(engine, url, file, tmp_path, home):
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
                while delivery := claim_next(ledger, claims, NOW):
                    record(claims, delivery, Outcome(OutcomeKind.ACCEPTED, "ok", 250), None, NOW)
                    sent.append(delivery)
                    if len(sent) > 10:
                        enough.set()
        except Exception as error:  # noqa: BLE001  told by the test
            errors.append(error)
        finally:
            enough.set()

    with ExitStack() as stack:
        threads = [threading.Thread(target=send) for _ in range(3)]
        for thread in threads:
            thread.start()
            stack.callback(thread.join)
        assert enough.wait(20)
        made = [back_up(url, tmp_path / f"{n}", now=NOW) for n in range(2)]
    assert not errors
    assert len(sent) == people
    for each in made:
        restore(url, each.file, force=True, now=NOW)
        balance = ledger.editions.balance(edition)
        assert balance.due == people
        assert balance.is_balanced
        with engine.connect() as connection:
            attempts = connection.execute(text("SELECT count(*) FROM attempts")).scalar()
        assert attempts == balance.accepted
        for kept in tmp_path.glob("*.before-*"):
            kept.unlink()


KILLED = """
import sys
from datetime import datetime, UTC
from pathlib import Path
from digest.maintenance.backup import restore
print("ready", flush=True)
sys.stdin.readline()
restore(sys.argv[1], Path(sys.argv[2]), force=True, now=datetime.now(UTC))
print("done", flush=True)
"""


@pytest.mark.parametrize(
    "after", [0.1, *(pytest.param(each, marks=pytest.mark.long) for each in (0, 0.05, 0.3))]
)
def test_a_restore_that_is_killed_leaves_the_old_or_the_new(engine, url, file, home, after):
    fill(engine)
    new = look(engine)
    back_up(url, file, now=NOW)
    registry = Registry(engine)
    registry.remove("ada@example.org")
    for number in range(50):
        registry.add(f"r{number}@example.org", (), source="test", now=NOW)
    old = look(engine)
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, url, str(file)],
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
    restore(url, file, force=True, now=NOW)  # what it held is free
    assert look(engine) == new
