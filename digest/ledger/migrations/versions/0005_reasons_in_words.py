"""Reasons: the words that speak for a paper, or the liked paper that it is like; what rises

Revision: 0005, after 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("delivery_papers") as table:
        table.drop_column("place")
        table.add_column(sa.Column("words", sa.JSON(), nullable=True))
        table.add_column(sa.Column("liked", sa.Text(), nullable=True))
    op.add_column(
        "edition_papers", sa.Column("risen", sa.Integer(), server_default="0", nullable=False)
    )
