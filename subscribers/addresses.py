"""Mail addresses: checked once, on the way in."""

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from subscribers.errors import AddressError

# Names that no public server has, but that of one's own may (RFC 6761, RFC 6762). The list is the
# library's place to say so.
SPECIAL_USE_DOMAIN_NAMES[:] = [
    name for name in SPECIAL_USE_DOMAIN_NAMES if name not in {"local", "localhost", "test"}
]


def normalise_address(typed: str) -> str:
    """The address as it goes on the wire: ASCII, domain in lower-case A-labels (RFC 5891).

    Addresses inside the operator's own network (``user@localhost``, ``user@mail.local``) are
    allowed; whether a domain takes mail is for the relay to find out. Raises AddressError saying
    what is wrong.
    """
    try:
        checked = validate_email(
            typed.strip(),
            check_deliverability=False,
            globally_deliverable=False,
            allow_smtputf8=False,
        )
    except EmailNotValidError as error:
        raise AddressError(f"{typed!r} is not a mail address: {error}") from None
    assert checked.ascii_email is not None  # allow_smtputf8=False promises it
    return checked.ascii_email


def address_key(address: str) -> str:
    """What makes two addresses the same mailbox: letter case is ignored.

    RFC 5321 section 2.4 lets a host tell Ada@ from ada@; no provider does, and a person who types
    either means one mailbox.
    """
    return address.casefold()
