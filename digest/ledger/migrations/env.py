"""Alembic's hook: run the migrations over the connection that the program hands in."""

from typing import Literal

from alembic import context

from digest.ledger import tables
from subscribers.store.tables import UtcDateTime, metadata

assert tables.papers.metadata is metadata  # importing the tables is what fills the metadata


def _render_item(_kind: str, item: object, _context: object) -> str | Literal[False]:
    """Write plain types, because a migration must not change with today's code."""
    return "sa.DateTime(timezone=True)" if isinstance(item, UtcDateTime) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite cannot alter a table in place
    render_item=_render_item,
)
with context.begin_transaction():
    context.run_migrations()
