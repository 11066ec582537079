"""Mail domains: which provider takes the mail of each, as the DNS said."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import delete, insert, select

from digest.ledger.database import write_transaction
from digest.ledger.tables import mail_domains
from subscribers.store.store import Store

_BLOCK = 500  # domains in one query


class MailDomains(Store):
    """The mail domains that one ledger knows."""

    def asked_since(self, moment: datetime, domains: Collection[str]) -> dict[str, str]:
        """Return the providers of those of some domains that were looked up since a moment."""
        wanted = sorted(domains)
        found: dict[str, str] = {}
        for start in range(0, len(wanted), _BLOCK):
            query = select(mail_domains.c.domain, mail_domains.c.provider).where(
                mail_domains.c.domain.in_(wanted[start : start + _BLOCK]),
                mail_domains.c.asked_at >= moment,
            )
            found |= dict(self._rows(query))
        return found

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
