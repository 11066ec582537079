"""What the doctor makes of databases: new, old, read-only, out of reach."""

import socket
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from digest.doctor import database
from digest.doctor.database import examine_database, examine_disk
from digest.doctor.diagnosis import Level
from digest.ledger.database import open_database
from digest.maintenance.instance_guard import InstanceGuard


def now():
    return datetime.now(UTC)


def unguarded(_engine):
    return None


def levels(found):
    return [each.level for each in found]


def url_of(engine):
    return engine.url.render_as_string(hide_password=False)


@pytest.fixture
def sqlite(new_sqlite, tmp_path):
    """A database file with all tables."""
    path = tmp_path / "digest.sqlite3"
    path.write_bytes(new_sqlite.read_bytes())
    path.chmod(0o600)
    return path


def test_all_is_well(engine) -> None:
    if engine.dialect.name == "sqlite":
        Path(engine.url.database).chmod(0o600)
    found = examine_database(url_of(engine), now(), unguarded)
    assert set(levels(found)) == {Level.GOOD}
    clocks = [each for each in found if each.area == "clock"]
    assert len(clocks) == (engine.dialect.name != "sqlite")


def test_nothing_is_changed(engine) -> None:
    def rows():
        with engine.connect() as connection:
            return connection.execute(text("SELECT * FROM alembic_version")).all()

    before = rows()
    examine_database(url_of(engine), now(), unguarded)
    assert rows() == before


def test_a_clock_that_is_ahead(engine) -> None:
    if engine.dialect.name == "sqlite":
        pytest.skip("one machine has one clock")
    found = examine_database(url_of(engine), now() + timedelta(minutes=10), unguarded)
    assert [each.level for each in found if each.area == "clock"] == [Level.PROBLEM]


def test_an_old_schema(sqlite) -> None:
    with sqlite3.connect(sqlite) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    found = examine_database(f"sqlite:///{sqlite}", now(), unguarded)
    assert found[0].level is Level.PROBLEM
    assert "digest db upgrade" in found[0].what_to_do


def test_none_yet(tmp_path) -> None:
    path = tmp_path / "new" / "digest.sqlite3"
    assert levels(examine_database(f"sqlite:///{path}", now(), unguarded)) == [Level.UNKNOWN]
    assert not path.parent.exists()


def test_one_without_a_schema(tmp_path) -> None:
    path = tmp_path / "digest.sqlite3"
    path.touch(0o600)
    assert levels(examine_database(f"sqlite:///{path}", now(), unguarded)) == [Level.UNKNOWN]


def test_no_database_at_all(tmp_path) -> None:
    path = tmp_path / "digest.sqlite3"
    path.write_text("a letter to a friend, and a rather long one for a file of that name")
    path.chmod(0o600)
    (found,) = examine_database(f"sqlite:///{path}", now(), unguarded)
    assert found.level is Level.PROBLEM


def test_a_server_that_is_not_there() -> None:
    url = "postgresql+psycopg://nobody:hidden@127.0.0.1:1/none"
    (found,) = examine_database(url, now(), unguarded)
    assert found.level is Level.PROBLEM
    assert "hidden" not in found.what


def test_one_that_may_only_be_read(sqlite, monkeypatch) -> None:
    def open_read_only(url):
        engine = open_database(url)
        with engine.connect() as connection:  # kept by the pool
            connection.exec_driver_sql("PRAGMA query_only=ON")
        return engine

    monkeypatch.setattr(database, "open_database", open_read_only)
    found = examine_database(f"sqlite:///{sqlite}", now(), unguarded)
    assert [each.level for each in found] == [Level.GOOD, Level.PROBLEM]
    assert "cannot be written to" in found[1].what


def test_a_folder_that_is_none(tmp_path) -> None:
    (tmp_path / "file").touch()
    found = examine_database(f"sqlite:///{tmp_path / 'file' / 'digest.sqlite3'}", now(), unguarded)
    assert found[0].level is Level.PROBLEM
    assert "No files can be created" in found[0].what


def test_files_of_somebody_else(sqlite, monkeypatch) -> None:
    (sqlite.parent / f"{sqlite.name}.run.lock").touch()
    sqlite.chmod(0o644)
    # By the answer of the system: to root, as which tests may run, everything is writable.
    monkeypatch.setattr(database.os, "access", lambda path, _: not str(path).endswith(".lock"))
    problem, advice = examine_database(f"sqlite:///{sqlite}", now(), unguarded)[-2:]
    assert problem.level is Level.PROBLEM
    assert ".run.lock" in problem.what
    assert advice.level is Level.ADVICE
    assert "Everybody on this machine can open" in advice.what


def test_the_disk_of_a_folder_that_is_not_there_yet(tmp_path) -> None:
    assert "MB are free" in examine_disk(tmp_path / "new" / "var").what


def test_a_database_that_is_used_elsewhere(engine, tmp_path) -> None:
    def guarded(folder):
        def objection(engine):
            return InstanceGuard(engine, tmp_path / folder, socket.gethostname()).objection()

        found = examine_database(url_of(engine), now(), objection)
        return [diagnosis.what for diagnosis in found if diagnosis.level is Level.PROBLEM]

    assert guarded("home") == []
    InstanceGuard(engine, tmp_path / "home", socket.gethostname()).adopt(now())
    assert guarded("home") == []
    [problem] = guarded("elsewhere")
    assert problem.startswith("Nothing is sent before you run `digest db adopt`: this database ")
