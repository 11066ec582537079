"""Rows of people, read and written: what the parts of the store share."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, insert, select, update

from subscribers.addresses import address_key
from subscribers.errors import ConsentError
from subscribers.lifecycle import ConsentEvent
from subscribers.model import Consent, Evidence, Rating, Subscriber, Verdict
from subscribers.preferences import Preferences
from subscribers.store.tables import consents, subscribers, suppressions
from subscribers.topics import TopicFilter


def one(connection: Connection, condition: ColumnElement[bool]) -> Subscriber | None:
    """The subscriber that a condition is true of, if there is one."""
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


def add(
    connection: Connection, address: str, now: datetime, values: Mapping[str, object]
) -> Subscriber:
    """A person who was not there before."""
    new = {
        "public_id": new_public_id(),
        "address": address,
        "address_key": address_key(address),
        "preferences": Preferences().to_json(),
        "since": now,
    }
    connection.execute(insert(subscribers).values({**new, **values}))
    added = by_address(connection, address)
    assert added is not None
    return added


def change(connection: Connection, before: Subscriber, **values: object) -> None:
    """Change a person whose consent and address are still what they were when they were read.

    Raises ConsentError if they said something else meanwhile: that stands.
    """
    still = (
        subscribers.c.id == before.id,
        subscribers.c.consent == before.consent,
        subscribers.c.address == before.address,
    )
    if connection.execute(update(subscribers).where(*still).values(values)).rowcount == 0:
        raise ConsentError(f"{before.address} has just changed; look, and try again")


def record_evidence(connection: Connection, subscriber_id: int, said: Evidence) -> None:
    """Write down what somebody said."""
    connection.execute(insert(consents).values(evidence_row(subscriber_id, said)))


def evidence_row(subscriber_id: int, said: Evidence) -> dict[str, object]:
    return {
        "subscriber_id": subscriber_id,
        "event": ConsentEvent(said.event),
        "at": said.at,
        "source": said.source,
        "client": said.client,
    }


def evidence_of(row: Row[tuple[Any, ...]]) -> Evidence:
    return Evidence(row.event, row.at, row.source, row.client)


def rating_of(row: Row[tuple[Any, ...]]) -> Rating:
    return Rating(row.paper, Verdict(row.verdict), row.at)


def is_suppressed(connection: Connection, key: str) -> bool:
    """Whether there is a block on an address, given by its key."""
    found = select(suppressions.c.reason).where(suppressions.c.address_key == key)
    return connection.execute(found).first() is not None


def new_public_id() -> str:
    """128 random bits, to stand for somebody or something in a link."""
    return secrets.token_hex(16)
