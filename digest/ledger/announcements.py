"""Announcements: what the operator wrote, to whom it goes, and how it stands.

Each is a row of editions without a day, so that its deliveries are planned, sent, counted and
removed as those of digests are.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, insert, select, update

from digest.ledger.database import write_transaction
from digest.ledger.editions import IS_DIGEST, count
from digest.ledger.locks import advisory_lock
from digest.ledger.tables import announcements, deliveries, editions
from digest.model.announcements import FIRST_NUMBER, Announcement, Audience, Draft
from digest.model.deliveries import WAITING, Balance, DeliveryState
from digest.model.digests import SkipReason
from subscribers.store.store import Store


class Announcements(Store):
    """The announcements in one ledger."""

    def create(self, draft: Draft, now: datetime) -> Announcement:
        """Store a draft that is to go out; its readers are yet to be planned for.

        A draft that is known already goes out no second time: its announcement is returned.
        Raises Busy if another is stored at this moment.
        """
        with advisory_lock(self._engine, "announcing"), write_transaction(self._engine) as changes:
            known = changes.execute(_all().where(announcements.c.key == draft.key)).one_or_none()
            if known:
                return _announcement(known)
            last = select(func.max(editions.c.id)).where(~IS_DIGEST)
            number = (changes.execute(last).scalar() or FIRST_NUMBER - 1) + 1
            new = insert(editions).values(id=number, frozen_at=now, planning_since=now)
            changes.execute(new)
            its = insert(announcements).values(
                edition_id=number,
                key=draft.key,
                subject=draft.subject,
                text=draft.text,
                audience=draft.audience.to_json(),
            )
            changes.execute(its)
        return Announcement(number, draft, now)

    def stop(self, announcement: Announcement, now: datetime) -> int:
        """Skip what still waits of an announcement, and let no more be planned; return how many.

        What is being handed over at this moment goes out.
        """
        its_row = editions.c.id == announcement.id
        with write_transaction(self._engine) as connection:
            # Whoever plans for it has locked this row, too.
            connection.execute(select(editions.c.id).where(its_row).with_for_update())
            its = update(announcements).where(announcements.c.edition_id == announcement.id)
            its = its.where(announcements.c.stopped_at.is_(None))
            connection.execute(its.values(stopped_at=now))
            waiting = update(deliveries).where(
                deliveries.c.edition_id == announcement.id, deliveries.c.state.in_(WAITING)
            )
            skipped = waiting.values(
                state=DeliveryState.SKIPPED, reason=SkipReason.STOPPED, changed_at=now
            )
            return connection.execute(skipped).rowcount

    # ---- reading ----

    def get(self, announcement_id: int) -> Announcement | None:
        """Return an announcement by the id of its row, if there is one."""
        row = self._row(_all().where(announcements.c.edition_id == announcement_id))
        return _announcement(row) if row else None

    def numbered(self, number: int) -> Announcement | None:
        """Return an announcement by its number, if there is one."""
        return self.get(number + FIRST_NUMBER - 1)

    def latest(self, most: int, since: datetime | None = None) -> list[Announcement]:
        """Return the latest announcements, newest first."""
        query = _all().order_by(announcements.c.edition_id.desc()).limit(most)
        if since is not None:
            query = query.where(editions.c.frozen_at >= since)
        return [_announcement(row) for row in self._rows(query)]

    def being_planned(self) -> list[Announcement]:
        """Return those of which not everybody who was chosen is planned for, oldest first."""
        query = _all().where(editions.c.planning_since.is_not(None))
        rows = self._rows(query.order_by(announcements.c.edition_id))
        return [_announcement(row) for row in rows]

    def balance(self, announcement: Announcement) -> Balance:
        """Return the balance of an announcement, counted now; ``due`` is who was chosen."""
        with self._engine.connect() as connection:
            return count(connection, announcement.id, announcement.name)

    def of(self, subscriber_id: int, most: int) -> list[Announcement]:
        """Return the latest announcements that a subscriber has a delivery of, newest first."""
        theirs = select(deliveries.c.edition_id).where(
            deliveries.c.subscriber_id == subscriber_id, deliveries.c.edition_id >= FIRST_NUMBER
        )
        query = _all().where(announcements.c.edition_id.in_(theirs))
        rows = self._rows(query.order_by(announcements.c.edition_id.desc()).limit(most))
        return [_announcement(row) for row in rows]


def _all() -> Select[Any]:
    return select(announcements, editions.c.frozen_at).join(
        editions, editions.c.id == announcements.c.edition_id
    )


def _announcement(row: Row[Any]) -> Announcement:
    draft = Draft(row.subject, row.text, Audience.from_json(row.audience))
    return Announcement(row.edition_id, draft, row.frozen_at, row.stopped_at)
