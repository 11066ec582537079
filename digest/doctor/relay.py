"""The relay: connected to as for sending, looked at, and left before the first message."""

import errno
import smtplib
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

from digest.deliver.transport.smtp_conversation import Conversation, Timeouts
from digest.deliver.transport.smtp_relay import NotNowError, Relay
from digest.doctor.finding import Finding
from digest.doctor.relay_rules import (
    AREA,
    Certificate,
    judge_capabilities,
    judge_certificate,
    judge_encryption,
    judge_login,
)
from digest.errors import TransportError

PATIENCE = 10.0  # seconds for each step
_NO_NETWORK = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN}


def examine_relay(relay: Relay, now: datetime, patience: float = PATIENCE) -> list[Finding]:
    try:
        conversation = relay.connect(Timeouts(connect=patience, greeting=patience))
    except TransportError as error:
        return [judge_failure(error)]
    try:
        return [AREA.good(f"{relay} answers."), *_look_at(conversation, relay, now)]
    finally:
        conversation.leave()


def _look_at(conversation: Conversation, relay: Relay, now: datetime) -> Iterator[Finding]:
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
    """The certificate that the handshake has verified."""
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
    """Whether the other end is on this machine."""
    if connected is None or connected.family == socket.AF_UNIX:
        return True
    return ip_address(str(connected.getpeername()[0]).partition("%")[0]).is_loopback


def judge_failure(error: TransportError) -> Finding:
    """What to do about a relay that did not let us come to the first message."""
    why = error.__cause__ or error.__context__
    if isinstance(error, NotNowError):
        return AREA.advice(f"{error}.", "It says that this passes: try again in some minutes.")
    if isinstance(why, ssl.SSLCertVerificationError):
        what_to_do = (
            "If it is out of date or for another name, have that mended, or name the host as the "
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
