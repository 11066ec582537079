"""Ask the DNS, with a limit on the time."""

from contextlib import suppress
from functools import cache
from typing import Any

from dns.exception import DNSException
from dns.name import from_text
from dns.resolver import NXDOMAIN, NoAnswer, NoResolverConfiguration, Resolver
from dns.reversename import from_address

PATIENCE = 3.0  # seconds for one look-up
_GIVE_UP_AFTER = 2  # look-ups, where none was answered


class SilentError(Exception):
    """The DNS gave no answer about a name, neither records nor that there are none."""


class Names:
    """The records of names; an empty list where the DNS says that there are none.

    Each method raises SilentError. A DNS that never answered is not asked again and again.
    """

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._ask = cache(self._look_up)  # nothing is asked twice
        self._unanswered = 0
        self._has_found_any = False
        self.has_answered = False

    def texts(self, name: str) -> list[str]:
        """Return TXT records, the strings of each joined (RFC 7208 section 3.3)."""
        found = self._ask(name, "TXT")
        return [b"".join(record.strings).decode("utf-8", "replace") for record in found]

    def exchanges(self, name: str) -> list[str]:
        """Return the hosts of MX records, the preferred first; "" for a null MX (RFC 7505)."""
        found = sorted(self._ask(name, "MX"), key=lambda record: record.preference)
        return [_plain(record.exchange) for record in found]

    def addresses(self, name: str) -> list[str]:
        return [record.address for kind in ("A", "AAAA") for record in self._ask(name, kind)]

    def pointers(self, address: str) -> list[str]:
        """Return the names of an address (PTR)."""
        reverse = from_address(address).to_text()
        return [_plain(record.target) for record in self._ask(reverse, "PTR")]

    def are_of_the_internet(self) -> bool:
        """Return whether the DNS knows any name that was asked for, or at least the root.

        The resolver of a closed network may deny that anything else exists.
        """
        with suppress(SilentError):
            return self._has_found_any or bool(self._ask(".", "NS"))
        return False

    def _look_up(self, name: str, kind: str) -> list[Any]:
        if self._unanswered >= _GIVE_UP_AFTER and not self.has_answered:
            raise SilentError(name)
        try:
            asked = from_text(name)
        except DNSException:  # not a name: it can have no records
            return []
        try:
            found = list(self._resolver.resolve(asked, kind, lifetime=PATIENCE, search=False))
        except (NXDOMAIN, NoAnswer):
            found = []
        except (DNSException, OSError) as error:
            self._unanswered += 1
            raise SilentError(name) from error
        self.has_answered = True
        self._has_found_any = self._has_found_any or bool(found)
        return found


def system_resolver() -> Resolver | None:
    """Return the resolver that this machine is set up with, if there is one."""
    try:
        return Resolver()
    except NoResolverConfiguration:
        return None


def _plain(name: object) -> str:
    return str(name).rstrip(".").lower()
