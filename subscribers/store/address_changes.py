"""Changes of address: asked for by one link, done by another that went to the new mailbox."""

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
_ATTEMPTS = 5  # to complete a change while others change the same people


class AddressChanges(Store):
    """The changes of address that wait for a confirmation."""

    def ask(self, person: Subscriber, address: str, now: datetime) -> AddressChange:
        """Note a request to be mailed at another address; it takes the place of an earlier one.

        ``address`` is in its normal form.
        """
        wanted = AddressChange(rows.new_public_id(), person, address)
        with self._engine.begin() as connection:
            # Whoever asks twice at the same moment does so one after the other (PostgreSQL).
            themselves = select(subscribers.c.id).where(subscribers.c.id == person.id)
            connection.execute(themselves.with_for_update())
            outdated = (address_changes.c.at <= now - KEPT_FOR) | (
                address_changes.c.subscriber_id == person.id
            )
            connection.execute(delete(address_changes).where(outdated))
            new = {"public_id": wanted.public_id, "subscriber_id": person.id, "address": address}
            connection.execute(insert(address_changes).values(**new, at=now))
        return wanted

    def find(self, public_id: str) -> AddressChange | None:
        """Return a request that stands; None if it was overtaken, or its person has left since."""
        with self._engine.connect() as connection:
            return _find(connection, public_id)

    def complete(
        self, public_id: str, *, source: str, now: datetime, client: str = ""
    ) -> AddressChange | None:
        """Complete a change that the new mailbox has confirmed.

        Return the change as it was asked for, None if it no longer stands. Idempotent. Whoever
        started to subscribe with the new address, or left there, is the same person: their
        evidence is kept. Raises AddressError where a confirmed subscriber has that address.
        """
        evidence = Evidence(ConsentEvent.MOVED, now, source, client)
        for _ in range(_ATTEMPTS):
            # One of the two may be changed at this moment.
            with suppress(ConsentError, IntegrityError):
                return self._complete(public_id, evidence)
        return None

    def _complete(self, public_id: str, evidence: Evidence) -> AddressChange | None:
        with self._engine.begin() as connection:
            change = _find(connection, public_id)
            if change is not None and not change.is_done:
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
    """Make one of the person and of whoever else is listed at the new address.

    Raises AddressError where that is a confirmed subscriber, and ConsentError where they become
    one, or anything else, at this moment.
    """
    other = rows.by_address(connection, change.address)
    if other is None or other.id == change.person.id:
        return
    if other.consent is Consent.CONFIRMED:
        raise AddressError(f"{change.address} subscribes already")
    evidence = update(consents).where(consents.c.subscriber_id == other.id)
    connection.execute(evidence.values(subscriber_id=change.person.id))
    still = (subscribers.c.id == other.id, subscribers.c.consent == other.consent)
    if connection.execute(delete(subscribers).where(*still)).rowcount == 0:
        raise ConsentError(f"{change.address} has just changed; look, and try again")


def _find(connection: Connection, public_id: str) -> AddressChange | None:
    query = select(address_changes).where(address_changes.c.public_id == public_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    person = rows.one(connection, subscribers.c.id == row.subscriber_id)
    if person is None or person.consent is not Consent.CONFIRMED:
        return None
    return AddressChange(row.public_id, person, row.address)
