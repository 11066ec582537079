"""Pictures of papers: which are to be fetched, what came, and what is served."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, insert, or_, select

from digest.ledger.database import write_transaction
from digest.ledger.papers import rows_with
from digest.ledger.tables import listings, papers, pictures
from digest.model.pictures import EncodedPicture, PaperPicture, WantedPicture
from subscribers.store.store import Store

# One that could not be had is asked for again after an hour, four and sixteen; then no more.
_AGAIN = (timedelta(hours=1), timedelta(hours=4), timedelta(hours=16))
_TOLD = ("paper_id", "name", "width", "height")


class Pictures(Store):
    """The pictures of one ledger. Of two collections, only one may change them (see locks.py)."""

    def wanted(self, days: Sequence[date], now: datetime, most: int) -> list[WantedPicture]:
        """Return the pictures to fetch for the papers listed on some days, the newest first.

        Left out are those that are there, and those that are not to be asked for again by now.
        """
        its = pictures.c
        listed = select(listings.c.paper_id).where(listings.c.listed_on.in_(days))
        may_be_asked = or_(
            its.paper_id.is_(None),
            its.name.is_(None) & or_(its.next_at <= now, its.url != papers.c.picture_url),
        )
        query = (
            select(papers.c.id, papers.c.picture_url)
            .outerjoin(pictures, its.paper_id == papers.c.id)
            .where(papers.c.id.in_(listed), papers.c.picture_url != "", may_be_asked)
            .order_by(papers.c.id.desc())
            .limit(most)
        )
        return [WantedPicture(row.id, row.picture_url) for row in self._rows(query)]

    def keep(self, wanted: WantedPicture, picture: EncodedPicture, now: datetime) -> None:
        """Store a picture that came."""
        told = picture.told
        self._replace(
            wanted,
            asked_at=now,
            name=told.name,
            width=told.width,
            height=told.height,
            large=picture.large,
            small=picture.small,
        )

    def put_off(self, wanted: WantedPicture, problem: str, now: datetime) -> None:
        """Record that a picture could not be had; it is asked for again a few times, later."""
        tries = select(pictures.c.tries).where(
            pictures.c.paper_id == wanted.paper_id, pictures.c.url == wanted.url
        )
        before = self._count(tries)
        next_at = now + _AGAIN[before] if before < len(_AGAIN) else None
        problem = problem[:200]
        self._replace(wanted, asked_at=now, tries=before + 1, next_at=next_at, problem=problem)

    def _replace(self, wanted: WantedPicture, **values: Any) -> None:
        with write_transaction(self._engine) as connection:
            connection.execute(delete(pictures).where(pictures.c.paper_id == wanted.paper_id))
            row = {"paper_id": wanted.paper_id, "url": wanted.url, **values}
            connection.execute(insert(pictures).values(row))

    def state(self) -> tuple[Any, ...]:
        """Return values of which one changes when a picture comes or goes."""
        counted = select(func.max(pictures.c.asked_at), func.count(pictures.c.name))
        return tuple(self._rows(counted)[0])

    def large(self, name: str) -> bytes | None:
        """Return the large form of the picture with a name."""
        return self._value(select(pictures.c.large).where(pictures.c.name == name).limit(1))

    def small(self, name: str) -> bytes | None:
        """Return its small form."""
        return self._value(select(pictures.c.small).where(pictures.c.name == name).limit(1))


def pictures_of(connection: Connection, paper_ids: Sequence[int]) -> dict[int, PaperPicture]:
    """Return what is told of the pictures of papers, by paper; leave out those without one."""
    columns = [pictures.c[name] for name in _TOLD]
    rows = rows_with(connection, pictures, pictures.c.paper_id, paper_ids, columns)
    return {row.paper_id: PaperPicture(row.name, row.width, row.height) for row in rows if row.name}
