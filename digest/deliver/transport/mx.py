"""Ask the DNS which provider accepts the mail of a domain (MX; RFC 5321 section 5.1)."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import structlog
from dns.exception import DNSException, Timeout
from dns.resolver import NXDOMAIN, NoAnswer, NoNameservers, NoResolverConfiguration, Resolver

from digest.model.providers import owner_of

PATIENCE = 2.0  # seconds for one look-up
MOST = 5_000  # domains at a time; the others are looked up later
_AT_ONCE = 16
_GIVE_UP_AFTER = 8  # look-ups, where none was answered
# Names that are never in the DNS (RFC 2606, RFC 6761, RFC 6762).
_RESERVED = frozenset({"test", "example", "invalid", "localhost", "local", "onion"})
_RESERVED_DOMAINS = ("example.com", "example.net", "example.org", "home.arpa")

log = structlog.get_logger()


def mx_owners(domains: Sequence[str], resolver: Resolver | None = None) -> dict[str, str]:
    """Look up the provider of each domain; a domain without one in the DNS is its own.

    A DNS that never answers is not asked again and again: then nothing is returned.
    """
    try:
        asking = resolver or Resolver()
    except NoResolverConfiguration:
        return {}
    asking.lifetime = PATIENCE
    answered, unanswered = Event(), list[str]()

    def ask(domain: str) -> str | None:
        if len(unanswered) >= _GIVE_UP_AFTER and not answered.is_set():
            return None
        try:
            answer = asking.resolve(domain, "MX")
        except (Timeout, NoNameservers):
            unanswered.append(domain)
            return domain
        except (NXDOMAIN, NoAnswer):
            answered.set()
            return domain
        except DNSException:  # not a name, or not an answer
            return domain
        answered.set()
        first = min(answer, key=lambda record: (record.preference, record.exchange.to_text()))
        return owner_of(first.exchange.to_text()) or domain

    wanted = [domain for domain in domains if _may_be_asked(domain)][:MOST]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        owners = dict(zip(wanted, pool.map(ask, wanted), strict=True))
    if unanswered and not answered.is_set():
        log.warning("the DNS does not answer, so each domain counts as a provider of its own")
        return {}
    return {domain: owner for domain, owner in owners.items() if owner}


def takes_mail(domain: str, resolver: Resolver | None = None) -> bool:
    """Return whether a domain accepts mail (RFC 5321 section 5.1, RFC 7505); True if unknown."""
    if not _may_be_asked(domain):
        return True
    try:
        asking = resolver or Resolver()
        asking.lifetime = PATIENCE
        answer = asking.resolve(domain, "MX")
        return any(record.exchange.to_text() != "." for record in answer)
    except NXDOMAIN:
        return False
    except DNSException:  # there may be an address without an MX, and a name server may be down
        return True


def _may_be_asked(domain: str) -> bool:
    is_reserved = domain.rpartition(".")[2] in _RESERVED
    return not is_reserved and not domain.endswith(_RESERVED_DOMAINS)
