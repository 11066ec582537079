"""When something that is done again and again was done last."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Engine, delete, insert, select

from digest.ledger.database import writing
from digest.ledger.tables import milestones


class Milestone(StrEnum):
    PLANNED = "planned"  # everybody who was due up to then has a row
    TIDIED = "tidied"  # what is kept for some time only
    INBOX = "inbox"  # the mail that comes back was read


class Milestones:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def last(self, name: Milestone) -> datetime | None:
        """When it was done last; None if never."""
        with self._engine.connect() as connection:
            query = select(milestones.c.at).where(milestones.c.name == name)
            return connection.execute(query).scalar()

    def all(self) -> dict[Milestone, datetime]:
        """When each was done last, of those that ever were."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(milestones.c.name, milestones.c.at)).all()
        known = set(Milestone)
        return {Milestone(row.name): row.at for row in rows if row.name in known}

    def reach(self, name: Milestone, at: datetime) -> None:
        with writing(self._engine) as connection:
            connection.execute(delete(milestones).where(milestones.c.name == name))
            connection.execute(insert(milestones).values(name=name, at=at))
