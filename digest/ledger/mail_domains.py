"""Mail domains: which provider takes the mail of each, as the DNS said."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete, insert, select

from digest.ledger.database import write_transaction
from digest.ledger.tables import mail_domains
from subscribers.store.store import Store


class MailDomains(Store):
    """The mail domains that one ledger knows."""

    def asked_since(self, moment: datetime) -> dict[str, str]:
        """Return the providers of the domains that were looked up since a moment."""
        query = select(mail_domains.c.domain, mail_domains.c.provider)
        return dict(self._rows(query.where(mail_domains.c.asked_at >= moment)))

    def keep(self, providers: Mapping[str, str], now: datetime) -> None:
        """Store the providers of domains in place of those known before."""
        if not providers:
            return
        new = [
            {"domain": domain, "provider": provider, "asked_at": now}
            for domain, provider in providers.items()
        ]
        with write_transaction(self._engine) as connection:
            connection.execute(delete(mail_domains).where(mail_domains.c.domain.in_(providers)))
            connection.execute(insert(mail_domains), new)
