"""Reading and writing the rows of people, as all stores need it."""

import json
import secrets
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Text,
    bindparam,
    cast,
    delete,
    insert,
    select,
    update,
)

from subscribers.addresses import address_key
from subscribers.errors import ConsentError
from subscribers.lifecycle import ConsentEvent
from subscribers.model import (
    Consent,
    Evidence,
    Rating,
    Standing,
    Subscriber,
    Suppression,
    SuppressionReason,
    Verdict,
)
from subscribers.preferences import Preferences
from subscribers.store.id_list import IdList, one_of
from subscribers.store.tables import consents, own_papers, ratings, subscribers, suppressions
from subscribers.topics import TopicFilter
from subscribers.transfer import ImportRow

_READ_ONCE = 10_000  # texts that are remembered


def one(connection: Connection, condition: ColumnElement[bool]) -> Subscriber | None:
    """Return the only subscriber that meets a condition, or None."""
    row = connection.execute(select(subscribers).where(condition)).one_or_none()
    return None if row is None else subscriber_of(row)


def by_address(connection: Connection, address: str) -> Subscriber | None:
    return one(connection, subscribers.c.address_key == address_key(address))


def by_public_id(connection: Connection, public_id: str) -> Subscriber | None:
    return one(connection, subscribers.c.public_id == public_id)


def subscriber_of(row: Row[tuple[Any, ...]]) -> Subscriber:
    return Subscriber(
        id=row.id,
        public_id=row.public_id,
        address=row.address,
        topics=tuple(TopicFilter(text) for text in row.topics),
        preferences=Preferences.from_stored(row.preferences),
        consent=Consent(row.consent),
        since=row.since,
    )


def read_many(connection: Connection, condition: ColumnElement[bool]) -> list[Subscriber]:
    """Return the subscribers that meet a condition, in the order they came.

    Among many people most topics and preferences repeat: each text is read once.
    """
    its = subscribers.c
    query = select(
        its.id,
        its.public_id,
        its.address,
        cast(its.topics, Text),
        cast(its.preferences, Text),
        its.consent,
        its.since,
    )
    return [
        Subscriber(
            number,
            public_id,
            address,
            _topics_in(topics),
            _preferences_in(preferences),
            _CONSENTS[consent],
            since,
        )
        for number, public_id, address, topics, preferences, consent, since in connection.execute(
            query.where(condition).order_by(its.id)
        )
    ]


_CONSENTS = {consent.value: consent for consent in Consent}
_topic = lru_cache(_READ_ONCE)(TopicFilter)


@lru_cache(_READ_ONCE)
def _topics_in(stored: str) -> tuple[TopicFilter, ...]:
    return tuple(map(_topic, json.loads(stored)))


@lru_cache(_READ_ONCE)
def _preferences_in(stored: str) -> Preferences:
    return Preferences.from_stored(json.loads(stored))


def save(
    connection: Connection,
    address: str,
    before: Subscriber | None,
    values: Mapping[str, object],
    evidence: Evidence,
) -> Subscriber:
    """Change a person, or add a new one, with the evidence. Raises ConsentError as ``change``."""
    if before is None:
        new = {
            "public_id": new_public_id(),
            "address": address,
            "address_key": address_key(address),
            "preferences": Preferences().to_json(),
            "since": evidence.at,
        }
        connection.execute(insert(subscribers).values({**new, **values}))
    else:
        change(connection, before, **values)
    saved = by_address(connection, address)
    assert saved is not None
    record_evidence(connection, saved.id, evidence)
    return saved


def change(connection: Connection, before: Subscriber, **values: object) -> None:
    """Change a person. Raises ConsentError if consent or address has changed since ``before``."""
    still = (
        subscribers.c.id == before.id,
        subscribers.c.consent == before.consent,
        subscribers.c.address == before.address,
    )
    if connection.execute(update(subscribers).where(*still).values(values)).rowcount == 0:
        raise ConsentError(
            "%(address)s has just changed; look, and try again", address=before.address
        )


def record_evidence(connection: Connection, subscriber_id: int, evidence: Evidence) -> None:
    """Add evidence about a person."""
    connection.execute(insert(consents).values(evidence_row(subscriber_id, evidence)))


def evidence_row(subscriber_id: int, evidence: Evidence) -> dict[str, object]:
    return {
        "subscriber_id": subscriber_id,
        "event": ConsentEvent(evidence.event),
        "at": evidence.at,
        "source": evidence.source,
        "client": evidence.client,
    }


def evidence_of(row: Row[tuple[Any, ...]]) -> Evidence:
    return Evidence(row.event, row.at, row.source, row.client)


def ratings_by_person(
    connection: Connection, condition: ColumnElement[bool]
) -> dict[int, list[Rating]]:
    """Return the ratings that meet a condition by subscriber's id, oldest first."""
    found: dict[int, list[Rating]] = defaultdict(list)
    query = select(ratings).where(condition).order_by(ratings.c.at, ratings.c.paper)
    for row in connection.execute(query):
        found[row.subscriber_id].append(Rating(row.paper, Verdict(row.verdict), row.at))
    return found


_STANDINGS = {
    Consent.PENDING: Standing.NOT_CONFIRMED,
    Consent.CONFIRMED: Standing.MAY_RECEIVE,
    Consent.WITHDRAWN: Standing.WITHDRAWN,
}
# It is asked for every few messages, and takes longer to make than to answer.
_STANDING = (
    select(subscribers.c.id, subscribers.c.consent, subscribers.c.address, suppressions.c.reason)
    .outerjoin(suppressions, suppressions.c.address_key == subscribers.c.address_key)
    .where(one_of(subscribers.c.id, bindparam("ids", type_=IdList())))
)


def standings(connection: Connection, ids: Collection[int]) -> dict[int, tuple[Standing, str]]:
    """Return whether these people may be mailed right now, with their addresses.

    Whoever is removed is left out.
    """
    return {
        person: (Standing.SUPPRESSED if reason else _STANDINGS[Consent(consent)], address)
        for person, consent, address, reason in connection.execute(_STANDING, {"ids": ids})
    }


def block_on(connection: Connection, address: str) -> Suppression | None:
    """Return the block on an address, if there is one."""
    query = select(suppressions).where(suppressions.c.address_key == address_key(address))
    row = connection.execute(query).one_or_none()
    return None if row is None else Suppression(SuppressionReason(row.reason), row.at)


def block(connection: Connection, addresses: Collection[str], new: Suppression) -> int:
    """Block addresses; return how many blocks are new.

    The first reason stays, but any other replaces a bounce.
    """
    keys = {address_key(address) for address in addresses}
    its = suppressions.c
    found = connection.execute(select(its.address_key, its.reason).where(its.address_key.in_(keys)))
    for key, reason in found.all():
        if new.reason.is_bounce or not SuppressionReason(reason).is_bounce:
            keys.remove(key)
    if keys:
        connection.execute(delete(suppressions).where(its.address_key.in_(keys)))
        row = {"reason": new.reason, "at": new.at}
        connection.execute(
            insert(suppressions), [{"address_key": key, **row} for key in sorted(keys)]
        )
    return len(keys)


def lift_bounces(connection: Connection, address: str, asked: datetime | None) -> bool:
    """Lift a block for bounces that is not newer than a request whose email has arrived."""
    known = block_on(connection, address)
    if known is None or not known.reason.is_bounce or asked is None or asked < known.at:
        return False
    # Only this block: a complaint may replace it at this moment.
    its_row = (
        suppressions.c.address_key == address_key(address),
        suppressions.c.reason == known.reason,
    )
    return connection.execute(delete(suppressions).where(*its_row)).rowcount > 0


def new_public_id() -> str:
    """Return 128 random bits, which stand for a person or a request in a link."""
    return secrets.token_hex(16)


def admit(connection: Connection, people: Sequence[ImportRow], now: datetime) -> int:
    """Add people with their evidence, ratings, own papers and blocks; return how many were new."""
    by_key: dict[str, ImportRow] = {}
    for person in people:
        by_key.setdefault(address_key(person.address), person)
    known = select(subscribers.c.address_key).where(subscribers.c.address_key.in_(list(by_key)))
    for key in connection.execute(known).scalars():
        del by_key[key]
    if not by_key:
        return 0
    connection.execute(
        insert(subscribers), [_row(key, person, now) for key, person in by_key.items()]
    )
    added = select(subscribers.c.address_key, subscribers.c.id).where(
        subscribers.c.address_key.in_(list(by_key))
    )
    ids = {row.address_key: row.id for row in connection.execute(added)}
    evidence = [evidence_row(ids[key], item) for key in ids for item in by_key[key].evidence]
    connection.execute(insert(consents), evidence)
    rated = [
        {"subscriber_id": ids[key], **asdict(rating)}
        for key in ids
        for rating in by_key[key].ratings
    ]
    if rated:
        connection.execute(insert(ratings), rated)
    own = [
        {"subscriber_id": ids[key], **asdict(paper)} for key in ids for paper in by_key[key].papers
    ]
    if own:
        connection.execute(insert(own_papers), own)
    for row in by_key.values():
        if row.suppression:
            block(connection, [row.address], row.suppression)
    return len(by_key)


def _row(key: str, row: ImportRow, now: datetime) -> dict[str, object]:
    return {
        "public_id": new_public_id(),
        "address": row.address,
        "address_key": key,
        "topics": [topic.text for topic in row.topics],
        "preferences": row.preferences.to_json(),
        "consent": row.consent,
        "since": now,
    }
