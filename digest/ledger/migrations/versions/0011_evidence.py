"""How each bounce became known, and how many mails wait for a person

What is known from before counts as told by mail, which pauses nothing.

Revision: 0011, after 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    source = sa.Column("source", sa.String(16), nullable=False, server_default="mail")
    op.add_column("bounces", source)
    op.create_table(
        "reviews",
        sa.Column("inbox", sa.String(16), primary_key=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True)),
    )
