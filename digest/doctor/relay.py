"""Examine the transport. A relay is connected to as for sending, without a message."""

import errno
import os
import smtplib
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from digest.deliver.transport.smtp_conversation import Conversation
from digest.deliver.transport.smtp_relay import NotNowError, Relay
from digest.deliver.transport.smtp_transaction import Timeouts
from digest.deliver.transport.transport import relay_of
from digest.doctor.database import existing, is_writable
from digest.doctor.diagnosis import Area, Diagnosis
from digest.errors import SettingError, TransportError
from digest.settings.settings import Settings

TRANSPORT = Area("transport")
AREA = Area("relay")
PATIENCE = 10.0  # seconds for each step
SOON, TOO_SOON = 21, 3  # days that a certificate is still good
OUR_SIZE = 500_000  # octets; the largest digest is smaller
_GOOD_TLS = ("TLSv1.2", "TLSv1.3")  # RFC 8996
# Extensions that make sending faster or better.
_USEFUL = {
    "pipelining": "PIPELINING (RFC 2920; without it each message takes two more round trips)",
    "8bitmime": "8BITMIME (RFC 6152)",
    "smtputf8": "SMTPUTF8 (RFC 6531; without it nothing can be sent to non-ASCII addresses)",
    "enhancedstatuscodes": "ENHANCEDSTATUSCODES (RFC 2034; without it refusals say less)",
}
_ONLY_A_FOLDER = TRANSPORT.advice(
    "Messages are written to a folder, and sent to nobody.",
    "To send, set DIGEST_TRANSPORT to your relay.",
)
_A_ROOM = TRANSPORT.unknown("Only a digest shows whether a chat room takes it.", "Send one.")
_NO_NETWORK = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN}


@dataclass(frozen=True, slots=True)
class Certificate:
    """A server's certificate, verified."""

    subject: str
    issuer: str
    until: datetime


def examine_outlet(settings: Settings, now: datetime, *, offline: bool) -> list[Diagnosis]:
    """Examine the transport that is set."""
    url = urlsplit(settings.transport_url)
    path = Path(unquote(url.path))
    match url.scheme:
        case "file":
            return [judge_folder(path), *([] if settings.is_trial else [_ONLY_A_FOLDER])]
        case "chat":
            return [_A_ROOM]
        case "maildir":
            return [judge_folder(path)]
        case "sendmail":
            return [judge_command(path)]
    return _examine_server(settings, now, offline=offline)


def _examine_server(settings: Settings, now: datetime, *, offline: bool) -> list[Diagnosis]:
    if offline and urlsplit(settings.transport_url).hostname:
        return [AREA.unknown("It was not examined.", "Run this without --offline.")]
    try:
        return examine_relay(relay_of(settings), now)
    except SettingError as error:
        return [AREA.problem(f"{error}.", "Correct this setting.")]


def examine_relay(relay: Relay, now: datetime, patience: float = PATIENCE) -> list[Diagnosis]:
    try:
        conversation = relay.connect(Timeouts(connect=patience, greeting=patience))
    except TransportError as error:
        return [judge_failure(error)]
    try:
        return [AREA.good(f"{relay} answers."), *_look_at(conversation, relay, now)]
    finally:
        conversation.leave()


def _look_at(conversation: Conversation, relay: Relay, now: datetime) -> Iterator[Diagnosis]:
    encrypted = conversation.sock
    if isinstance(encrypted, ssl.SSLSocket):
        yield judge_encryption(encrypted.version(), is_near=False)
        if certificate := certificate_of(encrypted):
            yield judge_certificate(certificate, now)
    else:
        yield judge_encryption(None, is_near=is_near(conversation.sock))
    yield from judge_capabilities(conversation.esmtp_features)
    yield judge_login(relay.user, offers_login=conversation.has_extn("auth"))


def certificate_of(encrypted: ssl.SSLSocket) -> Certificate | None:
    """Return the certificate that the handshake has verified."""
    shown = encrypted.getpeercert()
    if not shown:
        return None
    until = ssl.cert_time_to_seconds(str(shown["notAfter"]))
    alternatives: Any = shown.get("subjectAltName", ())
    names = [str(value) for _, value in alternatives]
    return Certificate(
        subject=", ".join(names[:3]) or _owner(shown.get("subject", ())),
        issuer=_owner(shown.get("issuer", ())),
        until=datetime.fromtimestamp(until, UTC),
    )


def _owner(name: Any) -> str:
    """Return the organization or common name in a distinguished name of getpeercert()."""
    parts = {key: str(value) for relative in name for key, value in relative}
    return parts.get("organizationName") or parts.get("commonName") or "an unnamed owner"


def is_near(connected: socket.socket | None) -> bool:
    """Return whether the other end is on this machine."""
    if connected is None or connected.family == socket.AF_UNIX:
        return True
    return ip_address(str(connected.getpeername()[0]).partition("%")[0]).is_loopback


# ---- judged ----------------------------------------------------------------------------------


def judge_folder(folder: Path) -> Diagnosis:
    """Judge whether messages can be written to a folder; the first one creates it."""
    there = existing(folder)
    if is_writable(there):
        return TRANSPORT.good(f"Messages can be written to {folder}.")
    return TRANSPORT.problem(
        f"Messages cannot be written to {folder}: {there} cannot be written to.",
        "Allow the program's user to write there, or set another folder in DIGEST_TRANSPORT.",
    )


def judge_command(command: Path) -> Diagnosis:
    if not command.is_file():
        return TRANSPORT.problem(
            f"There is no command {command}.",
            "Set DIGEST_TRANSPORT to the one of your system, often sendmail:/usr/sbin/sendmail.",
        )
    if not os.access(command, os.X_OK):
        return TRANSPORT.problem(f"{command} cannot be run.", f"Run chmod +x {command}.")
    return TRANSPORT.good(
        f"{command} can be run. Whether it delivers, only the log of the mail system tells."
    )


def judge_certificate(certificate: Certificate, now: datetime) -> Diagnosis:
    days = (certificate.until - now).days
    said = (
        f"Its certificate is for {certificate.subject}, by {certificate.issuer}, valid until "
        f"{certificate.until:%Y-%m-%d} ({days} days)."
    )
    what_to_do = "Renew it, or ask whoever runs the relay to."
    if days < TOO_SOON:
        return AREA.problem(said, what_to_do)
    if days < SOON:
        return AREA.advice(said, what_to_do)
    return AREA.good(said)


def judge_encryption(version: str | None, *, is_near: bool) -> Diagnosis:
    """Judge the ``version`` of TLS, None if in clear; ``is_near``: the server is this machine."""
    if version in _GOOD_TLS:
        return AREA.good(f"The connection is encrypted ({version}).")
    if version is not None:
        return AREA.advice(
            f"The connection is encrypted by {version}, which is out of date.",
            "Upgrade the relay to TLS 1.2 or newer.",
        )
    if is_near:
        return AREA.good("The connection is not encrypted, and does not leave this machine.")
    return AREA.advice(
        "The connection is not encrypted: others can read who gets what.",
        "Use smtp+starttls:// or smtps:// in DIGEST_TRANSPORT.",
    )


def judge_capabilities(offered: Mapping[str, str]) -> list[Diagnosis]:
    """Judge the answer to EHLO: names in lower case, with their parameters."""
    found = []
    if lacking := [about for name, about in _USEFUL.items() if name not in offered]:
        found.append(
            AREA.advice(
                f"It does not offer {'; '.join(lacking)}.",
                "Messages are sent nevertheless; enable these if the relay is yours.",
            )
        )
    size = offered.get("size", "").strip()
    # None or 0: there is no limit (RFC 1870 section 3).
    if size.isascii() and size.isdigit() and 0 < int(size) < OUR_SIZE:
        found.append(
            AREA.problem(
                f"It accepts messages of {int(size)} octets at most; a digest may have {OUR_SIZE}.",
                "Raise its limit, or lower DIGEST_MAX_FOR_YOU and DIGEST_MAX_TRENDING.",
            )
        )
    return found or [AREA.good("It offers every extension that is used.")]


def judge_login(user: str, *, offers_login: bool) -> Diagnosis:
    if user:
        return AREA.good("It accepted the login. Nothing was sent.")
    if offers_login:
        return AREA.unknown(
            "It offers a login, but none is set: only a message shows whether it needs one.",
            "Try digest send --to YOUR-ADDRESS. Set a login in DIGEST_TRANSPORT.",
        )
    return AREA.good("It accepts connections without a login. Nothing was sent.")


def judge_failure(error: TransportError) -> Diagnosis:
    """Judge why a relay could not be used, and say what to do."""
    why = error.__cause__ or error.__context__
    if isinstance(error, NotNowError):
        return AREA.advice(
            f"{error}.", "It says that this is temporary: try again in some minutes."
        )
    if isinstance(why, ssl.SSLCertVerificationError):
        what_to_do = (
            "If it has expired, renew it. If it is for another name, use that name in "
            "DIGEST_TRANSPORT. If your own authority issued it, set DIGEST_SMTP_CA_FILE."
        )
    elif isinstance(why, smtplib.SMTPAuthenticationError):
        what_to_do = (
            "Check the user and the password in DIGEST_TRANSPORT; write special characters in them "
            "as %XX."
        )
    elif isinstance(why, socket.gaierror) and why.errno != socket.EAI_NONAME:
        return AREA.unknown(f"{error}: not checked.", "Try again where the DNS answers.")
    elif isinstance(why, OSError) and why.errno in _NO_NETWORK:
        return AREA.unknown(f"{error}: not checked.", "Try again where there is a network.")
    elif isinstance(why, OSError):
        what_to_do = (
            "Check host, port and scheme in DIGEST_TRANSPORT (smtps:// is for port 465, "
            "smtp+starttls:// for 587), and firewalls: many networks block port 25."
        )
    else:
        what_to_do = "Check DIGEST_TRANSPORT; the relay's log says more."
    return AREA.problem(f"{error}.", what_to_do)
