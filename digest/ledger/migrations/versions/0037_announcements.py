"""Announcements: rows of editions without a day

Revision: 0037, after 0036
"""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("editions", "day", nullable=True)
    else:
        _remake_editions()
    op.create_table(
        "announcements",
        sa.Column("edition_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("audience", sa.JSON(), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["edition_id"], ["editions.id"], name="fk_announcements_edition_id_editions"
        ),
        sa.PrimaryKeyConstraint("edition_id", name="pk_announcements"),
        sa.UniqueConstraint("key", name="uq_announcements_key"),
    )


def _remake_editions() -> None:
    """Make the table anew: SQLite cannot let a column be empty that could not.

    Deliveries refer to its rows. They are looked for at the end of the transaction only, and are
    there again by then.
    """
    op.execute("PRAGMA defer_foreign_keys=ON")
    op.execute("CREATE TABLE editions_before AS SELECT * FROM editions")
    op.drop_table("editions")
    op.create_table(
        "editions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("filled_after", sa.Integer(), nullable=True),
        sa.Column("due", sa.Integer(), nullable=True),
        sa.Column("planning_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("balance", sa.JSON(), nullable=True),
        sa.Column("missing", sa.JSON(), nullable=True),
        sa.Column("gone", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_editions"),
        sa.UniqueConstraint("day", name="uq_editions_day"),
    )
    names = "id, day, frozen_at, filled_after, due, planning_since, balance, missing, gone"
    op.execute(f"INSERT INTO editions ({names}) SELECT {names} FROM editions_before")
    op.execute("DROP TABLE editions_before")
