"""The database: its schema, its migrations, and the lock that one run holds."""

import itertools
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Barrier, Event
from types import SimpleNamespace

import pytest
from alembic import op
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from structlog.testing import capture_logs

import digest.ledger.migrations
from digest.doctor.database import examine_database
from digest.errors import LedgerError
from digest.ledger import sqlite_connection, tables
from digest.ledger.database import (
    NEWEST_REVISION,
    as_ledger_error,
    ensure_current,
    open_database,
    upgrade,
)
from digest.ledger.ledger import Ledger
from digest.ledger.locks import advisory_lock
from digest.maintenance.backup import back_up
from digest.model.timetable import Frozen
from subscribers.store.registry import Registry
from subscribers.store.store import Store
from subscribers.store.tables import metadata
from tests.conftest import POSTGRES, new_schema
from tests.integration.smtp_server import HOST, nobody_listens
from tests.support import NOW, TODAY, make_settings

pytestmark = pytest.mark.both_databases

MIGRATIONS = digest.ledger.migrations.__path__[0]


@pytest.fixture
def empty(database_url: str) -> Iterator[Engine]:
    """A database without a schema."""
    engine = open_database(database_url)
    yield engine
    engine.dispose()


# The indexes of the other dialect. Tables say so by ddl_if, which the comparison does not know.
ELSEWHERE = {
    "sqlite": {"ix_subscribers_address_beginning", "ix_subscribers_paused_until"},
    "postgresql": {"ix_subscribers_paused"},
}


@pytest.fixture
def migrated(empty: Engine) -> Engine:
    """A database whose schema the migrations made."""
    ensure_current(empty)
    return empty


def table_names(engine: Engine) -> set[str]:
    """The tables, but for those of the engine for several machines."""
    found = set(inspect(engine).get_table_names())
    return {name for name in found if not name.startswith("procrastinate_")}


def is_ours(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "table" or not str(name).startswith("procrastinate_")


def revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def set_revision(engine: Engine, to: str) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :to"), {"to": to})


def migration_config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", MIGRATIONS)
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


# ---- schema ----------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based")
def test_the_migrations_make_what_the_tables_say(migrated):
    with migrated.connect() as connection:
        elsewhere = ELSEWHERE[connection.dialect.name]
        opts = {
            "compare_type": True,
            "include_name": is_ours,
            "include_object": lambda _, name, *__: name not in elsewhere,
        }
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, metadata) == []
    assert table_names(migrated) == {*metadata.tables, "alembic_version"}


def test_the_program_knows_its_newest_migration():
    assert ScriptDirectory(MIGRATIONS).get_heads() == [NEWEST_REVISION]


def test_an_empty_database_gets_its_schema(empty):
    assert table_names(empty) == set()
    ensure_current(empty)
    assert tables.deliveries.name in table_names(empty)
    ensure_current(empty)


def test_upgrading_twice_does_nothing(empty):
    upgrade(empty)
    Registry(empty).add("ada@example.org", (), source="test", now=NOW)
    upgrade(empty)
    assert revision(empty) == NEWEST_REVISION
    assert len(Registry(empty).everybody()) == 1


def test_an_old_schema_is_left_alone_and_the_command_is_named(migrated):
    set_revision(migrated, "0000")
    with pytest.raises(LedgerError, match=r"at revision 0000, .*run digest db upgrade"):
        ensure_current(migrated)
    assert revision(migrated) == "0000"


def test_a_revision_that_the_program_does_not_know_is_a_ledger_error(migrated):
    set_revision(migrated, "9999")
    with pytest.raises(LedgerError, match="9999"):
        upgrade(migrated)


def test_several_that_open_a_new_file_at_once_all_get_on(tmp_path):
    together = Barrier(6)

    def open_it(number: int) -> int:
        engine = open_database(f"sqlite:///{tmp_path / str(number)}")
        together.wait(30)
        with engine.connect() as connection:
            found = connection.execute(text("SELECT 1")).scalar_one()
        engine.dispose()
        return found

    with ThreadPoolExecutor(together.parties) as threads:
        for number in range(40):
            assert sum(threads.map(open_it, [number] * together.parties)) == together.parties


STARTER = """
import sys
from digest.ledger.database import ensure_current, open_database
print("ready", flush=True)
sys.stdin.readline()
engine = open_database(sys.argv[1])
ensure_current(engine)
engine.dispose()
"""


def test_two_that_start_on_an_empty_database_at_once_both_get_on(empty, database_url):
    with ExitStack() as stack:
        starters = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-W", "error", "-c", STARTER, database_url],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            for _ in range(2)
        ]
        for starter in starters:
            assert starter.stdout.readline() == "ready\n"
        for starter in starters:
            starter.stdin.write("go\n")
            starter.stdin.flush()
        errors = [starter.communicate()[1].strip() for starter in starters]
    assert errors == [""] * len(starters)
    assert table_names(empty) == {*metadata.tables, "alembic_version"}


def test_an_upgrade_that_breaks_off_leaves_nothing_behind(empty, monkeypatch):
    tables_made = itertools.count(1)

    def create_table_until_interrupted(*given: object, **named: object) -> None:
        if next(tables_made) == 5:
            raise KeyboardInterrupt
        create_table(*given, **named)

    create_table = op.create_table
    monkeypatch.setattr(op, "create_table", create_table_until_interrupted)
    with pytest.raises(KeyboardInterrupt):
        ensure_current(empty)
    monkeypatch.undo()
    assert table_names(empty) == set()
    ensure_current(empty)


def test_a_server_that_is_not_there_is_one_clear_line():
    with nobody_listens() as port:
        engine = open_database(f"postgresql+psycopg://digest:secret@{HOST}:{port}/digest")
        with pytest.raises(LedgerError, match=r"^the database cannot be opened: ") as refused:
            ensure_current(engine)
        engine.dispose()
    assert "\n" not in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_file_that_is_no_database_is_one_clear_line(tmp_path):
    path = tmp_path / "digest.sqlite3"
    path.write_text("a letter to my aunt, and quite a long one at that. " * 50, encoding="utf-8")
    engine = open_database(f"sqlite:///{path}")
    with pytest.raises(LedgerError, match=r"^the database cannot be opened: .*not a database"):
        ensure_current(engine)
    engine.dispose()


def test_a_folder_that_cannot_be_made_is_a_ledger_error(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(LedgerError, match=r"^the database cannot be opened: "):
        open_database(f"sqlite:///{tmp_path / 'file' / 'digest.sqlite3'}")


def test_the_folder_of_the_database_is_made(tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'new' / 'digest.sqlite3'}")
    ensure_current(engine)
    engine.dispose()
    assert (tmp_path / "new" / "digest.sqlite3").is_file()


def test_sqlite_is_set_up_to_lose_nothing(tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'digest.sqlite3'}")
    with engine.connect() as connection:
        pragmas = ("journal_mode", "synchronous", "foreign_keys")
        found = [connection.execute(text(f"PRAGMA {pragma}")).scalar() for pragma in pragmas]
    engine.dispose()
    assert found == ["wal", 2, 1]


def test_an_id_is_not_given_to_another_person_after_a_removal(migrated):
    registry = Registry(migrated)
    first = registry.add("ada@example.org", (), source="test", now=NOW)
    registry.remove("ada@example.org")
    second = registry.add("grace@example.org", (), source="test", now=NOW)
    assert second.id > first.id


# ---- the lock --------------------------------------------------------------------------------

HOLDER = """
import sys
from digest.ledger.database import open_database
from digest.ledger.locks import holding
with holding(open_database(sys.argv[1]), sys.argv[2]) as is_ours:
    assert is_ours
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process_holding(engine: Engine, work: str) -> Iterator[subprocess.Popen[str]]:
    """Holds the ledger until its standard input is closed, or it is killed."""
    url = engine.url.render_as_string(hide_password=False)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, url, work],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            yield holder
        finally:
            holder.kill()


@pytest.mark.parametrize("work", ["run", "collection"])
def test_a_second_holder_is_refused_at_once(engine, work):
    with (
        advisory_lock(engine, work),
        pytest.raises(LedgerError, match=f"another {work} is under way"),
        advisory_lock(engine, work),
    ):
        pytest.fail("two hold the ledger")
    with advisory_lock(engine, work):
        pass


def test_a_run_and_a_collection_do_not_exclude_each_other(engine):
    with advisory_lock(engine, "run"), advisory_lock(engine, "collection"):
        for work in ("run", "collection"):
            with pytest.raises(LedgerError, match=work), advisory_lock(engine, work):
                pytest.fail("two hold the ledger")


def test_the_lock_is_free_after_an_error(engine):
    with pytest.raises(ZeroDivisionError), advisory_lock(engine, "run"):
        raise ZeroDivisionError
    with advisory_lock(engine, "run"):
        pass


def test_another_ledger_is_not_held_up(engine, tmp_path):
    beside = f"sqlite:///{tmp_path / 'beside.sqlite3'}"
    if engine.dialect.name == "postgresql":
        url = engine.url.update_query_dict({"options": "-csearch_path=public"})
        beside = url.render_as_string(hide_password=False)
    other = open_database(beside)
    with advisory_lock(engine, "run"), advisory_lock(other, "run"):
        for held in (engine, other):
            with pytest.raises(LedgerError, match="run"), advisory_lock(held, "run"):
                pytest.fail("two hold the ledger")
    other.dispose()


def test_a_holder_in_another_process_keeps_us_out_until_it_is_done(engine):
    with another_process_holding(engine, "run") as holder:
        with pytest.raises(LedgerError, match="another run"), advisory_lock(engine, "run"):
            pytest.fail("two hold the ledger")
        holder.communicate()
        assert holder.returncode == 0
        with advisory_lock(engine, "run"):
            pass


def test_a_holder_that_is_killed_leaves_no_lock(engine):
    with another_process_holding(engine, "run") as holder:
        holder.send_signal(signal.SIGKILL)
        assert holder.wait(10) == -signal.SIGKILL
    # PostgreSQL learns of a client's death when it next reads from it: a moment later.
    for _ in range(200):
        try:
            with advisory_lock(engine, "run"):
                return
        except LedgerError:
            Event().wait(0.05)
    pytest.fail("the lock of a dead process is still held")


# ---- locked by another program -----------------------------------------------------------------

LOCKER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def locked(tmp_path, monkeypatch):
    """A registry in SQLite that another program has locked, and that program."""
    monkeypatch.setattr(sqlite_connection, "SILENT", 0.05)
    monkeypatch.setattr(sqlite_connection, "PATIENCE", 0.3)
    path = tmp_path / "digest.sqlite3"
    engine = open_database(f"sqlite:///{path}")
    ensure_current(engine)
    command = [sys.executable, "-c", LOCKER, str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as locker:
        assert locker.stdout.readline() == "locked\n"
        yield Registry(engine), locker
    engine.dispose()


def test_a_locked_database_is_told_after_a_moment_and_then_given_up_with_one_clear_line(locked):
    registry, locker = locked
    with capture_logs() as logs, pytest.raises(LedgerError) as error, as_ledger_error():
        registry.add("ada@example.org", (), source="test", now=NOW)
    name = Path(f"/proc/{locker.pid}/comm").read_text("utf-8").strip()
    by = f"process {locker.pid} ({name})"
    assert str(error.value) == (
        f"the database failed: it has been locked by {by} for 0 s: end that program, or try again "
        "later"
    )
    waiting = {"event": "the database is locked: waiting", "by": by, "log_level": "warning"}
    assert logs == [waiting]


def test_a_database_that_is_unlocked_in_time_is_written_to(locked, monkeypatch):
    registry, locker = locked
    monkeypatch.setattr(sqlite_connection, "PATIENCE", 30)
    monkeypatch.setattr(sqlite_connection.log, "warning", lambda *_, **__: locker.stdin.close())
    assert registry.add("ada@example.org", (), source="test", now=NOW).id == 1


# ---- PostgreSQL as others have set it up ---------------------------------------------------------


def test_another_date_style_is_of_no_matter(tmp_path):
    with new_schema() as url:
        options = make_url(url).query["options"]
        styled = make_url(url).update_query_dict({"options": f"{options} -cdatestyle=SQL,DMY"})
        engine = open_database(styled)
        ensure_current(engine)
        ledger = Ledger(engine)
        ledger.editions.freeze(TODAY, TODAY, NOW)
        assert ledger.editions.calendar(1) == [Frozen(1, TODAY, NOW)]
        engine.dispose()


def test_a_database_that_lacks_letters_is_refused():
    with new_schema() as url:
        name = f"latin_{uuid.uuid4().hex}"
        server = create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
        with server.connect() as connection:
            made = "ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
            connection.execute(text(f"CREATE DATABASE {name} {made}"))
        engine = open_database(make_url(POSTGRES).set(database=name))
        with pytest.raises(LedgerError, match="has the encoding LATIN1, not UTF8: create one with"):
            ensure_current(engine)
        [told] = examine_database(engine.url, NOW, lambda _: None)
        engine.dispose()
        with server.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name}"))
        server.dispose()
    assert url
    assert told.what == "It has the encoding LATIN1, not UTF8."
    assert told.what_to_do.startswith("Create one with createdb --encoding=UTF8")


def test_without_the_driver_of_postgresql_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(LedgerError, match=r"pip install 'paper-digest\[postgresql\]'"):
        open_database("postgresql+psycopg://localhost/papers")


# ---- a path with letters that mean more in a URL -------------------------------------------------


@pytest.mark.parametrize("home", ["100%25", "100% papers", "papers?mode=memory", "#1"])
def test_a_folder_of_any_name_holds_the_database(tmp_path, home):
    settings = make_settings(home=str(tmp_path / home))
    engine = open_database(settings.database)
    ensure_current(engine)
    with advisory_lock(engine, "run"):
        pass
    engine.dispose()
    assert {path.name for path in (tmp_path / home).iterdir()} >= {"digest.sqlite3"}
    assert [path.name for path in tmp_path.iterdir()] == [home]
    back_up(settings.database, tmp_path / "backup", now=NOW)


# ---- few questions to a server ---------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[Engine]:
    with new_schema() as url:
        engine = open_database(url)
        yield engine
        engine.dispose()


def test_a_connection_is_tried_out_after_a_second_without_use_and_not_before(server, monkeypatch):
    asked = []
    monkeypatch.setattr(server.dialect, "do_ping", lambda _: asked.append("ping"))
    seen = []
    for moment in (0.0, 0.9, 2.0):
        clock = SimpleNamespace(monotonic=lambda moment=moment: moment)
        monkeypatch.setattr("digest.ledger.database.time", clock)
        with server.connect():
            seen.append(len(asked))
    assert seen == [0, 0, 1]


def test_after_its_server_was_restarted_an_idle_connection_is_made_anew(server, monkeypatch):
    with server.connect() as connection:
        session = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    other = create_engine(POSTGRES)
    with other.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": session})
    other.dispose()
    monkeypatch.setattr("digest.ledger.database._IDLE", 0)
    with server.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1


def test_a_query_by_itself_begins_no_transaction(server):
    # The time of a transaction is that of its beginning, which is before its first statement.
    its_own = text("SELECT now() = statement_timestamp()")
    assert Store(server)._value(its_own)
    with server.begin() as connection:
        assert not connection.execute(its_own).scalar()


@pytest.mark.parametrize("wanted", [[], [2], [3, 1, 7], [*range(5000)]])
def test_ids_are_one_parameter_however_many(engine, registry, wanted):
    people = [registry.add(f"p{n}@example.org", (), source="test", now=NOW) for n in range(4)]
    asked = []
    event.listen(
        engine, "before_cursor_execute", lambda _c, _k, said, given, *_: asked.append((said, given))
    )
    found = registry.some(wanted)
    assert [person.id for person in found] == sorted({p.id for p in people} & {*wanted})
    ((statement, given),) = asked
    assert len(given) == 1
    if engine.dialect.name == "sqlite":  # PostgreSQL reads the whole of a table so small
        with engine.connect() as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given).all()
        assert "SEARCH subscribers USING INTEGER PRIMARY KEY" in plan[0].detail
