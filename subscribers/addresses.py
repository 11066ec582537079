"""Mail addresses: read once, on the way in, and let in or not."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from subscribers.errors import AddressError

# Names that no public server has, but that of one's own may (RFC 6761, RFC 6762). The list is the
# library's place to say so.
SPECIAL_USE_DOMAIN_NAMES[:] = [
    name for name in SPECIAL_USE_DOMAIN_NAMES if name not in {"local", "localhost", "test"}
]


def normalise_address(typed: str) -> str:
    """Return the address as it goes on the wire: domain in lower-case A-labels (RFC 5891).

    The part before the @ may hold letters beyond ASCII (RFC 6531), which not every relay takes:
    ``AddressPolicy`` asks for that. Addresses inside the operator's own network, such as
    ``user@localhost``, are allowed; whether a domain takes mail is for the relay to find out.
    Raises AddressError saying what is wrong.
    """
    try:
        checked = validate_email(
            typed.strip(), check_deliverability=False, globally_deliverable=False
        )
    except EmailNotValidError as error:
        raise AddressError(f"{typed!r} is not a mail address: {error}") from None
    return f"{checked.local_part}@{checked.ascii_domain}"


def address_key(address: str) -> str:
    """Return what makes two addresses the same mailbox: letter case is ignored.

    RFC 5321 section 2.4 lets a host tell Ada@ from ada@; no provider does, and a person who types
    either means one mailbox.
    """
    return unicodedata.normalize("NFC", address.casefold())


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """Which addresses may come in, whoever brings them.

    ``takes_smtputf8`` tells whether the relay takes addresses beyond ASCII (RFC 6531); it is asked
    only when one turns up. ``refused_domains`` are in A-labels, and stand for their subdomains as
    well: those of disposable mailboxes, say.
    """

    takes_smtputf8: Callable[[], bool]
    refused_domains: frozenset[str] = frozenset()

    def admit(self, typed: str) -> str:
        """Return the address in its normal form. Raises AddressError, fit to be shown."""
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
