"""Read what a search shows of papers besides the index: when they were listed, facts, votes."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import func, select

from digest.ledger.papers import current_signals, facts_of, rows_with
from digest.ledger.tables import listings, observations, papers
from digest.model.papers import Facts, Signals
from subscribers.store.store import Store


class SearchedPapers(Store):
    """The papers of one ledger, as a search reads them."""

    def first_days(self) -> list[tuple[int, date]]:
        """Return the number of each paper that a source listed, and the first day of it."""
        day = func.min(listings.c.listed_on)
        query = select(listings.c.paper_id, day).group_by(listings.c.paper_id)
        return [(number, listed_on) for number, listed_on in self._rows(query)]

    def organisations(self) -> list[str]:
        """Return the names of all organisations that papers state."""
        named = select(papers.c.organisation).where(papers.c.organisation != "")
        return self._values(named.distinct().order_by(papers.c.organisation))

    def by_number(self, numbers: Sequence[int]) -> dict[int, tuple[str, Facts]]:
        """Return canonical ids and facts of papers by number; leave out unknown ones."""
        with self._engine.connect() as connection:
            rows = rows_with(connection, papers, papers.c.id, numbers)
        return {row.id: (row.key, facts_of(row)) for row in rows}

    def upvotes(self, after: int) -> list[tuple[int, int]]:
        """Return the last upvotes of papers, by number, as observed after an observation."""
        its = observations.c
        last = func.row_number().over(
            partition_by=its.paper_id, order_by=[its.seen_at.desc(), its.id.desc()]
        )
        stated = select(its.paper_id, its.upvotes, last.label("place"))
        stated = stated.where(its.id > after, its.upvotes.is_not(None))
        each_one = stated.subquery().c
        query = select(each_one.paper_id, each_one.upvotes).where(each_one.place == 1)
        return [(number, upvotes) for number, upvotes in self._rows(query)]

    def signals(self, numbers: Sequence[int]) -> dict[int, Signals]:
        """Return the counts of papers as of now, by number."""
        with self._engine.connect() as connection:
            return dict(current_signals(connection, numbers))
