"""Keep what is looked up about papers: a sentence, the venue, citations

Revision: 0015, after 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (
        sa.Column("tldr", sa.Text(), nullable=False, server_default=""),
        sa.Column("venue", sa.Text(), nullable=False, server_default=""),
        sa.Column("citations", sa.Integer(), nullable=False, server_default="0"),
    ):
        op.add_column("papers", column)
