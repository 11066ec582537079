"""How many people are due for an edition, counted apart from its deliveries

Revision: 0009, after 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("editions", sa.Column("due", sa.Integer(), nullable=True))
