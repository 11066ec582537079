"""PostgreSQL's own tools for backups: pg_dump, pg_restore and psql, as other processes.

A password is in their environment only, because everybody on the machine can read command lines.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, Engine

from digest.errors import LedgerError

_MAGIC = b"PGDMP"
_LONGEST = 6 * 3600  # seconds for one of them
_LOCK_WAIT = "60s"
_TABLE = re.compile(r"^\d+; \d+ \d+ TABLE DATA (\S+) (\S+) ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Dumped:
    """What an archive of pg_dump says of itself: the schema of its tables, and their names."""

    schema: str
    tables: frozenset[str]
    revision: str


def is_dump(path: Path) -> bool:
    """Raises OSError where there is no file to be read."""
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def dump(engine: Engine, target: Path, schema: str, tables: Iterable[str], snapshot: str) -> None:
    """Some tables as they are in a snapshot, into a file. Raises LedgerError."""
    conninfo, environment = _connection(engine)
    which = [f"--table={_quoted(schema, each)}" for each in sorted(tables)]
    command = [
        *("pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--no-password"),
        *(f"--lock-wait-timeout={_LOCK_WAIT}", f"--snapshot={snapshot}", f"--file={target}"),
        *which,
        f"--dbname={conninfo}",
    ]
    _run(command, environment)


def look_into(path: Path) -> Dumped | None:
    """What is in an archive; none if it has no ledger. Raises LedgerError where it is damaged."""
    found = _TABLE.findall(_run(["pg_restore", "--list", str(path)]))
    versions = [schema for schema, table in found if table == "alembic_version"]
    if len(versions) != 1:
        return None
    said = _run(["pg_restore", "--data-only", "--table=alembic_version", "--file=-", str(path)])
    row = re.search(r"^COPY \S+alembic_version .*;\n(\S+)\n\\\.$", said, re.MULTILINE)
    tables = frozenset(table for schema, table in found if schema == versions[0])
    return Dumped(versions[0], tables, row[1] if row else "")


def write_script(path: Path, script: Path) -> None:
    """The SQL of an archive. Raises LedgerError where it is damaged: then there is none to use."""
    command = ["pg_restore", "--no-owner", "--no-privileges", f"--file={script}", str(path)]
    _run(command)


def replace_tables(engine: Engine, schema: str, tables: Iterable[str], script: Path) -> None:
    """Have a script's tables instead of these, in one transaction.

    Raises LedgerError; then everything is as before.
    """
    conninfo, environment = _connection(engine)
    named = ", ".join(_quoted(schema, each) for each in sorted(tables))
    first = f"SET lock_timeout = '{_LOCK_WAIT}'; DROP TABLE IF EXISTS {named}"
    command = [
        *("psql", "--no-psqlrc", "--quiet", "--no-password", "--output=/dev/null"),
        *("--set=ON_ERROR_STOP=1", "--single-transaction"),
        *(f"--command={first}", f"--file={script}", f"--dbname={conninfo}"),
    ]
    _run(command, environment)


def _run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    """What a tool writes. Raises LedgerError with its first line where it fails."""
    tool = command[0]
    if shutil.which(tool) is None:
        raise LedgerError(
            f"there is no {tool}: install PostgreSQL's client programs, of the server's version or "
            "a newer one (on Debian postgresql-client, elsewhere postgresql)"
        )
    try:
        done = subprocess.run(  # noqa: S603  the tool's own name, and no shell
            command,
            env={**os.environ, **(environment or {}), "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_LONGEST,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise LedgerError(f"{tool} took longer than {_LONGEST // 3600} hours") from error
    except OSError as error:
        raise LedgerError(f"{tool} cannot be run: {error}") from error
    if done.returncode:
        said = done.stderr.split("\n")[0].strip() or f"exit status {done.returncode}"
        raise LedgerError(said if said.startswith(tool) else f"{tool}: {said}")
    return done.stdout


def _connection(engine: Engine) -> tuple[str, dict[str, str]]:
    """How libpq is told of a database: without the password, and that as environment."""
    url: URL = engine.url
    [], given = engine.dialect.create_connect_args(url)
    given.pop("context", None)  # is for psycopg, not for libpq
    password = given.pop("password", None)
    environment = {} if password is None else {"PGPASSWORD": str(password)}
    return " ".join(f"{name}={_value(value)}" for name, value in given.items()), environment


def _value(value: object) -> str:
    escaped = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _quoted(schema: str, table: str) -> str:
    return ".".join('"{}"'.format(each.replace('"', '""')) for each in (schema, table))
