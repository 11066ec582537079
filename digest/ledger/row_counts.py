"""Row counts of a ledger of any revision, and whether a database is a ledger at all."""

from dataclasses import dataclass

from sqlalchemy import Connection, inspect, text

TABLES = {"papers", "editions", "subscribers", "suppressions", "deliveries"}  # in every revision


@dataclass(frozen=True, slots=True)
class RowCounts:
    """The numbers of the main things in a ledger."""

    revision: str
    subscribers: int = 0
    blocks: int = 0
    papers: int = 0
    editions: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self.subscribers or self.blocks or self.papers or self.editions)


def row_counts(connection: Connection) -> RowCounts | None:
    """Count the rows; return None if it is not a ledger."""
    if not TABLES | {"alembic_version"} <= set(inspect(connection).get_table_names()):
        return None

    def count(table: str, what: str = "*") -> int:
        return int(connection.execute(text(f"SELECT count({what}) FROM {table}")).scalar_one())  # noqa: S608

    revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return RowCounts(
        revision=revision or "",
        subscribers=count("subscribers"),
        blocks=count("suppressions"),
        papers=count("papers"),
        editions=count("editions", "day"),  # announcements have none
    )
