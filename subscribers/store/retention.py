"""Retention: the rows about people that are deleted after some time."""

from datetime import datetime, timedelta

from sqlalchemy import Table, delete, exists, select, update

from subscribers.lifecycle import ConsentEvent
from subscribers.model import Consent
from subscribers.store.address_changes import KEPT_FOR as ADDRESS_CHANGES_KEPT_FOR
from subscribers.store.store import Store
from subscribers.store.tables import address_changes, consents, signups, subscribers

SIGN_UPS_KEPT_FOR = timedelta(hours=1)  # requests count for so long
_BLOCK = 500  # people in one transaction


class OldRows(Store):
    """The old rows about the people in one database."""

    def forget_evidence(self, before: datetime) -> int:
        """Delete the evidence of people who left before a moment; return how many rows.

        Their withdrawn consent stays, and so does a block.
        """
        deleted = 0
        while True:
            with self._engine.begin() as connection:
                has_evidence = exists().where(consents.c.subscriber_id == subscribers.c.id)
                ids = connection.execute(
                    select(subscribers.c.id)
                    .where(subscribers.c.consent == Consent.WITHDRAWN)
                    .where(has_evidence, ~has_evidence.where(consents.c.at >= before))
                    .limit(_BLOCK)
                    .with_for_update(of=subscribers)  # they may be coming back at this moment
                )
                whose = consents.c.subscriber_id.in_(list(ids.scalars()))
                some = connection.execute(delete(consents).where(whose)).rowcount
            if not some:
                return deleted
            deleted += some

    def forget_unconfirmed(self, before: datetime) -> int:
        """Delete the people who were asked before a moment and never confirmed; return how many.

        Those who had left before they were asked again have left. People from an import were not
        asked by email, and stay.
        """
        theirs = consents.c.subscriber_id == subscribers.c.id
        is_recent = exists().where(theirs, consents.c.at > before)
        is_imported = exists().where(theirs, consents.c.source.startswith("import "))
        has_left = exists().where(theirs, consents.c.event == ConsentEvent.WITHDRAWN)
        pending = (subscribers.c.consent == Consent.PENDING, ~is_recent)
        self._write(update(subscribers).where(*pending, has_left).values(consent=Consent.WITHDRAWN))
        return self._write(delete(subscribers).where(*pending, ~has_left, ~is_imported))

    def forget_address_changes(self, now: datetime) -> int:
        """Delete the requests whose link has expired."""
        return self._forget_before(now - ADDRESS_CHANGES_KEPT_FOR, address_changes)

    def forget_sign_up_limits(self, now: datetime) -> int:
        """Delete the requests that no longer count."""
        return self._forget_before(now - SIGN_UPS_KEPT_FOR, signups)

    def _forget_before(self, moment: datetime, table: Table) -> int:
        return self._write(delete(table).where(table.c.at <= moment))
