"""The papers that readers named as their own

Revision: 0019, after 0018
"""

import sqlalchemy as sa
from alembic import op



revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "own_papers",
        sa.Column(
            "subscriber_id",
            sa.Integer(),
            sa.ForeignKey(
                "subscribers.id",
                name="fk_own_papers_subscriber_id_subscribers",
                ondelete="CASCADE",
            ),
            nullable=False,
        ),
        sa.Column("paper", sa.String(80), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("abstract", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("subscriber_id", "paper", name="pk_own_papers"),
    )
    op.create_index("ix_own_papers_paper", "own_papers", ["paper"])
