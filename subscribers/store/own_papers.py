"""Readers' own papers, from which papers like them are found."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from subscribers.own_papers import OwnPaper, joined
from subscribers.store import rows
from subscribers.store.store import Store, near
from subscribers.store.tables import own_papers, subscribers


class OwnPapers(Store):
    """The own papers in one database."""

    def add(self, public_id: str, new: Sequence[OwnPaper]) -> int:
        """Add papers to those of a person, if they are known; return how many were too many."""
        return self._save(public_id, new, keep=True)

    def replace(self, public_id: str, new: Sequence[OwnPaper]) -> int:
        """Put papers in the place of those of a person; return how many were too many."""
        return self._save(public_id, new, keep=False)

    def _save(self, public_id: str, new: Sequence[OwnPaper], *, keep: bool) -> int:
        with self._engine.begin() as connection:
            # It changes nothing, but whoever adds others at this moment has to wait.
            its_row = update(subscribers).where(subscribers.c.public_id == public_id)
            connection.execute(its_row.values(public_id=public_id))
            person = rows.by_public_id(connection, public_id)
            if person is None:
                return 0
            its = own_papers.c.subscriber_id == person.id
            before = list(connection.execute(_in_order().where(its)))
            papers, too_many = joined(map(own_paper_of, before) if keep else (), new)
            asked = {row.paper: row.asked_at for row in before}
            connection.execute(delete(own_papers).where(its))
            if papers:
                values = [
                    {**row_of(person.id, own), "asked_at": asked.get(own.paper)} for own in papers
                ]
                connection.execute(insert(own_papers), values)
            return too_many

    def remove(self, subscriber_id: int, paper: str = "") -> None:
        """Remove one of a person's papers; all of them if none is named."""
        statement = delete(own_papers).where(own_papers.c.subscriber_id == subscriber_id)
        self._write(statement.where(own_papers.c.paper == paper) if paper else statement)

    def of(self, subscriber_id: int) -> list[OwnPaper]:
        """Return a person's papers, those added last first."""
        found = self._rows(_in_order().where(own_papers.c.subscriber_id == subscriber_id))
        return [own_paper_of(row) for row in reversed(found)]

    def of_some(self, ids: Collection[int]) -> dict[int, list[OwnPaper]]:
        """Return the papers of the people with these ids who have any."""
        found: dict[int, list[OwnPaper]] = {}
        wanted = set(ids)
        for row in self._rows(_in_order().where(near(own_papers.c.subscriber_id, ids))):
            if row.subscriber_id in wanted:
                found.setdefault(row.subscriber_id, []).append(own_paper_of(row))
        return found

    # ---- looking up --------------------------------------------------------------------------

    def to_look_up(self, start: str, most: int) -> list[str]:
        """Return ids that begin with ``start``, without an abstract, that were not asked for."""
        query = (
            select(own_papers.c.paper)
            .where(
                own_papers.c.asked_at.is_(None),
                own_papers.c.abstract == "",
                own_papers.c.paper.startswith(start, autoescape=True),
            )
            .distinct()
            .order_by(own_papers.c.paper)
        )
        return self._values(query.limit(most))

    def looked_up(self, paper: str, title: str, abstract: str, now: datetime) -> None:
        """Keep what was found of a paper, for everybody who has it; empty if nothing was."""
        found: dict[str, Any] = {"asked_at": now}
        if title:
            found |= {"title": title, "abstract": abstract}
        self._write(update(own_papers).where(own_papers.c.paper == paper).values(found))


def _in_order() -> Any:
    return select(own_papers).order_by(
        own_papers.c.subscriber_id, own_papers.c.at, own_papers.c.paper
    )


def own_paper_of(row: Row[tuple[Any, ...]]) -> OwnPaper:
    return OwnPaper(row.paper, row.title, row.abstract, row.at)


def row_of(subscriber_id: int, own: OwnPaper) -> dict[str, object]:
    return {
        "subscriber_id": subscriber_id,
        "paper": own.paper,
        "title": own.title,
        "abstract": own.abstract,
        "at": own.at,
    }
