"""Define what a transport does; make the one that DIGEST_TRANSPORT names, or a channel of it."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, Self
from urllib.parse import unquote, urlsplit

from digest.deliver.transport.channel import Channel, SigningChannel, ThreadChannel
from digest.deliver.transport.chat import ChatTransport
from digest.deliver.transport.dkim import Signer
from digest.deliver.transport.dkim_key import signer_of
from digest.deliver.transport.folder import FolderTransport
from digest.deliver.transport.maildir import MaildirTransport
from digest.deliver.transport.sendmail import SendmailTransport
from digest.deliver.transport.smtp import SmtpChannel, SmtpTransport
from digest.deliver.transport.smtp_relay import LmtpServer, Relay, Security
from digest.deliver.transport.smtp_transaction import Timeouts
from digest.errors import SettingError
from digest.model.messages import Message, Outcome
from digest.settings.settings import Settings


class Transport(Protocol):
    """A way for messages to leave, one after the other; it is used as a context manager.

    Entering and sending raise TransportError if the transport cannot be used at all; the message
    was not sent then. Everything else that can happen to a message is an Outcome.
    """

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...

    @property
    def takes_smtputf8(self) -> bool:
        """Return whether it takes messages to addresses beyond ASCII (RFC 6531)."""

    def send(self, message: Message) -> Outcome: ...


class SigningTransport:
    """Signs each message (DKIM) right before another transport takes it.

    So every message is signed, and one that is tried again gets a new signature.
    """

    def __init__(self, transport: Transport, signer: Signer, clock: Callable[[], datetime]) -> None:
        self._transport = transport
        self._signer = signer
        self._clock = clock

    def __enter__(self) -> Self:
        self._transport.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._transport.__exit__(*error)

    @property
    def takes_smtputf8(self) -> bool:
        return self._transport.takes_smtputf8

    def send(self, message: Message) -> Outcome:
        return self._transport.send(self._signer.sign(message, self._clock()))


def _utc_now() -> datetime:
    return datetime.now(UTC)


def make_transport(settings: Settings, clock: Callable[[], datetime] = _utc_now) -> Transport:
    """Make the transport of DIGEST_TRANSPORT, which signs if DIGEST_DKIM_KEY is set.

    It does not connect yet. Raises SettingError.
    """
    signer = signer_of(settings)
    transport = _unsigned_transport(settings)
    return transport if signer is None else SigningTransport(transport, signer, clock)


def make_channel(settings: Settings, clock: Callable[[], datetime] = _utc_now) -> Channel:
    """Make a channel of DIGEST_TRANSPORT, which signs if DIGEST_DKIM_KEY is set.

    It does not connect yet. Raises SettingError.
    """
    signer = signer_of(settings)
    waits = _waiting_transport(settings)
    channel = _smtp_channel(settings) if waits is None else ThreadChannel(waits)
    return channel if signer is None else SigningChannel(channel, signer, clock)


def _unsigned_transport(settings: Settings) -> Transport:
    return _waiting_transport(settings) or SmtpTransport(_smtp_channel(settings))


def _waiting_transport(settings: Settings) -> Transport | None:
    """Return the transport that keeps a thread waiting for each message; None for SMTP."""
    url = urlsplit(settings.transport_url)
    path = Path(unquote(url.path))
    match url.scheme:
        case "chat":
            return ChatTransport(settings.transport_url.removeprefix("chat:"))
        case "file":
            return FolderTransport(path)
        case "maildir":
            return MaildirTransport(path)
        case "sendmail":
            return SendmailTransport(path, settings.smtp_timeout)
    return None


def _smtp_channel(settings: Settings) -> SmtpChannel:
    return SmtpChannel(relay_of(settings), timeouts_of(settings), settings.connection_messages)


def relay_of(settings: Settings) -> Relay:
    """Return the server that DIGEST_TRANSPORT names. Raises SettingError."""
    url = urlsplit(settings.transport_url)
    own_name = urlsplit(settings.base_url or "").hostname
    if url.scheme == "lmtp":
        return LmtpServer(url.hostname or unquote(url.path), url.port or 0, own_name=own_name)
    security = Security(url.scheme)
    if url.username and security is Security.NONE:
        raise SettingError(
            "DIGEST_TRANSPORT: a password is never sent in clear; "
            "use smtp+starttls:// or smtps:// instead of smtp://"
        )
    return Relay(
        host=url.hostname or "localhost",
        port=url.port or security.default_port,
        security=security,
        user=unquote(url.username or ""),
        password=unquote(url.password or ""),
        ca_file=settings.smtp_ca_file,
        own_name=own_name,
    )


def timeouts_of(settings: Settings) -> Timeouts:
    return Timeouts(
        connect=settings.smtp_timeout,
        greeting=settings.smtp_greeting_timeout,
        mail=settings.smtp_mail_timeout,
        rcpt=settings.smtp_rcpt_timeout,
        data=settings.smtp_data_timeout,
        block=settings.smtp_block_timeout,
        end=settings.smtp_end_timeout,
    )
