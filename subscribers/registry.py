"""Everything that is stored about people: all the SQL of this package."""

import secrets
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    delete,
    func,
    insert,
    select,
    true,
    update,
)
from sqlalchemy.exc import IntegrityError

from subscribers.addresses import address_key, normalise_address
from subscribers.errors import ConsentError
from subscribers.lifecycle import ConsentEvent, next_consent
from subscribers.model import (
    Consent,
    Evidence,
    PersonFile,
    Standing,
    Subscriber,
    Suppression,
    SuppressionReason,
)
from subscribers.preferences import Preferences
from subscribers.tables import consents, signups, subscribers, suppressions
from subscribers.topics import TopicFilter
from subscribers.transfer import Arrival


class Registry:
    """The subscribers of one database. Each method is one short transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(
        self, address: str, topics: Sequence[TopicFilter], *, source: str, now: datetime
    ) -> Subscriber:
        """A confirmed subscriber, on the operator's word.

        Somebody who is there already gets the new topics, or keeps the old where none are given.
        Raises AddressError for an address that cannot be used, and ConsentError for a person who
        left: only they can come back.
        """
        address = normalise_address(address)
        with self._engine.begin() as connection:
            existing = _by_address(connection, address)
            try:
                before = None if existing is None else existing.consent
                consent = next_consent(before, ConsentEvent.VOUCHED)
            except ConsentError:
                raise ConsentError(
                    f"{address} has unsubscribed; only that person can subscribe again"
                ) from None
            wanted = [topic.text for topic in topics or (existing.topics if existing else ())]
            added = _put(connection, address, existing, now, consent=consent, topics=wanted)
            _witness(connection, added.id, ConsentEvent.VOUCHED, source, now)
            return added

    def ask(
        self, address: str, topics: Sequence[TopicFilter], *, source: str, now: datetime
    ) -> Subscriber | None:
        """Somebody typed an address into the form: the pending subscriber to be asked to confirm.

        None where no mail may go out for it: the address is blocked, or has confirmed already
        (what it wants is then not for a stranger to change), or is being asked at this moment by
        another request. Raises AddressError.
        """
        address = normalise_address(address)
        wanted = [topic.text for topic in topics]
        try:
            with self._engine.begin() as connection:
                existing = _by_address(connection, address)
                before = None if existing is None else existing.consent
                consent = next_consent(before, ConsentEvent.ASKED)
                blocked = _is_suppressed(connection, address_key(address))
                if consent is not Consent.PENDING or blocked:
                    return None
                asked = _put(connection, address, existing, now, consent=consent, topics=wanted)
                _witness(connection, asked.id, ConsentEvent.ASKED, source, now)
                return asked
        except (IntegrityError, ConsentError):
            return None

    def confirm(self, public_id: str, *, source: str, now: datetime) -> Subscriber | None:
        """The person confirms; none for somebody unknown, or who has left since.

        Confirming twice is confirming once.
        """
        return self._say(public_id, Consent.PENDING, ConsentEvent.CONFIRMED, source, now)

    def has_confirmed(self, person: Subscriber) -> bool:
        """Whether there is evidence that a person ever agreed to be mailed."""
        agreed = [ConsentEvent.CONFIRMED, ConsentEvent.VOUCHED]
        found = select(consents.c.id).where(
            consents.c.subscriber_id == person.id, consents.c.event.in_(agreed)
        )
        with self._engine.connect() as connection:
            return connection.execute(found).first() is not None

    def undo(self, public_id: str, *, source: str, now: datetime) -> Subscriber | None:
        """The person takes back that they left; none for somebody unknown or not confirmed."""
        return self._say(public_id, Consent.WITHDRAWN, ConsentEvent.UNDONE, source, now)

    def _say(
        self, public_id: str, when: Consent, event: ConsentEvent, source: str, now: datetime
    ) -> Subscriber | None:
        """Have an event happen to somebody whose consent is ``when``; they, if then confirmed."""
        with self._engine.begin() as connection:
            person = _one(connection, subscribers.c.public_id == public_id)
            if person is not None and person.consent is when:
                with suppress(ConsentError):  # said something else, or the same, at this moment
                    _change(connection, person, consent=next_consent(person.consent, event))
                    _witness(connection, person.id, event, source, now)
                person = _one(connection, subscribers.c.public_id == public_id)
            return person if person and person.consent is Consent.CONFIRMED else None

    def may_ask(self, limits: Mapping[str, int], now: datetime) -> bool:
        """Count a request for each asker, and tell whether none has had more than its limit.

        Limits are per hour. A refused request counts as well.
        """
        an_hour_ago = now - timedelta(hours=1)
        with self._engine.begin() as connection:
            connection.execute(delete(signups).where(signups.c.at <= an_hour_ago))
            connection.execute(insert(signups), [{"asker": each, "at": now} for each in limits])
            counted = connection.execute(
                select(signups.c.asker, func.count())
                .where(signups.c.asker.in_(list(limits)))
                .group_by(signups.c.asker)
            )
            return all(count <= limits[asker] for asker, count in counted.all())

    def admit(self, arrivals: Sequence[Arrival], now: datetime) -> int:
        """Take in people from a file, with evidence and blocks; how many were not there before.

        Whoever is there already, or comes twice, is left as they are: an import can be repeated,
        and brings nobody back. For speed the people come in batches of some hundreds.
        """
        by_key: dict[str, Arrival] = {}
        for each in arrivals:
            by_key.setdefault(address_key(each.address), each)
        keys = list(by_key)
        with self._engine.begin() as connection:
            known = select(subscribers.c.address_key).where(subscribers.c.address_key.in_(keys))
            for key in connection.execute(known).scalars():
                del by_key[key]
            if not by_key:
                return 0
            rows = [_arrival_row(key, each, now) for key, each in by_key.items()]
            connection.execute(insert(subscribers), rows)
            added = select(subscribers.c.address_key, subscribers.c.id).where(
                subscribers.c.address_key.in_(list(by_key))
            )
            connection.execute(
                insert(consents),
                [
                    {
                        "subscriber_id": subscriber_id,
                        "event": said.event,
                        "at": said.at,
                        "source": said.source,
                    }
                    for key, subscriber_id in connection.execute(added)
                    for said in by_key[key].evidence
                ],
            )
            for key, each in by_key.items():
                if each.suppression and not _is_suppressed(connection, key):
                    block = {"reason": each.suppression.reason, "at": each.suppression.at}
                    connection.execute(insert(suppressions).values(address_key=key, **block))
        return len(by_key)

    def everybody(self, consent: Consent | None = None) -> list[Subscriber]:
        """Everybody, or everybody with one consent, in the order they came."""
        query = select(subscribers).order_by(subscribers.c.id)
        if consent is not None:
            query = query.where(subscribers.c.consent == consent)
        with self._engine.connect() as connection:
            return [_subscriber(row) for row in connection.execute(query)]

    def files(self) -> list[PersonFile]:
        """Everything that is stored about everybody, in the order they came."""
        return self._files(true())

    def file_of(self, address: str) -> PersonFile | None:
        """Everything that is stored about one person. Raises AddressError."""
        key = address_key(normalise_address(address))
        return next(iter(self._files(subscribers.c.address_key == key)), None)

    def _files(self, condition: ColumnElement[bool]) -> list[PersonFile]:
        whose = select(subscribers.c.id).where(condition)
        keys = select(subscribers.c.address_key).where(condition)
        with self._engine.connect() as connection:
            said: dict[int, list[Evidence]] = defaultdict(list)
            evidence = select(consents).where(consents.c.subscriber_id.in_(whose))
            for row in connection.execute(evidence.order_by(consents.c.at, consents.c.id)):
                said[row.subscriber_id].append(Evidence(row.event, row.at, row.source))
            blocks = select(suppressions).where(suppressions.c.address_key.in_(keys))
            blocked = {
                row.address_key: Suppression(SuppressionReason(row.reason), row.at)
                for row in connection.execute(blocks)
            }
            people = select(subscribers).where(condition).order_by(subscribers.c.id)
            return [
                PersonFile(_subscriber(row), tuple(said[row.id]), blocked.get(row.address_key))
                for row in connection.execute(people)
            ]

    def get(self, subscriber_id: int) -> Subscriber | None:
        with self._engine.connect() as connection:
            return _one(connection, subscribers.c.id == subscriber_id)

    def by_public_id(self, public_id: str) -> Subscriber | None:
        with self._engine.connect() as connection:
            return _one(connection, subscribers.c.public_id == public_id)

    def remove(self, address: str) -> bool:
        """Forget a person and their evidence; false if there was nobody. Suppression stays.

        Raises AddressError for what can be nobody's address.
        """
        key = address_key(normalise_address(address))
        with self._engine.begin() as connection:
            removed = connection.execute(
                delete(subscribers).where(subscribers.c.address_key == key)
            )
            return removed.rowcount > 0

    def set_wishes(
        self, public_id: str, topics: Sequence[TopicFilter], preferences: Preferences
    ) -> Subscriber | None:
        """Replace a subscriber's topics and preferences; none for an unknown person."""
        with self._engine.begin() as connection:
            connection.execute(
                update(subscribers)
                .where(subscribers.c.public_id == public_id)
                .values(topics=[topic.text for topic in topics], preferences=preferences.to_json())
            )
            return _one(connection, subscribers.c.public_id == public_id)

    def withdraw(self, public_id: str, *, source: str, now: datetime) -> Subscriber | None:
        """The person leaves; none for somebody unknown. Leaving twice is leaving once."""
        with self._engine.begin() as connection:
            person = _one(connection, subscribers.c.public_id == public_id)
            if person is None or person.consent is Consent.WITHDRAWN:
                return person
            consent = next_consent(person.consent, ConsentEvent.WITHDRAWN)
            connection.execute(
                update(subscribers).where(subscribers.c.id == person.id).values(consent=consent)
            )
            _witness(connection, person.id, ConsentEvent.WITHDRAWN, source, now)
            return _one(connection, subscribers.c.id == person.id)

    def unsuppress(self, address: str) -> bool:
        """Lift the block on an address; false if there was none."""
        with self._engine.begin() as connection:
            lifted = connection.execute(
                delete(suppressions).where(suppressions.c.address_key == address_key(address))
            )
            return lifted.rowcount > 0

    def suppress(self, address: str, reason: SuppressionReason, *, now: datetime) -> None:
        """A standing block on an address. The first reason stays."""
        key = address_key(address)
        with self._engine.begin() as connection:
            if not _is_suppressed(connection, key):
                connection.execute(
                    insert(suppressions).values(address_key=key, reason=reason, at=now)
                )

    def standing(self, subscriber_id: int) -> Standing:
        """Whether this person may be mailed right now."""
        with self._engine.connect() as connection:
            person = _one(connection, subscribers.c.id == subscriber_id)
            if person is None:
                return Standing.REMOVED
            if _is_suppressed(connection, address_key(person.address)):
                return Standing.SUPPRESSED
            match person.consent:
                case Consent.CONFIRMED:
                    return Standing.MAY_RECEIVE
                case Consent.WITHDRAWN:
                    return Standing.WITHDRAWN
                case Consent.PENDING:
                    return Standing.NOT_CONFIRMED


def _by_address(connection: Connection, address: str) -> Subscriber | None:
    return _one(connection, subscribers.c.address_key == address_key(address))


def _put(
    connection: Connection,
    address: str,
    before: Subscriber | None,
    now: datetime,
    *,
    consent: Consent,
    topics: list[str],
) -> Subscriber:
    """The person with an address: changed if they were there before, else made."""
    key = address_key(address)
    values = {"consent": consent, "topics": topics}
    if before is not None:
        _change(connection, before, **values)
    else:
        new = {
            "public_id": secrets.token_hex(16),
            "address": address,
            "address_key": key,
            "preferences": Preferences().to_json(),
            "since": now,
        }
        connection.execute(insert(subscribers).values(**new, **values))
    person = _by_address(connection, address)
    assert person is not None
    return person


def _change(connection: Connection, before: Subscriber, **values: object) -> None:
    """Change a person whose consent is still what it was when it was read.

    Raises ConsentError if they said something else meanwhile: that stands.
    """
    still = (subscribers.c.id == before.id, subscribers.c.consent == before.consent)
    if connection.execute(update(subscribers).where(*still).values(values)).rowcount == 0:
        raise ConsentError(f"{before.address} has just changed; look, and try again")


def _one(connection: Connection, condition: ColumnElement[bool]) -> Subscriber | None:
    row = connection.execute(select(subscribers).where(condition)).one_or_none()
    return None if row is None else _subscriber(row)


def _is_suppressed(connection: Connection, key: str) -> bool:
    found = select(suppressions.c.reason).where(suppressions.c.address_key == key)
    return connection.execute(found).first() is not None


def _witness(
    connection: Connection, subscriber_id: int, event: ConsentEvent, source: str, now: datetime
) -> None:
    connection.execute(
        insert(consents).values(subscriber_id=subscriber_id, event=event, at=now, source=source)
    )


def _arrival_row(key: str, arrival: Arrival, now: datetime) -> dict[str, object]:
    return {
        "public_id": secrets.token_hex(16),
        "address": arrival.address,
        "address_key": key,
        "topics": [topic.text for topic in arrival.topics],
        "preferences": arrival.preferences.to_json(),
        "consent": arrival.consent,
        "since": now,
    }


def _subscriber(row: Row[tuple[Any, ...]]) -> Subscriber:
    return Subscriber(
        id=row.id,
        public_id=row.public_id,
        address=row.address,
        topics=tuple(TopicFilter(text) for text in row.topics),
        preferences=Preferences.from_stored(row.preferences),
        consent=Consent(row.consent),
        since=row.since,
    )
