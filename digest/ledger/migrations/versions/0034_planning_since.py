"""Editions: since when one is being planned, range after range

Revision: 0034, after 0029
"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("editions", sa.Column("planning_since", sa.DateTime(timezone=True), nullable=True))
