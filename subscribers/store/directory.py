"""People as an operator looks for them: by address and by state, in pages however many they are."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, func, literal_column, select

from subscribers.addresses import address_key
from subscribers.model import Consent, Subscriber, Suppression, SuppressionReason
from subscribers.store import rows
from subscribers.store.id_list import one_of
from subscribers.store.overview import ids_with
from subscribers.store.store import Store
from subscribers.store.tables import PAUSED_UNTIL, subscribers, suppressions

BLOCK = 5000  # ids at once
_LAST = "\U0010ffff"  # the character that sorts after all others; no address has it


class State(StrEnum):
    """What can be looked for. Those blocked or paused have a consent as well."""

    CONFIRMED = "confirmed"
    WAITING = "waiting"  # they have not confirmed yet
    LEFT = "left"
    BLOCKED = "blocked"
    PAUSED = "paused"  # they chose a day before which they get nothing


_CONSENTS = {
    State.CONFIRMED: Consent.CONFIRMED,
    State.WAITING: Consent.PENDING,
    State.LEFT: Consent.WITHDRAWN,
}


@dataclass(frozen=True, slots=True)
class PeopleSearch:
    """A search for people; empty values match everybody.

    ``address`` is the beginning of an address if anything stands before its @, which an index
    serves; else it is a part of one.
    """

    address: str = ""
    state: State | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A person in a list, with the block on their address."""

    subscriber: Subscriber
    suppression: Suppression | None


class Directory(Store):
    """Searches among the people of one database; ``today`` decides who is paused.

    Those that a search matches can be gone through by ``ids`` or ``blocks``, which read them range
    by range: whoever is there from the beginning to the end is met exactly once, whoever else
    comes and goes.
    """

    def page(
        self,
        search: PeopleSearch,
        today: date,
        most: int,
        *,
        before: int | None = None,
        after: int | None = None,
    ) -> list[Entry]:
        """Return up to ``most`` people who match, the newest first.

        Those with ids below ``before``; or else those with the next ids above ``after``.
        """
        its, conditions = subscribers.c.id, self._conditions(search, today)
        query = select(its).where(*conditions).limit(most)
        if before is not None:
            query = query.where(its < before).order_by(its.desc())
        elif after is not None:
            query = query.where(its > after).order_by(its)
        else:
            query = query.order_by(its.desc())
        return self.entries(self._values(query))[::-1]

    def entries(self, ids: Collection[int]) -> list[Entry]:
        """Return these people, in the order they came."""
        which = one_of(subscribers.c.id, ids)
        keys = select(subscribers.c.address_key).where(which)
        with self._engine.connect() as connection:
            found = connection.execute(
                select(suppressions).where(suppressions.c.address_key.in_(keys))
            )
            blocks = {
                row.address_key: Suppression(SuppressionReason(row.reason), row.at) for row in found
            }
            return [
                Entry(person, blocks.get(address_key(person.address)))
                for person in rows.read_many(connection, which)
            ]

    def count(self, search: PeopleSearch, today: date) -> int:
        """Return how many people match."""
        conditions = self._conditions(search, today)
        return self._count(select(func.count()).select_from(subscribers).where(*conditions))

    def counts(self, today: date) -> dict[State, int]:
        """Return how many people there are in each state."""
        return {state: self.count(PeopleSearch(state=state), today) for state in State}

    def ids(
        self, search: PeopleSearch, today: date, after: int = 0, most: int = BLOCK
    ) -> list[int]:
        """Return the lowest ids above ``after`` of people who match, in order."""
        its = subscribers.c.id
        query = select(its).where(its > after, *self._conditions(search, today))
        return self._values(query.order_by(its).limit(most))

    def blocks(self, search: PeopleSearch, today: date, size: int = BLOCK) -> Iterator[list[int]]:
        """Yield the ids of all who match, in order, up to ``size`` at once."""
        after = 0
        while block := self.ids(search, today, after, size):
            yield block
            after = block[-1]

    def known(self, ids: Collection[int]) -> list[int]:
        """Return those of these ids that somebody has, in order."""
        its = subscribers.c.id
        return self._values(select(its).where(one_of(its, ids)).order_by(its))

    def known_keys(self, keys: Collection[str]) -> set[str]:
        """Return those of some hundred keys of addresses that somebody has."""
        its = subscribers.c.address_key
        return set(self._values(select(its).where(its.in_(list(keys)))))

    def blocked_keys(self, keys: Collection[str]) -> set[str]:
        """Return those of some hundred keys of addresses that are blocked."""
        its = suppressions.c.address_key
        return set(self._values(select(its).where(its.in_(list(keys)))))

    def _conditions(self, search: PeopleSearch, today: date) -> list[ColumnElement[bool]]:
        conditions: list[ColumnElement[bool]] = []
        if search.address.partition("@")[0] and "@" in search.address:
            conditions.append(self._begins_with(address_key(search.address)))
        elif search.address:
            conditions.append(subscribers.c.id.in_(ids_with(search.address)))
        if search.state in _CONSENTS:
            conditions.append(subscribers.c.consent == _CONSENTS[search.state])
        elif search.state is State.BLOCKED:
            blocked = select(suppressions.c.address_key)
            conditions.append(subscribers.c.address_key.in_(blocked))
        elif search.state is State.PAUSED:
            # The first part is that of the index; it is the second that is asked.
            until: ColumnElement[str] = literal_column(PAUSED_UNTIL[self._engine.dialect.name])
            conditions += [until.is_not(None), until > today.isoformat()]
        return conditions

    def _begins_with(self, text: str) -> ColumnElement[bool]:
        """Return the condition that the index of each database serves."""
        key = subscribers.c.address_key
        if self._engine.dialect.name == "sqlite":  # whose LIKE ignores letter case, and indexes
            return and_(key >= text, key < text + _LAST)
        return key.startswith(text, autoescape=True)
