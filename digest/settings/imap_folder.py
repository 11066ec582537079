"""A folder on an IMAP server, as a setting names it. Pure."""

from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import SplitResult, unquote, urlsplit

INBOX = "INBOX"  # every account has it (RFC 9051 section 5.1)
_OWN_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


class Security(StrEnum):
    """How the connection is kept private, by the scheme of the URL."""

    NONE = "imap"
    STARTTLS = "imap+starttls"
    TLS = "imaps"

    @property
    def default_port(self) -> int:
        return 993 if self is Security.TLS else 143


@dataclass(frozen=True, slots=True)
class ImapFolder:
    """``name`` is the folder's as the server spells it (RFC 9051 section 5.1), in plain ASCII.

    As text it is told without the user, which may be an address, and without the password.
    """

    security: Security
    host: str
    port: int
    user: str
    password: str = field(repr=False)
    name: str = INBOX

    def __str__(self) -> str:
        return f"{self.security}://{self.host}:{self.port}/{self.name}"


def imap_folder(url: str) -> ImapFolder:
    """The folder of a URL like ``imaps://USER:PASSWORD@HOST/FOLDER``.

    Raises ValueError, which holds no piece of it: there is a password in it. That must not go over
    the network in clear, so without TLS the server has to be on the own machine.
    """
    try:
        parts = urlsplit(url)
        return _folder(parts)
    except ValueError:
        raise ValueError(
            "expected imaps://USER:PASSWORD@HOST/FOLDER, or imap+starttls://; imap:// only for "
            "localhost"
        ) from None


def _folder(parts: SplitResult) -> ImapFolder:
    security = Security(parts.scheme)
    found = ImapFolder(
        security=security,
        host=parts.hostname or "",
        port=parts.port or security.default_port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        name=unquote(parts.path).strip("/") or INBOX,
    )
    is_private = security is not Security.NONE or found.host in _OWN_MACHINE
    # Each is put into a line of the protocol.
    texts = (found.host, found.user, found.password, found.name)
    is_whole = all(each and each.isprintable() for each in texts) and found.name.isascii()
    if not (is_private and is_whole) or parts.query or parts.fragment:
        raise ValueError
    return found
