"""The names that papers are found by: their authors, and their organisation

Revision: 0017, after 0016
"""

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_AT_ONCE = 1000  # papers


def upgrade() -> None:
    paper_names = op.create_table(
        "paper_names",
        sa.Column("kind", sa.String(12), primary_key=True),
        sa.Column("key", sa.String(120), primary_key=True),
        sa.Column("paper_id", sa.Integer, sa.ForeignKey("papers.id"), primary_key=True, index=True),
    )
    papers = sa.table(
        "papers",
        sa.column("id", sa.Integer),
        sa.column("authors", sa.JSON),
        sa.column("organisation", sa.Text),
    )
    connection = op.get_bind()
    last = 0
    while found := connection.execute(
        sa.select(papers).where(papers.c.id > last).order_by(papers.c.id).limit(_AT_ONCE)
    ).all():
        last = found[-1].id
        rows = [
            {"kind": kind, "key": key, "paper_id": paper.id}
            for paper in found
            for kind, key in sorted(_names_of(paper.authors, paper.organisation))
        ]
        if rows:
            connection.execute(sa.insert(paper_names), rows)


def _names_of(authors: list[str], organisation: str) -> set[tuple[str, str]]:
    named = [*(("author", name) for name in authors), ("organisation", organisation)]
    return {(kind, key) for kind, name in named if (key := _name_key(name))}


def _name_key(name: str) -> str:
    """As digest.model.identity.name_key was at this revision."""
    decomposed = unicodedata.normalize("NFKD", name).casefold()
    letters = (
        character if character.isalnum() else " "
        for character in decomposed
        if not unicodedata.combining(character)
    )
    return " ".join("".join(letters).split())[:120].rstrip()
