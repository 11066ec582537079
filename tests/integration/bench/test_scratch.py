"""What the benchmark makes for a while is removed, also after a process that was killed."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, make_url

from digest.bench.scratch_folder import scratch_folder
from digest.errors import LedgerError
from digest.ledger.database import ensure_current, open_database
from digest.ledger.scratch_schema import scratch_schema
from digest.ledger.size import stored_octets, stored_rows
from tests.conftest import POSTGRES, new_schema

# Makes what is left when it is killed, and says what that is.
DIES = """
import os, sys
from digest.bench.scratch_folder import scratch_folder
from digest.ledger.scratch_schema import scratch_schema
with scratch_folder() as folder, scratch_schema(sys.argv[1]) as url:
    print(folder, url, flush=True)
    os.kill(os.getpid(), 9)
"""


def schema_of(url: str) -> str:
    return str(make_url(url).query["options"]).rpartition("=")[2]


def schemas() -> set[str]:
    engine = create_engine(POSTGRES)
    try:
        return set(inspect(engine).get_schema_names())
    finally:
        engine.dispose()


def test_what_a_killed_process_left_is_removed_and_what_is_used_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with new_schema() as others:
        done = subprocess.run(
            [sys.executable, "-c", DIES, POSTGRES],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "TMPDIR": str(tmp_path)},
        )
        folder, url = done.stdout.split()
        assert Path(folder).is_dir()
        assert schema_of(url) in schemas()
        with scratch_folder() as first, scratch_schema(POSTGRES) as first_url:
            assert not Path(folder).exists()
            assert schema_of(url) not in schemas()
            with scratch_folder(), scratch_schema(POSTGRES):
                assert first.is_dir()
                assert {schema_of(first_url), schema_of(others)} <= schemas()
        assert schema_of(first_url) not in schemas()
    assert list(tmp_path.iterdir()) == []


def test_the_url_of_a_scratch_schema_is_that_of_a_ledger_in_it() -> None:
    with new_schema() as others, scratch_schema(others) as url:
        engine = open_database(url)
        ensure_current(engine)
        assert inspect(engine).get_table_names(schema_of(others)) == []
        assert stored_rows(engine) == {}
        assert stored_octets(engine) > 100_000
        engine.dispose()


def test_another_database_has_no_schemas(tmp_path: Path) -> None:
    mine = scratch_schema(f"sqlite:///{tmp_path / 'mine.sqlite3'}")
    with pytest.raises(LedgerError, match="only a database in PostgreSQL"), mine:
        pass
    assert list(tmp_path.iterdir()) == []
