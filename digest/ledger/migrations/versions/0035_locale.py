"""A locale of one's own: "en" stood with everybody, and nobody had been asked

Revision: 0035, after 0034
"""

from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "UPDATE subscribers SET preferences = (preferences::jsonb - 'locale')::json "
            "WHERE preferences ->> 'locale' = 'en'"
        )
    else:
        op.execute(
            "UPDATE subscribers SET preferences = json_remove(preferences, '$.locale') "
            "WHERE json_extract(preferences, '$.locale') = 'en'"
        )
