"""Receive signed mail without the code that signs it: with dkimpy, and by reading it."""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache

import dkim
import time_machine
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from digest.deliver.transport.dkim import Signer, SigningKey
from digest.deliver.transport.dkim_key import dns_record

Dns = Mapping[str, str]  # TXT records by name

_SIGNATURE = re.compile(rb"^DKIM-Signature:(?:.|\r\n[ \t])*\r\n", re.MULTILINE)


@cache
def rsa_key(selector: str = "2026a") -> SigningKey:
    return SigningKey(selector, generate_private_key(65537, 2048))


@cache
def ed25519_key(selector: str = "2026e") -> SigningKey:
    return SigningKey(selector, Ed25519PrivateKey.generate())


def published(signer: Signer) -> Dns:
    """Return a DNS that holds the records of a signer's keys."""
    records = [dns_record(key, signer.domain) for key in signer.keys]
    return {record.name: record.value for record in records}


def signatures(content: bytes) -> list[bytes]:
    """Return the signatures of a message, in order."""
    return _SIGNATURE.findall(content.partition(b"\r\n\r\n")[0] + b"\r\n")


def tags(signature: bytes) -> dict[str, str]:
    """Return a signature's tags without blanks and line ends."""
    value = re.sub(r"\s", "", signature.decode("ascii").partition(":")[2])
    return dict(tag.split("=", 1) for tag in value.split(";"))


def verdicts(content: bytes, dns: Dns, at: datetime | None = None) -> list[bool]:
    """Return dkimpy's verdict on each signature, at a moment (by default, now)."""
    if at is None:
        return [_is_good(content, number, dns) for number in range(len(signatures(content)))]
    with time_machine.travel(at, tick=False):
        return verdicts(content, dns)


def _is_good(content: bytes, number: int, dns: Dns) -> bool:
    def look_up(name: bytes, timeout: float = 0) -> bytes | None:
        record = dns.get(name.decode("ascii").removesuffix("."))
        return record.encode() if record else None

    try:
        return dkim.DKIM(content, minkey=1024).verify(number, dnsfunc=look_up)
    except dkim.DKIMException:
        return False
