"""Consents by event and time: who has just confirmed is asked every few seconds

Revision: 0021, after 0020
"""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_consents_event", "consents", ["event", "at"])
