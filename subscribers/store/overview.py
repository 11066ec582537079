"""People seen from afar, for lists and figures."""

from collections import Counter
from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from sqlalchemy import Engine, Select, func, select

from subscribers.addresses import address_key
from subscribers.lifecycle import ConsentEvent
from subscribers.model import Consent, SuppressionReason
from subscribers.store.tables import consents, subscribers, suppressions


class Overview:
    """What lists and figures tell of the people in one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def addresses_of(self, ids: Collection[int]) -> dict[int, str]:
        """The addresses of some people by their ids; whoever was removed is left out."""
        query = select(subscribers.c.id, subscribers.c.address).where(subscribers.c.id.in_(ids))
        with self._engine.connect() as connection:
            return {row.id: row.address for row in connection.execute(query)}

    def by_consent(self) -> dict[Consent, int]:
        """How many people have said what."""
        consent = subscribers.c.consent
        with self._engine.connect() as connection:
            rows = connection.execute(select(consent, func.count()).group_by(consent))
            found = {Consent(row[0]): row[1] for row in rows}
        return {each: found.get(each, 0) for each in Consent}

    def blocks_by_reason(self) -> dict[SuppressionReason, int]:
        """How many addresses get nothing, and why."""
        reason = suppressions.c.reason
        with self._engine.connect() as connection:
            rows = connection.execute(select(reason, func.count()).group_by(reason))
            found = {SuppressionReason(row[0]): row[1] for row in rows}
        return {each: found.get(each, 0) for each in SuppressionReason}

    def withdrawals_by_day(self, first: date, last: date, zone: tzinfo = UTC) -> dict[date, int]:
        """How many people left on each day of a zone, from the first to the last day.

        Their evidence says it, so whoever was removed since is no longer among them, nor who left
        longer ago than evidence is kept.
        """
        begin, end = (
            datetime.combine(day, time(), zone) for day in (first, last + timedelta(days=1))
        )
        query = select(consents.c.at).where(
            consents.c.event == ConsentEvent.WITHDRAWN, consents.c.at >= begin, consents.c.at < end
        )
        with self._engine.connect() as connection:
            moments = connection.execute(query).scalars()
            left = Counter(at.astimezone(zone).date() for at in moments)
        return {
            day: left[day]
            for day in (first + timedelta(days=n) for n in range((last - first).days + 1))
        }


def ids_with(part: str) -> Select[tuple[int]]:
    """The ids of the people with this text in their address, whatever its letter case."""
    return select(subscribers.c.id).where(
        subscribers.c.address_key.contains(address_key(part), autoescape=True)
    )
