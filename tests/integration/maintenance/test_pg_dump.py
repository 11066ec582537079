"""Backups in PostgreSQL: made by pg_dump, put back by the command that `restore` says."""

import re
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from digest.errors import LedgerError
from digest.ledger import pg_dump
from digest.ledger.database import ensure_current, open_database
from digest.maintenance.backup import back_up, restore, upgrade_ledger
from digest.maintenance.instance_guard import InstanceGuard
from subscribers.store.registry import Registry
from tests.conftest import new_schema
from tests.integration.ledger.test_migrations import fill as fill_tables
from tests.integration.ledger.test_migrations import upgrade_to
from tests.integration.maintenance.test_backup import fill, titles
from tests.integration.people import look
from tests.support import NOW

LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def url():
    with new_schema() as url:
        if shutil.which("pg_dump") is None:
            pytest.skip("no pg_dump on this machine")
        yield url


@pytest.fixture
def engine(url: str):
    engine = open_database(url)
    yield engine
    engine.dispose()


@pytest.fixture
def ledger_there(engine: Engine) -> None:
    ensure_current(engine)
    fill(engine)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a backup's file"


def run_restore(url: str, file: Path) -> None:
    """Do as `digest restore` says."""
    with pytest.raises(LedgerError, match="Stop everything, make a backup, run `p") as said:
        restore(url, file, now=NOW)
    assert "\n" not in str(said.value)
    command = re.findall(r"`([^`]*)`", str(said.value))[0]
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def empty_schema(engine: Engine) -> None:
    with engine.begin() as connection:
        schema = connection.execute(text("SELECT current_schema()")).scalar_one()
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
        connection.execute(text(f"CREATE SCHEMA {schema}"))


@pytest.mark.usefixtures("ledger_there")
@pytest.mark.parametrize("is_emptied", [True, False], ids=["emptied", "in its place"])
def test_what_is_put_back_is_what_there_was(engine, url, file, is_emptied):
    before, papers = look(engine), titles(engine)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE songs (title text)"))
    made = back_up(url, file, now=NOW)
    assert (made.counts.subscribers, made.counts.blocks) == (1, 1)
    assert (made.counts.papers, made.counts.editions) == (1, 1)
    assert (made.octets, file.stat().st_mode & 0o777) == (file.stat().st_size, 0o600)
    registry = Registry(engine)
    registry.remove("ada@example.org")
    last = registry.add("eve@example.org", (), source="test", now=NOW).id
    if is_emptied:
        empty_schema(engine)
    run_restore(url, file)
    assert look(engine) == before
    assert titles(engine) == papers
    assert registry.add("eve@example.org", (), source="test", now=NOW).id == last
    ensure_current(engine)
    with engine.connect() as connection:  # what else is there is left alone
        assert connection.execute(text("SELECT to_regclass('songs')")).scalar() == (
            None if is_emptied else "songs"
        )


@pytest.mark.usefixtures("ledger_there")
@pytest.mark.parametrize("has_sent_since", [True, False])
def test_nothing_is_sent_from_what_was_put_back(engine, url, file, tmp_path, has_sent_since):
    """On no machine that shares the ledger, whichever of them has sent since."""
    guards = [InstanceGuard(engine, tmp_path / home, home) for home in ("one", "two")]
    for guard in guards:
        guard.adopt(NOW)
    back_up(url, file, now=NOW)
    guards[0].check()  # the original sends on
    if has_sent_since:
        guards[0].renew(NOW)
    run_restore(url, file)
    for guard in guards:
        with pytest.raises(LedgerError, match="digest db adopt"):
            guard.renew(LATER)
    for guard in guards:
        guard.adopt(LATER)
        guard.renew(LATER)


def test_an_older_one_is_put_back_and_upgraded(engine, url, file, tmp_path):
    upgrade_to(engine, "0001")
    fill_tables(engine)
    assert back_up(url, file, now=NOW).counts.revision == "0001"
    empty_schema(engine)
    run_restore(url, file)
    assert upgrade_ledger(url, NOW) is None
    assert len(titles(engine)) == 3
    assert not list(tmp_path.glob("*.before-*"))


def test_an_older_one_is_put_back_over_tables_that_it_lacks(engine, url, file):
    upgrade_to(engine, "0003")
    fill_tables(engine)
    back_up(url, file, now=NOW)
    upgrade_ledger(url, NOW)
    run_restore(url, file)
    upgrade_ledger(url, NOW)
    ensure_current(engine)
    assert len(titles(engine)) == 3


@pytest.mark.usefixtures("ledger_there")
def test_what_is_no_backup_is_refused_in_one_line(url, file):
    file.write_text("a letter", encoding="utf-8")
    with pytest.raises(LedgerError, match=r"^pg_restore: error: .* valid archive"):
        restore(url, file, now=NOW)


def test_nothing_to_back_up(url, file):
    with pytest.raises(LedgerError, match="there is no database yet"):
        back_up(url, file, now=NOW)
    assert not file.exists()


@pytest.mark.usefixtures("ledger_there")
def test_without_pg_dump_it_says_what_to_install(url, file, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(LedgerError, match="pg_dump is missing: install PostgreSQL's client"):
        back_up(url, file, now=NOW)
    assert not file.exists()


@pytest.mark.usefixtures("ledger_there")
def test_what_pg_dump_refuses_is_one_line_and_leaves_no_file(url, file, monkeypatch, tmp_path):
    fake = tmp_path / "bin" / "pg_dump"
    fake.parent.mkdir()
    fake.write_text(
        "#!/bin/sh\necho 'pg_dump: error: aborting because of server version mismatch' >&2\n"
        "echo 'pg_dump: detail: server version: 17; pg_dump version: 13' >&2\nexit 1\n",
        encoding="utf-8",
    )
    fake.chmod(0o700)
    monkeypatch.setenv("PATH", f"{fake.parent}:/usr/bin:/bin")
    with pytest.raises(LedgerError, match=r"^pg_dump: error: .* mismatch .*version: 13$"):
        back_up(url, file, now=NOW)
    assert [path.name for path in tmp_path.iterdir()] == ["bin"]


@pytest.mark.usefixtures("ledger_there")
def test_a_password_is_in_no_command_line(engine, monkeypatch, file):
    seen = []

    def run(command, **named):
        seen.append((command, named["env"]))
        raise subprocess.CalledProcessError(1, command, "", "no")

    monkeypatch.setattr(subprocess, "run", run)
    secret = "postgresql+psycopg://o%27hara:s3cr%27et@db.example.org:99/a b?sslmode=require"
    connection_of = pg_dump._connection
    monkeypatch.setattr(pg_dump, "_connection", lambda _: connection_of(pg_dump.make_url(secret)))
    with pytest.raises(LedgerError, match=r"^pg_dump: no$"):
        pg_dump.dump(engine, file)
    [(command, environment)] = seen
    assert not any("s3cr" in word for word in command)
    assert environment["PGPASSWORD"] == "s3cr'et"
    assert r"user=o\'hara" in command[-1]
    assert "sslmode=require" in command[-1]
    assert "s3cr" not in pg_dump.restore_command(secret, file)
