"""Queries over all people: for lists, for statistics, and for planning who is due when."""

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from sqlalchemy import Column, Select, func, select, tuple_

from subscribers.addresses import address_key
from subscribers.lifecycle import ConsentEvent
from subscribers.model import CONFIRM_LINK, Consent, MailSchedule, SuppressionReason
from subscribers.preferences import Preferences
from subscribers.store.id_list import one_of
from subscribers.store.store import Store
from subscribers.store.tables import consents, subscribers, suppressions

_TIMES = ("timezone", "at", "cadence")  # the preferences that tell when mail is due


class Overview(Store):
    """Counts and lists of the people in one database."""

    def addresses_of(self, ids: Collection[int]) -> dict[int, str]:
        """Return the addresses of some people by their ids, without those who were removed."""
        its = subscribers.c
        query = select(its.id, its.address).where(one_of(its.id, ids))
        return {row.id: row.address for row in self._rows(query)}

    def by_consent(self) -> dict[Consent, int]:
        """Count the people by their consent."""
        found = self._count_by(subscribers.c.consent)
        return {consent: found.get(consent, 0) for consent in Consent}

    def blocks_by_reason(self) -> dict[SuppressionReason, int]:
        """Count the blocked addresses by reason."""
        found = self._count_by(suppressions.c.reason)
        return {reason: found.get(reason, 0) for reason in SuppressionReason}

    def _count_by(self, column: Column[str]) -> dict[str, int]:
        counted = self._rows(select(column, func.count()).group_by(column))
        return {row[0]: row[1] for row in counted}

    def withdrawals_by_day(self, first: date, last: date, zone: tzinfo = UTC) -> dict[date, int]:
        """Count the people who left on each day of a zone, by the evidence that is still kept."""
        left = select(consents.c.at).where(consents.c.event == ConsentEvent.WITHDRAWN)
        return self._by_day(left, consents.c.at, first, last, zone)

    def agreements_by_day(
        self, events: Collection[ConsentEvent], first: date, last: date, zone: tzinfo = UTC
    ) -> dict[date, int]:
        """Count the people who became confirmed by one of some events, on each day of a zone.

        Whoever was confirmed already is not counted again.
        """
        before = consents.alias()
        last_before = (
            select(before.c.event)
            .where(
                before.c.subscriber_id == consents.c.subscriber_id,
                tuple_(before.c.at, before.c.id) < tuple_(consents.c.at, consents.c.id),
                before.c.event.not_in([ConsentEvent.ASKED, ConsentEvent.MOVED]),
            )
            .order_by(before.c.at.desc(), before.c.id.desc())
            .limit(1)
            .scalar_subquery()
        )
        came = select(consents.c.at).where(
            consents.c.event.in_(events),
            func.coalesce(last_before, ConsentEvent.WITHDRAWN) == ConsentEvent.WITHDRAWN,
        )
        return self._by_day(came, consents.c.at, first, last, zone)

    def blocks_by_day(self, first: date, last: date, zone: tzinfo = UTC) -> dict[date, int]:
        """Count the addresses that were blocked on each day of a zone, and are blocked still."""
        return self._by_day(select(suppressions.c.at), suppressions.c.at, first, last, zone)

    def _by_day(
        self,
        query: Select[tuple[datetime]],
        at: Column[datetime],
        first: date,
        last: date,
        zone: tzinfo,
    ) -> dict[date, int]:
        begin, end = (
            datetime.combine(day, time(), zone) for day in (first, last + timedelta(days=1))
        )
        moments = self._values(query.where(at >= begin, at < end))
        counted = Counter(moment.astimezone(zone).date() for moment in moments)
        days = (first + timedelta(days=number) for number in range((last - first).days + 1))
        return {day: counted[day] for day in days}

    def confirmed_by_link(self, since: datetime) -> dict[int, datetime]:
        """Return who has confirmed by the link in an email since a moment, and when last.

        Called every few seconds.
        """
        query = (
            select(consents.c.subscriber_id, func.max(consents.c.at))
            .join(subscribers, subscribers.c.id == consents.c.subscriber_id)
            .where(
                consents.c.event == ConsentEvent.CONFIRMED,
                consents.c.at > since,
                consents.c.source == CONFIRM_LINK,
                subscribers.c.consent == Consent.CONFIRMED,
            )
            .group_by(consents.c.subscriber_id)
        )
        return {row[0]: row[1] for row in self._rows(query)}

    def ranges(self, size: int) -> Iterator[range]:
        """Yield ranges of ids with at most so many people each, until there are no more."""
        first = 1
        while True:
            following = select(subscribers.c.id).where(subscribers.c.id >= first)
            beyond = self._value(following.order_by(subscribers.c.id).offset(size).limit(1))
            if beyond is None:
                break
            yield range(first, beyond)
            first = beyond
        last = self._value(select(func.max(subscribers.c.id)))
        if last is not None and last >= first:
            yield range(first, last + 1)

    def mail_schedules(self, among: range | None = None) -> list[MailSchedule]:
        """Return when the confirmed subscribers want mail, grouped by equal times.

        Those with an id in a range, or all. Called every minute, so it reads no whole records.
        """
        record = subscribers.c.preferences
        times = (record[name].as_string().label(name) for name in _TIMES)
        query = select(subscribers.c.id, subscribers.c.since, *times).where(
            subscribers.c.consent == Consent.CONFIRMED
        )
        if among is not None:
            query = query.where(subscribers.c.id.between(among.start, among.stop - 1))
        found: dict[tuple[str | None, ...], dict[int, datetime]] = {}
        with self._engine.connect() as connection:
            for number, since, *stored in connection.execute(query):
                found.setdefault(tuple(stored), {})[number] = since
        return [MailSchedule(_preferences(stored), people) for stored, people in found.items()]


def _preferences(stored: tuple[str | None, ...]) -> Preferences:
    named = zip(_TIMES, stored, strict=True)
    return Preferences.from_stored({name: text for name, text in named if text is not None})


def ids_with(part: str) -> Select[tuple[int]]:
    """Select the ids of the people with this text in their address, whatever its letter case."""
    return select(subscribers.c.id).where(
        subscribers.c.address_key.contains(address_key(part), autoescape=True)
    )
