"""Who asked for a mail lately, so that no form can be used to flood somebody."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Engine, delete, func, insert, select

from subscribers.store.tables import signups

KEPT_FOR = timedelta(hours=1)


class SignUpLimiter:
    """The requests of the last hour."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def may_ask(self, limits: Mapping[str, int], now: datetime) -> bool:
        """Count a request for each asker, and tell whether none has had more than its limit.

        Limits are per hour. A refused request counts as well.
        """
        an_hour_ago = now - KEPT_FOR
        with self._engine.begin() as connection:
            connection.execute(delete(signups).where(signups.c.at <= an_hour_ago))
            connection.execute(insert(signups), [{"asker": each, "at": now} for each in limits])
        # Committed before it counts: of many requests at the same moment each sees all the others.
        with self._engine.connect() as connection:
            counted = connection.execute(
                select(signups.c.asker, func.count())
                .where(signups.c.asker.in_(list(limits)))
                .group_by(signups.c.asker)
            )
            return all(count <= limits[asker] for asker, count in counted.all())
