"""What the DNS says of the domains in the settings."""

import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from ipaddress import ip_address
from typing import ParamSpec
from urllib.parse import urlsplit

from dns.resolver import Resolver

from digest.deliver.transport.dkim_key import dns_record, signer_of
from digest.doctor import dkim
from digest.doctor.dmarc import judge_dmarc
from digest.doctor.finding import Area, Finding
from digest.doctor.mail_hosts import judge_mx, judge_ptr, judge_ptr_elsewhere
from digest.doctor.names import Names, SilentError
from digest.doctor.spf import judge_spf
from digest.errors import SettingError
from digest.settings.settings import Settings

Given = ParamSpec("Given")

AREA = Area("DNS")
NOT_CHECKED = "SPF, DKIM, DMARC, MX and PTR were not checked"


def examine_dns(settings: Settings, resolver: Resolver | None) -> list[Finding]:
    """Of each area what there is to say; of all one thing, where the DNS does not answer."""
    if settings.from_ is None:
        return [AREA.unknown(f"{NOT_CHECKED}: there is no domain yet.", "Set DIGEST_FROM.")]
    if resolver is None:
        return [_silent()]
    names = Names(resolver)
    found = [finding for look in _looks(settings, names) for finding in look]
    return found if names.has_answered else [_silent()]


def not_asked() -> Finding:
    return AREA.unknown(f"{NOT_CHECKED}.", "Run this without --offline.")


def _silent() -> Finding:
    return AREA.unknown(f"The DNS does not answer: {NOT_CHECKED}.", "Run this again where it does.")


def _looks(settings: Settings, names: Names) -> Iterator[list[Finding]]:
    assert settings.from_
    author = _domain(settings.from_)
    returns = _domain(settings.bounce_address or settings.from_)
    yield _told("SPF", judge_spf, returns, names.texts)
    yield _told("DKIM", _dkim, settings, names)
    is_signed = settings.dkim_key is not None
    yield _told("DMARC", judge_dmarc, author, returns, names.texts, is_signed=is_signed)
    for domain, what_for in _ways_back(settings).items():
        yield _told("MX", _mx, domain, what_for, names)
    if settings.transport_url.startswith("smtp"):
        host = urlsplit(settings.transport_url).hostname or "localhost"
        yield _told("PTR", _ptr, host, names)


def _ways_back(settings: Settings) -> dict[str, str]:
    """The domains that must take mail, and what comes there."""
    assert settings.from_
    expected = (
        ("failure reports", settings.bounce_address),
        ("answers", settings.reply_to),
        ("wishes to leave", settings.unsubscribe_address),
        ("complaints", settings.complaints_address),
    )
    comes: dict[str, list[str]] = {}
    for what, address in expected:
        comes.setdefault(_domain(address or settings.from_), []).append(what)
    return {domain: _and(whats) for domain, whats in comes.items()}


def _and(words: list[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last


def _told(
    area: str,
    judge: Callable[Given, list[Finding]],
    *given: Given.args,
    **named: Given.kwargs,
) -> list[Finding]:
    """What is found, or that the DNS was silent about it."""
    try:
        return judge(*given, **named)
    except SilentError as silent:
        return [
            Area(area).unknown(
                f"The DNS gave no answer about {silent}: not checked.",
                "Try again; if it stays so, see to the name servers of that domain.",
            )
        ]


def _dkim(settings: Settings, names: Names) -> list[Finding]:
    try:
        signer = signer_of(settings)
    except SettingError:  # told with the settings
        return []
    if signer is None:
        return [dkim.judge_unsigned()]
    wanted = [(key, dns_record(key, signer.domain).name) for key in signer.keys]
    return [dkim.judge_key(key, name, names.texts(name)) for key, name in wanted]


def _mx(domain: str, what_for: str, names: Names) -> list[Finding]:
    exchanges = names.exchanges(domain)
    has_address = any(names.addresses(host) for host in exchanges or [domain] if host)
    return [judge_mx(domain, what_for, exchanges, has_address=has_address)]


def _ptr(host: str, names: Names) -> list[Finding]:
    """Of a relay that is this machine, under a public address; what others send from, they know."""
    for address in _addresses(host, names):
        if ip_address(address).is_global and _is_ours(address):
            pointers = names.pointers(address)
            confirmed = [name for name in pointers if address in names.addresses(name)]
            return [judge_ptr(address, pointers, confirmed)]
    return [judge_ptr_elsewhere()]


def _addresses(host: str, names: Names) -> list[str]:
    try:
        return [str(ip_address(host))]
    except ValueError:
        return [] if host == "localhost" else names.addresses(host)


def _is_ours(address: str) -> bool:
    """Whether this machine has the address: only then can it be bound to."""
    family = socket.AF_INET if ip_address(address).version == 4 else socket.AF_INET6
    with suppress(OSError), socket.socket(family) as trying:
        trying.bind((address, 0))
        return True
    return False


def _domain(address: str) -> str:
    return address.rpartition("@")[2]
