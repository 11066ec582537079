"""Backups of a ledger in PostgreSQL by pg_dump, and the command line of pg_restore.

A password is passed in the environment, because everybody on the machine can read command lines.
"""

import os
import shlex
import subprocess
from pathlib import Path

from sqlalchemy import URL, Engine, inspect, make_url, text

from digest.errors import LedgerError
from digest.ledger.database import as_ledger_error
from digest.ledger.row_counts import RowCounts, row_counts
from digest.ledger.tables import instances
from digest.model.wording import truncate

_LONGEST = 6 * 3600  # seconds
_OPTIONS = (
    *("--format=custom", "--no-owner", "--no-privileges", "--no-password", "--strict-names"),
    "--lock-wait-timeout=60s",
)


def dump(engine: Engine, target: Path) -> RowCounts:
    """Write the ledger's tables, as of one moment, to a file. Raises LedgerError."""
    one_moment = engine.execution_options(isolation_level="REPEATABLE READ")
    quoted = engine.dialect.identifier_preparer.quote_identifier
    conninfo, environment = _connection(engine.url)
    with as_ledger_error(), one_moment.connect() as connection:
        # The rows are counted in the snapshot that is copied.
        snapshot = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
        counts = row_counts(connection)
        if counts is None:
            raise LedgerError("there is no database yet: nothing to back up")
        schema = connection.execute(text("SELECT current_schema()")).scalar_one()
        ours = {*instances.metadata.tables, "alembic_version"}
        tables = sorted(ours & set(inspect(connection).get_table_names()))
        _run_pg_dump(
            [
                *("pg_dump", *_OPTIONS, f"--snapshot={snapshot}", f"--file={target}"),
                *(f"--table={quoted(schema)}.{quoted(table)}" for table in tables),
                f"--dbname={conninfo}",
            ],
            environment,
        )
    return counts


def restore_command(url: str | URL, file: Path) -> str:
    """Return the shell command that replaces the ledger's tables by those in a backup."""
    conninfo, _ = _connection(make_url(url))
    options = ("--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction")
    return shlex.join(["pg_restore", *options, f"--dbname={conninfo}", str(file)])


def _run_pg_dump(command: list[str], environment: dict[str, str]) -> None:
    try:
        subprocess.run(  # noqa: S603  the tool's own name, and no shell
            command,
            env={**os.environ, **environment, "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_LONGEST,
            check=True,
        )
    except FileNotFoundError as error:
        raise LedgerError(
            "pg_dump is missing: install PostgreSQL's client programs in the server's version or "
            "a newer one (Debian: postgresql-client, elsewhere: postgresql)"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise LedgerError(f"pg_dump took longer than {_LONGEST // 3600} hours") from error
    except subprocess.CalledProcessError as error:
        said = " ".join(error.stderr.split()) or f"exit status {error.returncode}"
        raise LedgerError(truncate(f"pg_dump: {said.removeprefix('pg_dump: ')}", 500)) from error
    except OSError as error:
        raise LedgerError(f"pg_dump cannot be run: {error}") from error


def _connection(url: URL) -> tuple[str, dict[str, str]]:
    """Return libpq's connection string without the password, and an environment with it."""
    from psycopg.conninfo import make_conninfo  # noqa: PLC0415  only there with PostgreSQL

    [], given = url.get_dialect()().create_connect_args(url)
    password = given.pop("password", None)
    return make_conninfo(**given), {} if password is None else {"PGPASSWORD": str(password)}
