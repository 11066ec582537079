"""Picks stand in their delivery's row, packed into a text

Revision: 0024, after 0023
"""

import json
from itertools import groupby

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_BLOCK = 5000  # deliveries that are read at a time

_deliveries = sa.table("deliveries", sa.column("id", sa.Integer), sa.column("picks", sa.Text))
_picks = sa.table(
    "delivery_papers",
    sa.column("delivery_id", sa.Integer),
    sa.column("position", sa.Integer),
    sa.column("paper_id", sa.Integer),
    sa.column("section", sa.String),
    sa.column("score", sa.Float),
    sa.column("topic", sa.Text),
    sa.column("words", sa.JSON),
    sa.column("liked", sa.Text),
    sa.column("followed", sa.Text),
)


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("picks", sa.Text(), nullable=True))
    connection = op.get_bind()
    packed = sa.update(_deliveries).where(_deliveries.c.id == sa.bindparam("which"))
    packed = packed.values(picks=sa.bindparam("text"))
    last = connection.execute(sa.select(sa.func.max(_picks.c.delivery_id))).scalar() or 0
    in_order = sa.select(_picks).order_by(_picks.c.delivery_id, _picks.c.position)
    for start in range(1, last + 1, _BLOCK):
        block = _picks.c.delivery_id.between(start, start + _BLOCK - 1)
        found = connection.execute(in_order.where(block)).all()
        texts = [
            {"which": delivery_id, "text": "\n".join(map(_line, its))}
            for delivery_id, its in groupby(found, key=lambda row: row.delivery_id)
        ]
        if texts:
            connection.execute(packed, texts)
    op.drop_table("delivery_papers")


def _line(row: "sa.Row[tuple[object, ...]]") -> str:
    """Return a pick as model/packed_picks.py packs it in this revision."""
    values = [row.paper_id, row.section[0]]
    if row.score is not None:
        reason = [row.topic or "", row.words or [], row.liked or "", row.followed or ""]
        while reason and not reason[-1]:
            reason.pop()
        values += [row.score, *reason]
    return json.dumps(values, separators=(",", ":"))
