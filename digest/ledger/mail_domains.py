"""Who takes the mail of a domain, as the DNS said."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete, insert, select

from digest.ledger.database import write_transaction
from digest.ledger.tables import mail_domains
from subscribers.store.store import Store


class MailDomains(Store):
    """What one ledger knows of mail domains."""

    def asked_since(self, moment: datetime) -> dict[str, str]:
        """The providers of the domains that were asked about since a moment."""
        query = select(mail_domains.c.domain, mail_domains.c.provider)
        rows = self._rows(query.where(mail_domains.c.asked_at >= moment))
        return {row.domain: row.provider for row in rows}

    def keep(self, providers: Mapping[str, str], now: datetime) -> None:
        """Keep what was found out, in place of what was known before."""
        if not providers:
            return
        new = [
            {"domain": domain, "provider": provider, "asked_at": now}
            for domain, provider in providers.items()
        ]
        with write_transaction(self._engine) as connection:
            connection.execute(delete(mail_domains).where(mail_domains.c.domain.in_(providers)))
            connection.execute(insert(mail_domains), new)
