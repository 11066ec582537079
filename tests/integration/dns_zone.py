"""A resolver that knows what it is told, and asks nobody."""

from collections.abc import Mapping, Sequence

from dns.exception import Timeout
from dns.rdata import from_text
from dns.rdataclass import IN
from dns.rdatatype import from_text as type_from_text
from dns.resolver import NXDOMAIN, Resolver


class Zone(Resolver):
    """``records`` are those of a name and a type, as in a zone file.

    It is silent about the names in ``silent``, and about all if that is None.
    """

    def __init__(
        self,
        records: Mapping[tuple[str, str], Sequence[str]] | None = None,
        silent: Sequence[str] | None = (),
    ) -> None:
        super().__init__(configure=False)
        self._records = records or {}
        self._silent = silent
        self.asked: list[tuple[str, str]] = []

    def resolve(self, qname, rdtype, **_):
        name = str(qname).rstrip(".")
        self.asked.append((name, rdtype))
        if self._silent is None or name in self._silent:
            raise Timeout
        if not (found := self._records.get((name, rdtype))):
            raise NXDOMAIN
        return [from_text(IN, type_from_text(rdtype), text) for text in found]


def texts(*values: str) -> list[str]:
    """TXT records, each in strings of 255 octets at most."""
    return [
        " ".join(f'"{value[at : at + 255]}"' for at in range(0, len(value), 255))
        for value in values
    ]
