"""Refusals that are not about the reader, and pauses that end by a probe

Revision: 0010, after 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("refused_for", sa.String(length=16), nullable=True))
    op.add_column("lanes", sa.Column("probe_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "lanes", sa.Column("probes", sa.Integer(), server_default="0", nullable=False)
    )
