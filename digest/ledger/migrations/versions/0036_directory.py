"""Searches among many people: who is paused, and whose address begins with a text

Revision: 0036, after 0035
"""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        until = sa.text("(preferences ->> 'paused_until')")
        op.create_index("ix_subscribers_paused_until", "subscribers", [until])
        op.create_index(
            "ix_subscribers_address_beginning",
            "subscribers",
            ["address_key"],
            postgresql_ops={"address_key": "varchar_pattern_ops"},
        )
    else:
        paused = sa.text("json_extract(preferences, '$.paused_until') IS NOT NULL")
        op.create_index("ix_subscribers_paused", "subscribers", ["id"], sqlite_where=paused)
