"""Who works with a ledger; what editions lack, when they were filled late, and which of their
deliveries are gone; when these were planned

Revision: 0008, after 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("editions", sa.Column("filled_after", sa.Integer(), nullable=True))
    op.add_column("editions", sa.Column("missing", sa.JSON(), nullable=True))
    op.add_column("editions", sa.Column("gone", sa.JSON(), nullable=True))
    op.add_column("deliveries", sa.Column("planned_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("attempts", sa.Column("seconds", sa.Float(), nullable=True))
    op.create_table(
        "milestones",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_milestones"),
    )
    op.create_table(
        "instances",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("home", sa.Text(), nullable=False),
        sa.Column("mark", sa.String(length=32), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sends_from", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_instances"),
    )
