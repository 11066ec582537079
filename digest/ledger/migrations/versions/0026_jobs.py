"""The tables of the engine that hands out work to several machines; only PostgreSQL has them

Revision: 0026, after 0024
"""

from alembic import op

from digest.ledger.jobs_schema import create_jobs

revision = "0026"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_jobs(op.get_bind())
