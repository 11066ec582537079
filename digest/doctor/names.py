"""Questions to the DNS, with an end to patience."""

from functools import cache
from typing import Any

from dns.exception import DNSException, Timeout
from dns.name import from_text
from dns.resolver import (
    NXDOMAIN,
    LifetimeTimeout,
    NoAnswer,
    NoNameservers,
    NoResolverConfiguration,
    Resolver,
)
from dns.reversename import from_address

PATIENCE = 3.0  # seconds for one look-up
_GIVE_UP_AFTER = 2  # look-ups, where none was answered


class SilentError(Exception):
    """The DNS gave no answer, so that nobody knows what stands there."""


class Names:
    """What the DNS says of names; an empty list where it says that there is nothing.

    Each raises SilentError. Where nothing was answered at all, it is not asked again and again.
    """

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._ask = cache(self._look_up)  # the same thing is asked once
        self._unanswered = 0
        self.has_answered = False

    def texts(self, name: str) -> list[str]:
        """TXT records, the strings of each joined (RFC 7208 section 3.3)."""
        found = self._ask(name, "TXT")
        return [b"".join(record.strings).decode("utf-8", "replace") for record in found]

    def exchanges(self, name: str) -> list[str]:
        """The hosts of MX records, the preferred first; "" is that of a null MX (RFC 7505)."""
        found = sorted(self._ask(name, "MX"), key=lambda record: record.preference)
        return [_plain(record.exchange) for record in found]

    def addresses(self, name: str) -> list[str]:
        return [record.address for kind in ("A", "AAAA") for record in self._ask(name, kind)]

    def pointers(self, address: str) -> list[str]:
        """The names of an address (PTR)."""
        reverse = from_address(address).to_text()
        return [_plain(record.target) for record in self._ask(reverse, "PTR")]

    def _look_up(self, name: str, kind: str) -> list[Any]:
        if self._unanswered >= _GIVE_UP_AFTER and not self.has_answered:
            raise SilentError(name)
        try:
            found = list(
                self._resolver.resolve(from_text(name), kind, lifetime=PATIENCE, search=False)
            )
        except (NXDOMAIN, NoAnswer):
            found = []
        except (Timeout, LifetimeTimeout, NoNameservers, OSError) as error:
            self._unanswered += 1
            raise SilentError(name) from error
        except DNSException:  # the name is none: nothing can stand there
            return []
        self.has_answered = True
        return found


def system_resolver() -> Resolver | None:
    """The one that this machine is set up with, if it is."""
    try:
        return Resolver()
    except NoResolverConfiguration:
        return None


def _plain(name: object) -> str:
    return str(name).rstrip(".").lower()
