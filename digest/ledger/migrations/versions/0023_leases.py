"""Deliveries are leased in blocks: whoever has one is named, and nobody else

Revision: 0023, after 0022
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Of those that are done or wait again, the worker was kept that had claimed them last.
    op.execute(
        "UPDATE deliveries SET claimed_by = NULL "
        "WHERE claimed_by IS NOT NULL AND state NOT IN ('sending', 'uncertain')"
    )
    is_claimed = sa.text("claimed_by IS NOT NULL")
    op.create_index(
        "ix_deliveries_claimed",
        "deliveries",
        ["claimed_by"],
        sqlite_where=is_claimed,
        postgresql_where=is_claimed,
    )
