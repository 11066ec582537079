"""How a message leaves: the protocol, and which transport a URL means."""

from pathlib import Path
from types import TracebackType
from typing import Protocol, Self
from urllib.parse import unquote, urlsplit

from digest.config import Settings
from digest.deliver.folder import FolderTransport
from digest.deliver.smtp import Security, SmtpTransport
from digest.errors import SettingError
from digest.model import Message, Outcome


class Transport(Protocol):
    """Something that takes messages, one after the other, while it is entered.

    Entering and sending raise TransportError when it cannot be used at all; then the message at
    hand was not sent. Everything else that can happen to a message is an Outcome.
    """

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    @property
    def takes_smtputf8(self) -> bool:
        """Whether it takes messages to addresses beyond ASCII (RFC 6531)."""

    def send(self, message: Message) -> Outcome: ...


def make_transport(settings: Settings) -> Transport:
    """The transport of DIGEST_TRANSPORT, not yet connected. Raises SettingError."""
    url = urlsplit(settings.transport_url)
    if url.scheme == "file":
        return FolderTransport(Path(unquote(url.path)))
    security = Security(url.scheme)
    if url.username and security is Security.NONE:
        raise SettingError(
            "DIGEST_TRANSPORT: a password is never sent in clear; "
            "use smtp+starttls:// or smtps:// instead of smtp://"
        )
    return SmtpTransport(
        host=url.hostname or "localhost",
        port=url.port or security.default_port,
        security=security,
        user=unquote(url.username or ""),
        password=unquote(url.password or ""),
        ca_file=settings.smtp_ca_file,
        timeout=settings.smtp_timeout,
        own_name=urlsplit(settings.base_url).hostname if settings.base_url else None,
    )
