"""Changes of address, opinions on papers, and where consent came from

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "consents", sa.Column("client", sa.String(length=45), server_default="", nullable=False)
    )
    op.create_table(
        "moves",
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subscriber_id", name="pk_moves"),
        sa.UniqueConstraint("public_id", name="uq_moves_public_id"),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscribers.id"],
            name="fk_moves_subscriber_id_subscribers",
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "opinions",
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("paper", sa.String(length=80), nullable=False),
        sa.Column("verdict", sa.String(length=8), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subscriber_id", "paper", name="pk_opinions"),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscribers.id"],
            name="fk_opinions_subscriber_id_subscribers",
            ondelete="CASCADE",
        ),
    )
