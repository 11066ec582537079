"""Email addresses: normalised when they are typed, and accepted or refused."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from subscribers.errors import AddressError

# The operator's own network may use these names (RFC 6761, RFC 6762). Changing its list in place is
# how the library is told so.
SPECIAL_USE_DOMAIN_NAMES[:] = [
    name for name in SPECIAL_USE_DOMAIN_NAMES if name not in {"local", "localhost", "test"}
]


def normalise_address(typed: str) -> str:
    """Return the address as it is sent: domain in lower-case A-labels (RFC 5891).

    The part before the @ may hold letters beyond ASCII (RFC 6531). Addresses inside the operator's
    own network, such as ``user@localhost``, are allowed. Raises AddressError.
    """
    try:
        checked = validate_email(
            typed.strip(), check_deliverability=False, globally_deliverable=False
        )
    except EmailNotValidError as error:
        raise AddressError(f"{typed!r} is not an email address: {error}") from None
    return f"{checked.local_part}@{checked.ascii_domain}"


def address_key(address: str) -> str:
    """Return a key that is equal for two addresses of one mailbox: letter case is ignored.

    RFC 5321 section 2.4 lets a host distinguish Ada@ from ada@, but no provider does.
    """
    return unicodedata.normalize("NFC", address.casefold())


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """The rules for which addresses may subscribe.

    ``takes_smtputf8`` returns whether the relay takes addresses beyond ASCII (RFC 6531); it is
    called only for such an address. ``refused_domains`` are in A-labels and cover their subdomains.
    """

    takes_smtputf8: Callable[[], bool]
    refused_domains: frozenset[str] = frozenset()

    def admit(self, typed: str) -> str:
        """Return the normalised address. Raises AddressError."""
        address = normalise_address(typed)
        labels = address.rpartition("@")[2].split(".")
        if any(".".join(labels[start:]) in self.refused_domains for start in range(len(labels))):
            raise AddressError(f"addresses at {'.'.join(labels)} are not accepted here")
        if not address.isascii() and not self.takes_smtputf8():
            raise AddressError(
                f"{address} cannot be reached from here: its part before the @ has letters other "
                "than a to z, which our mail server does not take"
            )
        return address
