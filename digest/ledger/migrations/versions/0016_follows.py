"""Reasons: the author or organisation that a reader follows

Revision: 0016, after 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("delivery_papers", sa.Column("followed", sa.Text(), nullable=True))
