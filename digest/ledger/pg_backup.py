"""A ledger in PostgreSQL, copied to a file and replaced by one. The backup is one of pg_dump."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from digest.errors import LedgerError
from digest.ledger import pg_tools
from digest.ledger.atomic_file import part_of, put_in_place, told_of
from digest.ledger.database import as_ledger_error, upgrade
from digest.ledger.instances import COPIED, Instance, mark_as_copied
from digest.ledger.row_counts import TABLES, RowCounts, row_counts
from digest.ledger.tables import instances
from digest.model.progress import Progress
from subscribers.store.tables import metadata

_OURS = {*metadata.tables, "alembic_version"}


class PostgresLedger:
    """See backup.StoredLedger. What is kept aside lies in ``home``.

    PostgreSQL's programs do not tell how far they are, and a copy is marked when it is put back.
    """

    def __init__(self, engine: Engine, home: Path) -> None:
        self._engine = engine
        self.place = home / "ledger.dump"

    def counts(self) -> RowCounts | None:
        with as_ledger_error(), self._engine.connect() as connection:
            return row_counts(connection)

    def copy_to(self, part: Path, now: datetime, progress: Progress) -> RowCounts:  # noqa: ARG002
        engine = self._engine.execution_options(isolation_level="REPEATABLE READ")
        with as_ledger_error(), engine.connect() as connection:
            # So what is counted is what is copied.
            snapshot = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
            counts = row_counts(connection)
            if counts is None:
                raise LedgerError("there is no ledger yet")
            there = _OURS & set(inspect(connection).get_table_names())
            pg_tools.dump(self._engine, part, _schema(connection), there, snapshot)
        if pg_tools.look_into(part) is None:
            raise LedgerError("pg_dump has left tables out")
        return counts

    def revision_in(self, file: Path) -> str:
        return self._look_into(file).revision

    @contextmanager
    def made_ready(self, file: Path, now: datetime, progress: Progress) -> Iterator[Path]:  # noqa: ARG002
        found = self._look_into(file)
        with as_ledger_error(), self._engine.connect() as connection:
            schema = _schema(connection)
        if found.schema != schema:
            raise LedgerError(
                f"{file} is of the schema {found.schema}, and the database in use has {schema}"
            )
        self.place.parent.mkdir(parents=True, exist_ok=True)
        with told_of(file), part_of(self.place) as script:
            pg_tools.write_script(file, script)
            if instances.name in found.tables:
                with script.open("a", encoding="utf-8") as sql:
                    sql.write(f"UPDATE \"{schema}\".{instances.name} SET mark = '{COPIED}';\n")  # noqa: S608
            yield script

    def become(self, ready: Path, now: datetime, progress: Progress) -> RowCounts:  # noqa: ARG002
        with as_ledger_error(), self._engine.connect() as connection:
            schema = _schema(connection)
        pg_tools.replace_tables(self._engine, schema, _OURS, ready)
        with as_ledger_error():
            upgrade(self._engine)
            with self._engine.begin() as connection:
                mark_as_copied(connection, Instance("copied", "a backup", "pg_dump", COPIED, now))
                counts = row_counts(connection)
                # Else it takes the slow ways until it has looked by itself.
                connection.execute(text(f"ANALYZE {', '.join(sorted(metadata.tables))}"))
        assert counts
        return counts

    def keep_aside(self, aside: Path, now: datetime, progress: Progress) -> None:
        self.place.parent.mkdir(parents=True, exist_ok=True)
        with told_of(aside), part_of(aside) as part:
            self.copy_to(part, now, progress)
            put_in_place(part, aside)

    def _look_into(self, file: Path) -> pg_tools.Dumped:
        if not pg_tools.is_dump(file):
            raise LedgerError(f"{file} is no backup of a ledger in PostgreSQL, as this one is")
        found = pg_tools.look_into(file)
        if found is None or not found.tables >= TABLES:
            raise LedgerError(f"{file} is no backup of a ledger")
        return found


def _schema(connection: Connection) -> str:
    return str(connection.execute(text("SELECT current_schema()")).scalar_one())
