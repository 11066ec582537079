"""Email addresses: normalised when they are typed, and accepted or refused."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from subscribers.errors import AddressError
from subscribers.filters import control_in
from subscribers.sentences import Sentence

# The operator's own network may use these names (RFC 6761, RFC 6762). Changing its list in place is
# how the library is told so.
SPECIAL_USE_DOMAIN_NAMES[:] = [
    name for name in SPECIAL_USE_DOMAIN_NAMES if name not in {"local", "localhost", "test"}
]

# Domains that many people have, for likely spellings of others.
_COMMON = (
    "gmail.com outlook.com hotmail.com live.com yahoo.com icloud.com aol.com proton.me "
    "protonmail.com gmx.de gmx.net web.de t-online.de orange.fr libero.it qq.com 163.com"
).split()
_GMAIL = frozenset({"gmail.com", "googlemail.com"})


def normalise_address(typed: str) -> str:
    """Return the address as it is sent: domain in lower-case A-labels (RFC 5891).

    The part before the @ may hold letters beyond ASCII (RFC 6531). Addresses inside the operator's
    own network, such as ``user@localhost``, are allowed. Raises AddressError.
    """
    try:
        checked = validate_email(
            typed.strip(), check_deliverability=False, globally_deliverable=False
        )
    except EmailNotValidError:
        raise AddressError(
            "%(typed)s is not an email address: %(why)s", typed=repr(typed), why=_why(typed)
        ) from None
    return f"{checked.local_part}@{checked.ascii_domain}"


def _why(typed: str) -> Sentence:
    if bad := control_in(typed):
        return Sentence("it has the character %(character)s in it", character=bad)
    local, at, domain = typed.strip().rpartition("@")
    if not at:
        return Sentence("it has no @")
    if not local:
        return Sentence("there is nothing before the @")
    if not domain:
        return Sentence("there is nothing after the @")
    if re.search(r"\s", local + domain):
        return Sentence("it has a blank in it")
    return Sentence("check the spelling")


def address_key(address: str) -> str:
    """Return a key that is equal for two addresses of one mailbox: letter case is ignored.

    RFC 5321 section 2.4 lets a host distinguish Ada@ from ada@, but no provider does.
    """
    return unicodedata.normalize("NFC", address.casefold())


def mailbox_key(address: str) -> str:
    """Return a key for counting: also without a +tag and, at Gmail, without dots."""
    local, _, domain = address_key(address).rpartition("@")
    local = local.partition("+")[0] or local
    if domain in _GMAIL:
        return f"{local.replace('.', '')}@gmail.com"
    return f"{local}@{domain}"


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """The rules for which addresses may subscribe.

    ``takes_smtputf8`` returns whether the relay takes addresses beyond ASCII (RFC 6531); it is
    called only for such an address. ``refused_domains`` are in A-labels and cover their subdomains.
    ``takes_mail`` returns whether a domain takes mail, as far as the DNS knows.
    """

    takes_smtputf8: Callable[[], bool]
    refused_domains: frozenset[str] = frozenset()
    takes_mail: Callable[[str], bool] = lambda _: True

    def admit(self, typed: str) -> str:
        """Return the normalised address. Raises AddressError."""
        address = normalise_address(_unwrapped(typed))
        labels = address.rpartition("@")[2].split(".")
        if any(".".join(labels[start:]) in self.refused_domains for start in range(len(labels))):
            raise AddressError(
                "addresses at %(domain)s are not accepted here", domain=".".join(labels)
            )
        if not address.isascii() and not self.takes_smtputf8():
            raise AddressError(
                "%(address)s cannot be reached from here: its part before the @ has letters other "
                "than a to z, which our mail server does not take",
                address=address,
            )
        return address

    def check_domain(self, address: str) -> None:
        """Raise AddressError, with the likely spelling, if the domain seems to take no mail."""
        local, _, domain = address.rpartition("@")
        is_complete = "." in domain
        if is_complete and self.takes_mail(domain):
            return
        typed = domain if is_complete else f"{domain}.com"
        if likely := get_close_matches(typed, _COMMON, n=1, cutoff=0.8):
            meant = f"{local}@{likely[0]}"
            raise AddressError(
                "%(address)s takes no mail: did you mean %(likely)s?",
                address=address,
                likely=meant,
            )
        if is_complete:
            raise AddressError("%(domain)s takes no mail: check the spelling", domain=domain)


def _unwrapped(typed: str) -> str:
    """Return the address in ``Ann <ann@example.org>`` or ``mailto:ann@example.org?subject=Hi``."""
    text = typed.strip()
    if found := re.search(r"<([^<>]*)>\W*$", text):
        text = found[1].strip()
    if text[:7].casefold() == "mailto:":
        text = text[7:].partition("?")[0]
    return text.removesuffix(".")
