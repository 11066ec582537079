"""Alerts: what is wrong, and whether the operator was told, whichever worker saw it first."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, select, update

from digest.ledger.database import insert_if_new, write_transaction
from digest.ledger.tables import alerts
from subscribers.store.store import Store


class About(StrEnum):
    """The parts of the work that may have trouble, each at most one at a time."""

    EDITION = "edition"
    PLANNING = "planning"
    SENDING = "sending"
    PROCESS = "process"


class Alerts(Store):
    """The alerts of one ledger."""

    def is_news(
        self,
        about: About,
        troubles: Sequence[str],
        now: datetime,
        lasting: timedelta = timedelta(),
    ) -> bool:
        """Write down what is wrong at a moment; return whether the operator is to be told of it.

        They are, if it differs from what they were told last, and something was wrong for as long
        as ``lasting``. Of several processes that ask, one is told so. Without troubles all is well
        again, and what comes next is news.
        """
        its_row, told = alerts.c.name == about, "\n".join(troubles)
        before = self._row(select(alerts).where(its_row))
        if before.told == told if before else not told:
            return False  # as most of the time: nothing is written
        with write_transaction(self._engine) as connection:
            if not told:
                connection.execute(delete(alerts).where(its_row))
                return False
            insert_if_new(connection, alerts, name=about, since=now)
            found = connection.execute(select(alerts).where(its_row).with_for_update()).first()
            # Without a row another process has said in this moment that all is well.
            if found is None or found.told == told or now - found.since < lasting:
                return False
            connection.execute(update(alerts).where(its_row).values(told=told))
            return True
