"""Read the URL of a folder on an IMAP server. Pure."""

from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import unquote, urlsplit

INBOX = "INBOX"  # every account has it (RFC 9051 section 5.1)
OWN_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


class Security(StrEnum):
    """The ways to keep a connection private; the values are the schemes of the URL."""

    NONE = "imap"
    STARTTLS = "imap+starttls"
    TLS = "imaps"

    @property
    def default_port(self) -> int:
        return 993 if self is Security.TLS else 143


@dataclass(frozen=True, slots=True)
class ImapFolder:
    """A folder, named as the server spells it (RFC 9051 section 5.1), in plain ASCII.

    As text it has neither the user, which may be an address, nor the password.
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
    """Read a URL like ``imaps://USER:PASSWORD@HOST/FOLDER``.

    Without TLS the server must be on this machine, so that no network sees the password. Raises
    ValueError, whose text has no piece of the URL.
    """
    with suppress(ValueError):
        parts = urlsplit(url)
        security = Security(parts.scheme)
        found = ImapFolder(
            security=security,
            host=parts.hostname or "",
            port=parts.port or security.default_port,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            name=unquote(parts.path).strip("/") or INBOX,
        )
        is_private = security is not Security.NONE or found.host in OWN_MACHINE
        # Each of these is put in a line of the protocol.
        texts = (found.host, found.user, found.password, found.name)
        is_whole = all(text and text.isprintable() for text in texts) and found.name.isascii()
        if is_private and is_whole and not (parts.query or parts.fragment):
            return found
    raise ValueError(
        "expected imaps://USER:PASSWORD@HOST/FOLDER, or imap+starttls://; imap:// only for "
        "localhost"
    )
