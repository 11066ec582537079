"""The keys of private feeds: a feed's address is good as long as its key is the person's."""

import secrets
from datetime import datetime

from sqlalchemy import delete, insert, select

from subscribers.model import Consent
from subscribers.store import rows
from subscribers.store.store import Store
from subscribers.store.tables import feed_links


class FeedLinks(Store):
    """The keys in one database, one a person at most."""

    def key_of(self, subscriber_id: int) -> str:
        """Return the key of a person's feed; empty if they have none."""
        query = select(feed_links.c.key).where(feed_links.c.subscriber_id == subscriber_id)
        return self._value(query) or ""

    def renew(self, public_id: str, now: datetime) -> None:
        """Give a person who has not left a new key, which ends the one before."""
        with self._engine.begin() as connection:
            person = rows.by_public_id(connection, public_id)
            if person is None or person.consent is Consent.WITHDRAWN:
                return
            connection.execute(delete(feed_links).where(feed_links.c.subscriber_id == person.id))
            new = {"subscriber_id": person.id, "key": secrets.token_hex(16), "at": now}
            connection.execute(insert(feed_links).values(new))

    def remove(self, subscriber_id: int) -> None:
        """End a person's feed."""
        self._write(delete(feed_links).where(feed_links.c.subscriber_id == subscriber_id))
