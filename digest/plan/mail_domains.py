"""Who takes the mail of the readers: by a table, and by the DNS where it may be asked."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from digest.ledger.mail_domains import MailDomains
from digest.model.providers import domain_of, known_provider, provider_of

GOOD_FOR = timedelta(days=30)

LookUp = Callable[[Sequence[str]], Mapping[str, str]]


class Providers:
    """``look_up`` finds the providers of domains, of some or none; None if nobody may be asked."""

    def __init__(self, known: MailDomains, look_up: LookUp | None = None) -> None:
        self._known = known
        self._look_up = look_up

    def of(self, addresses: Iterable[str], now: datetime) -> dict[str, str]:
        """The provider of each address."""
        domains = {address: domain_of(address) for address in addresses}
        looked_up = self._looked_up(set(domains.values()), now)
        return {address: provider_of(domain, looked_up) for address, domain in domains.items()}

    def _looked_up(self, domains: set[str], now: datetime) -> dict[str, str]:
        if self._look_up is None:
            return {}
        known = self._known.asked_since(now - GOOD_FOR)
        new = sorted(
            domain for domain in domains if not known_provider(domain) and domain not in known
        )
        if not new:
            return known
        found = dict(self._look_up(new))
        self._known.keep(found, now)
        return {**known, **found}
