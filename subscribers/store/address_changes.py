"""Changes of address: requested by a link to the old mailbox, confirmed by one to the new."""

from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from subscribers.addresses import address_key
from subscribers.errors import AddressError, ConsentError
from subscribers.lifecycle import ConsentEvent, next_consent
from subscribers.model import AddressChange, Consent, Evidence, Subscriber
from subscribers.store import rows
from subscribers.store.store import Store
from subscribers.store.tables import address_changes, consents, subscribers

KEPT_FOR = timedelta(hours=72)
_ATTEMPTS = 5  # at a change while other requests change the same people


class AddressChanges(Store):
    """The changes of address that wait for a confirmation."""

    def ask(self, person: Subscriber, address: str, now: datetime) -> AddressChange:
        """Record a request to use another (normalised) address; it replaces an earlier one."""
        wanted = AddressChange(rows.new_public_id(), person, address)
        with self._engine.begin() as connection:
            # Two requests of one person at the same moment wait for each other (PostgreSQL).
            row = select(subscribers.c.id).where(subscribers.c.id == person.id)
            connection.execute(row.with_for_update())
            outdated = (address_changes.c.at <= now - KEPT_FOR) | (
                address_changes.c.subscriber_id == person.id
            )
            connection.execute(delete(address_changes).where(outdated))
            new = {"public_id": wanted.public_id, "subscriber_id": person.id, "address": address}
            connection.execute(insert(address_changes).values(**new, at=now))
        return wanted

    def find(self, public_id: str) -> AddressChange | None:
        """Return a request; None if it was replaced, or if its person has left."""
        with self._engine.connect() as connection:
            return _find(connection, public_id)

    def complete(
        self, public_id: str, *, source: str, now: datetime, client: str = ""
    ) -> AddressChange | None:
        """Complete a change that the new mailbox has confirmed. Idempotent.

        Return the request, or None as ``find`` does. A person who has not confirmed at the new
        address, or left there, is taken for the same, and their evidence is kept. Raises
        AddressError if a confirmed subscriber has the new address. A block for bounces on it that
        is older than the request is lifted, because the link arrived there.
        """
        evidence = Evidence(ConsentEvent.MOVED, now, source, client)
        for _ in range(_ATTEMPTS):
            # Another request may change one of the two at this moment.
            with suppress(ConsentError, IntegrityError):
                return self._complete(public_id, evidence)
        return None

    def _complete(self, public_id: str, evidence: Evidence) -> AddressChange | None:
        with self._engine.begin() as connection:
            change = _find(connection, public_id)
            if change is not None and not change.is_done:
                asked = select(address_changes.c.at).filter_by(public_id=public_id)
                requested = connection.execute(asked).scalar()
                rows.lift_bounces(connection, change.address, requested)
                _absorb(connection, change)
                rows.change(
                    connection,
                    change.person,
                    consent=next_consent(change.person.consent, ConsentEvent.MOVED),
                    address=change.address,
                    address_key=address_key(change.address),
                )
                rows.record_evidence(connection, change.person.id, evidence)
            return change


def _absorb(connection: Connection, change: AddressChange) -> None:
    """Merge the person listed at the new address, if any, into the one who changes it.

    Raises AddressError if they are a confirmed subscriber, and ConsentError if their consent
    changes at this moment.
    """
    other = rows.by_address(connection, change.address)
    if other is None or other.id == change.person.id:
        return
    if other.consent is Consent.CONFIRMED:
        raise AddressError("%(address)s is already subscribed", address=change.address)
    evidence = update(consents).where(consents.c.subscriber_id == other.id)
    connection.execute(evidence.values(subscriber_id=change.person.id))
    still = (subscribers.c.id == other.id, subscribers.c.consent == other.consent)
    if connection.execute(delete(subscribers).where(*still)).rowcount == 0:
        raise ConsentError(
            "%(address)s has just changed; look, and try again", address=change.address
        )


def _find(connection: Connection, public_id: str) -> AddressChange | None:
    query = select(address_changes).where(address_changes.c.public_id == public_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    person = rows.one(connection, subscribers.c.id == row.subscriber_id)
    if person is None or person.consent is not Consent.CONFIRMED:
        return None
    return AddressChange(row.public_id, person, row.address)
