"""Where mail goes. A relay is connected to as for sending, and left before the first message."""

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

from digest.deliver.transport.smtp_conversation import Conversation, Timeouts
from digest.deliver.transport.smtp_relay import NotNowError, Relay
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
# What each saves or allows us, where the relay can do it.
_USEFUL = {
    "pipelining": "PIPELINING (RFC 2920; without it each mail takes two more round trips)",
    "8bitmime": "8BITMIME (RFC 6152)",
    "smtputf8": "SMTPUTF8 (RFC 6531; without it nothing goes to addresses beyond ASCII)",
    "enhancedstatuscodes": "ENHANCEDSTATUSCODES (RFC 2034; without it refusals say less)",
}
_NO_NETWORK = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN}


@dataclass(frozen=True, slots=True)
class Certificate:
    """Hold what a server's certificate shows, once it has been verified."""

    subject: str
    issuer: str
    until: datetime


def examine_outlet(settings: Settings, now: datetime, *, offline: bool) -> list[Diagnosis]:
    """Examine whichever transport is set."""
    url = urlsplit(settings.transport_url)
    path = Path(unquote(url.path))
    match url.scheme:
        case "file":
            only_a_folder = TRANSPORT.advice(
                "Mail goes into a folder, and to nobody.",
                "When you want to send, set DIGEST_TRANSPORT to your relay.",
            )
            return [judge_folder(path), only_a_folder]
        case "maildir":
            return [judge_folder(path)]
        case "sendmail":
            return [judge_command(path)]
    if offline and url.hostname:
        return [AREA.unknown("It was not connected to.", "Run this without --offline.")]
    try:
        return examine_relay(relay_of(settings), now)
    except SettingError as error:
        return [AREA.problem(f"{error}.", "Set it so.")]


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
    """The most telling part of a distinguished name, as getpeercert() has it."""
    parts = {key: str(value) for relative in name for key, value in relative}
    for key in ("organizationName", "commonName"):
        if key in parts:
            return parts[key]
    return "somebody without a name"


def is_near(connected: socket.socket | None) -> bool:
    """Return whether the other end is on this machine."""
    if connected is None or connected.family == socket.AF_UNIX:
        return True
    return ip_address(str(connected.getpeername()[0]).partition("%")[0]).is_loopback


# ---- judged ----------------------------------------------------------------------------------


def judge_folder(folder: Path) -> Diagnosis:
    """Judge whether mail can be put in a folder; the first message makes one that is missing."""
    there = existing(folder)
    if is_writable(there):
        return TRANSPORT.good(f"Mail can be put into {folder}.")
    return TRANSPORT.problem(
        f"No mail can be put into {folder}: {there} cannot be written to.",
        "Give the program's user the right to, or name another folder in DIGEST_TRANSPORT.",
    )


def judge_command(command: Path) -> Diagnosis:
    if not command.is_file():
        return TRANSPORT.problem(
            f"There is no command {command}.",
            "Name that of your mail system in DIGEST_TRANSPORT, often sendmail:/usr/sbin/sendmail.",
        )
    if not os.access(command, os.X_OK):
        return TRANSPORT.problem(f"{command} cannot be run.", f"chmod +x {command}")
    return TRANSPORT.good(
        f"{command} can be run. What it does with mail, only the mail system's log says."
    )


def judge_certificate(certificate: Certificate, now: datetime) -> Diagnosis:
    days = (certificate.until - now).days
    said = (
        f"Its certificate is for {certificate.subject}, by {certificate.issuer}, and good until "
        f"{certificate.until:%Y-%m-%d} ({days} days)."
    )
    what_to_do = "Have it renewed, or ask whoever runs the relay."
    if days < TOO_SOON:
        return AREA.problem(said, what_to_do)
    if days < SOON:
        return AREA.advice(said, what_to_do)
    return AREA.good(said)


def judge_encryption(version: str | None, *, is_near: bool) -> Diagnosis:
    """``version`` is TLS's, none in clear; ``is_near`` of a server on this machine."""
    if version in _GOOD_TLS:
        return AREA.good(f"The connection is encrypted ({version}).")
    if version is not None:
        return AREA.advice(
            f"The connection is encrypted by {version}, which is out of date.",
            "Have the relay speak TLS 1.2 or newer.",
        )
    if is_near:
        return AREA.good("The connection is not encrypted, and does not leave this machine.")
    return AREA.advice(
        "The connection is not encrypted: on the way anybody can read who gets what.",
        "Use smtp+starttls:// or smtps:// in DIGEST_TRANSPORT.",
    )


def judge_capabilities(offered: Mapping[str, str]) -> list[Diagnosis]:
    """Return what EHLO was answered with: names in lower case, and their parameters."""
    found = []
    if lacking := [about for name, about in _USEFUL.items() if name not in offered]:
        found.append(
            AREA.advice(
                f"It does not offer {'; '.join(lacking)}.",
                "Mail goes out nevertheless; turn these on where the relay is yours.",
            )
        )
    size = offered.get("size", "").strip()
    # None at all, or 0: there is no limit that it knows of (RFC 1870 section 3).
    if size.isascii() and size.isdigit() and 0 < int(size) < OUR_SIZE:
        found.append(
            AREA.problem(
                f"It takes messages of {int(size)} octets at most; a digest may have {OUR_SIZE}.",
                "Raise its limit, or lower DIGEST_MAX_FOR_YOU and DIGEST_MAX_TRENDING.",
            )
        )
    return found or [AREA.good("It can do all that we make use of.")]


def judge_login(user: str, *, offers_login: bool) -> Diagnosis:
    if user:
        return AREA.good("It took our login. Nothing was sent.")
    if offers_login:
        return AREA.unknown(
            "It offers a login, and none is set: whether it takes our mail without one shows only "
            "when something is sent.",
            "Try: digest send --to YOUR-ADDRESS. A login goes into DIGEST_TRANSPORT.",
        )
    return AREA.good("It let us in, and asks for no login. Nothing was sent.")


def judge_failure(error: TransportError) -> Diagnosis:
    """Return what to do about a relay that did not let us come to the first message."""
    why = error.__cause__ or error.__context__
    if isinstance(error, NotNowError):
        return AREA.advice(f"{error}.", "It says that this passes: try again in some minutes.")
    if isinstance(why, ssl.SSLCertVerificationError):
        what_to_do = (
            "If it is out of date or for another name, have that fixed, or name the host as the "
            "certificate does. If it is of an authority of your own, set DIGEST_SMTP_CA_FILE."
        )
    elif isinstance(why, smtplib.SMTPAuthenticationError):
        what_to_do = (
            "See to the user and the password in DIGEST_TRANSPORT; special characters in them are "
            "written as %XX."
        )
    elif isinstance(why, socket.gaierror) and why.errno != socket.EAI_NONAME:
        return AREA.unknown(f"{error}: not checked.", "Try again where the DNS answers.")
    elif isinstance(why, OSError) and why.errno in _NO_NETWORK:
        return AREA.unknown(f"{error}: not checked.", "Try again where there is a network.")
    elif isinstance(why, OSError):
        what_to_do = (
            "See to host, port and scheme in DIGEST_TRANSPORT (smtps:// is for port 465, "
            "smtp+starttls:// for 587), and to firewalls: many hosts keep port 25 closed."
        )
    else:
        what_to_do = "See to DIGEST_TRANSPORT; the relay's log says more."
    return AREA.problem(f"{error}.", what_to_do)
