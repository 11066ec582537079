"""The DOI of a paper

Revision: 0013, after 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("papers", sa.Column("doi", sa.String(150), nullable=False, server_default=""))
    op.create_index("ix_papers_doi", "papers", ["doi"])
