"""What is kept of people for some time only."""

from datetime import datetime

from sqlalchemy import Engine, Table, delete, exists, select

from subscribers.model import Consent
from subscribers.store.address_changes import KEPT_FOR as ADDRESS_CHANGES_KEPT_FOR
from subscribers.store.sign_up_limiter import KEPT_FOR as SIGN_UPS_KEPT_FOR
from subscribers.store.tables import address_changes, consents, signups, subscribers

_BLOCK = 500  # people in one transaction


class OldRows:
    """The old rows about the people in one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def forget_evidence(self, before: datetime) -> int:
        """Of who has left, and has said nothing since a moment; how many things they had said.

        That they left stays, and so does a block. Who is removed has no evidence any more.
        """
        forgotten = 0
        while True:
            with self._engine.begin() as connection:
                said = exists().where(consents.c.subscriber_id == subscribers.c.id)
                ids = connection.execute(
                    select(subscribers.c.id)
                    .where(subscribers.c.consent == Consent.WITHDRAWN)
                    .where(said, ~said.where(consents.c.at >= before))
                    .limit(_BLOCK)
                    .with_for_update(of=subscribers)  # not coming back in this moment
                )
                whose = consents.c.subscriber_id.in_(list(ids.scalars()))
                some = connection.execute(delete(consents).where(whose)).rowcount
            if not some:
                return forgotten
            forgotten += some

    def forget_address_changes(self, now: datetime) -> int:
        """Those whose link has ended."""
        return self._forget_before(now - ADDRESS_CHANGES_KEPT_FOR, address_changes)

    def forget_sign_up_limits(self, now: datetime) -> int:
        """Those of longer ago than requests count."""
        return self._forget_before(now - SIGN_UPS_KEPT_FOR, signups)

    def _forget_before(self, moment: datetime, table: Table) -> int:
        with self._engine.begin() as connection:
            return connection.execute(delete(table).where(table.c.at <= moment)).rowcount
