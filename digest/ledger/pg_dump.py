"""Backups of a ledger in PostgreSQL by pg_dump, and the command line of pg_restore.

A password is passed in the environment, because everybody on the machine can read command lines.
"""

import os
import re
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, inspect, make_url, text

from digest.errors import LedgerError
from digest.ledger.database import as_ledger_error
from digest.ledger.row_counts import RowCounts, row_counts
from digest.ledger.tables import instances
from digest.model.wording import truncate

_FORMER_TABLES = ("delivery_papers",)  # that a ledger has until it is upgraded
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
        _run(
            [
                *("pg_dump", *_OPTIONS, f"--snapshot={snapshot}", f"--file={target}"),
                *(f"--table={quoted(schema)}.{quoted(table)}" for table in _tables(connection)),
                f"--dbname={conninfo}",
            ],
            environment,
        )
    return counts


def newer_tables(engine: Engine, file: Path) -> list[str]:
    """Return the ledger's tables that a backup of an older version lacks. Raises LedgerError."""
    contents = _run(["pg_restore", "--list", str(file)], {})
    in_file = set(re.findall(r"^\d+; \d+ \d+ TABLE \S+ (\S+) ", contents, re.MULTILINE))
    with as_ledger_error(), engine.connect() as connection:
        return [table for table in _tables(connection) if table not in in_file]


def restore_command(url: str | URL, file: Path, newer: Sequence[str] = ()) -> str:
    """Return the shell command that replaces the ledger's tables by those in a backup.

    ``newer`` tables are dropped first: pg_restore cannot drop what they refer to, and to upgrade
    the backup creates them.
    """
    conninfo, _ = _connection(make_url(url))
    options = ("--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction")
    command = shlex.join(["pg_restore", *options, f"--dbname={conninfo}", str(file)])
    if not newer:
        return command
    drop = f"DROP TABLE {', '.join(newer)} CASCADE"
    return shlex.join(["psql", "--quiet", f"--dbname={conninfo}", f"--command={drop}"]) + (
        f" && {command}"
    )


def _tables(connection: Connection) -> list[str]:
    ours = {*instances.metadata.tables, *_FORMER_TABLES, "alembic_version"}
    return sorted(ours & set(inspect(connection).get_table_names()))


def _run(command: list[str], environment: dict[str, str]) -> str:
    """Run a program of PostgreSQL and return its output. Raises LedgerError."""
    program = command[0]
    try:
        done = subprocess.run(  # noqa: S603  the tool's own name, and no shell
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
            f"{program} is missing: install PostgreSQL's client programs in the server's version "
            "or a newer one (Debian: postgresql-client, elsewhere: postgresql)"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise LedgerError(f"{program} took longer than {_LONGEST // 3600} hours") from error
    except subprocess.CalledProcessError as error:
        said = " ".join(error.stderr.split()) or f"exit status {error.returncode}"
        raise LedgerError(
            truncate(f"{program}: {said.removeprefix(f'{program}: ')}", 500)
        ) from error
    except OSError as error:
        raise LedgerError(f"{program} cannot be run: {error}") from error
    return done.stdout


def _connection(url: URL) -> tuple[str, dict[str, str]]:
    """Return libpq's connection string without the password, and an environment with it."""
    from psycopg.conninfo import make_conninfo  # noqa: PLC0415  only there with PostgreSQL

    [], given = url.get_dialect()().create_connect_args(url)
    password = given.pop("password", None)
    return make_conninfo(**given), {} if password is None else {"PGPASSWORD": str(password)}
