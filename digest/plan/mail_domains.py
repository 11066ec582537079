"""Find the provider of each reader: in a table, and in the DNS if it may be asked."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from digest.ledger.mail_domains import MailDomains
from digest.model.providers import domain_of, known_provider, provider_of

GOOD_FOR = timedelta(days=30)

LookUp = Callable[[Sequence[str]], Mapping[str, str]]


class Providers:
    """Finds providers; ``look_up`` asks the DNS for those of some domains, None: it must not."""

    def __init__(self, known: MailDomains, look_up: LookUp | None = None) -> None:
        self._known = known
        self._look_up = look_up

    def of(self, addresses: Iterable[str], now: datetime) -> dict[str, str]:
        """Return the provider of each address."""
        domains = {address: domain_of(address) for address in addresses}
        looked_up = self._looked_up(set(domains.values()), now)
        return {address: provider_of(domain, looked_up) for address, domain in domains.items()}

    def _looked_up(self, domains: set[str], now: datetime) -> dict[str, str]:
        if self._look_up is None:
            return {}
        unknown = {domain for domain in domains if not known_provider(domain)}
        known = self._known.asked_since(now - GOOD_FOR, unknown)
        new = sorted(unknown - known.keys())
        if not new:
            return known
        found = dict(self._look_up(new))
        self._known.keep(found, now)
        return {**known, **found}
