"""Papers that were withdrawn, or replaced by a new version

Revision: 0014, after 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    revised = sa.Column("revision", sa.String(16), nullable=False, server_default="")
    op.add_column("papers", revised)
