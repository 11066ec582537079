"""What to make of a relay: its certificate, its TLS, what it can do. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from digest.doctor.finding import Area, Finding

AREA = Area("relay")
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


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a server shows, once it has been verified."""

    subject: str
    issuer: str
    until: datetime


def judge_certificate(certificate: Certificate, now: datetime) -> Finding:
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


def judge_encryption(version: str | None, *, is_near: bool) -> Finding:
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


def judge_capabilities(offered: Mapping[str, str]) -> list[Finding]:
    """What EHLO was answered with: names in small letters, and what stands behind each."""
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


def judge_login(user: str, *, offers_login: bool) -> Finding:
    if user:
        return AREA.good("It took our login. Nothing was sent.")
    if offers_login:
        return AREA.unknown(
            "It offers a login, and none is set: whether it takes our mail without one shows only "
            "when something is sent.",
            "Try: digest send --to YOUR-ADDRESS. A login goes into DIGEST_TRANSPORT.",
        )
    return AREA.good("It let us in, and asks for no login. Nothing was sent.")
