"""Keep what an edition knows of earlier papers, and index who was shown a paper

Each row of an edition so far is of a paper that it lists.

Revision: 0012, after 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("edition_papers") as edition_papers:
        edition_papers.drop_constraint("uq_edition_papers_paper_id", type_="unique")
        edition_papers.add_column(
            sa.Column("role", sa.String(8), nullable=False, server_default="listed")
        )
        edition_papers.add_column(sa.Column("since", sa.Date()))
    op.create_index("ix_edition_papers_paper_id", "edition_papers", ["paper_id"])
    op.create_index("ix_delivery_papers_shown", "delivery_papers", ["paper_id", "delivery_id"])
