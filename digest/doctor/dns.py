"""Examine what the DNS says about the domains in the settings."""

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from ipaddress import ip_address
from urllib.parse import urlsplit

from dns.resolver import Resolver

from digest.deliver.transport.dkim_key import dns_record, signer_of
from digest.doctor import dkim
from digest.doctor.diagnosis import Area, Diagnosis
from digest.doctor.dmarc import judge_dmarc
from digest.doctor.names import Names, SilentError
from digest.doctor.spf import judge_spf
from digest.errors import SettingError
from digest.model.providers import domain_of
from digest.settings.settings import Settings

AREA = Area("DNS")
MX = Area("MX")
PTR = Area("PTR")
_NOT_CHECKED = "SPF, DKIM, DMARC, MX and PTR were not checked"

NOT_ASKED = AREA.unknown(f"{_NOT_CHECKED}.", "Run this without --offline.")
_NO_DOMAIN = AREA.unknown(f"{_NOT_CHECKED}: there is no domain yet.", "Set DIGEST_FROM.")
_SILENT = AREA.unknown(
    f"The DNS does not answer: {_NOT_CHECKED}.", "Run this again when the DNS answers."
)
_CLOSED = AREA.unknown(
    f"The DNS of this network does not know the names of the internet: {_NOT_CHECKED}.",
    "Run this again where the DNS knows them.",
)


def examine_dns(settings: Settings, resolver: Resolver | None) -> list[Diagnosis]:
    """Examine each area; if the DNS does not answer at all, or denies all, it is one diagnosis."""
    if settings.from_ is None:
        return [_NO_DOMAIN]
    if resolver is None:
        return [_SILENT]
    names = Names(resolver)
    found: list[Diagnosis] = []
    for area, look in _looks(settings, settings.from_, names):
        try:
            found += look()
        except SilentError as silent:
            what = f"The DNS gave no answer about {silent}: not checked."
            what_to_do = "Try again; if it stays so, check the name servers of that domain."
            found.append(Area(area).unknown(what, what_to_do))
    if not names.has_answered:
        return [_SILENT]
    return found if names.are_of_the_internet() else [_CLOSED]


def _looks(
    settings: Settings, from_: str, names: Names
) -> Iterator[tuple[str, Callable[[], list[Diagnosis]]]]:
    """Yield each area, and a function that examines it."""
    author, returns = domain_of(from_), domain_of(settings.bounce_address or from_)
    is_signed = settings.dkim_key is not None
    yield "SPF", partial(judge_spf, returns, names.texts)
    yield "DKIM", partial(_dkim, settings, names)
    yield "DMARC", partial(judge_dmarc, author, returns, names.texts, is_signed=is_signed)
    for domain, what_for in _incoming(settings, from_).items():
        yield "MX", partial(_mx, domain, what_for, names)
    if settings.transport_url.startswith("smtp"):
        host = urlsplit(settings.transport_url).hostname or "localhost"
        yield "PTR", partial(_ptr, host, names)


def _incoming(settings: Settings, from_: str) -> dict[str, str]:
    """Return the domains that must accept mail, and which mail."""
    expected = (
        ("failure reports", settings.bounce_address),
        ("answers", settings.reply_to),
        ("unsubscribe requests", settings.unsubscribe_address),
        ("complaints", settings.complaints_address),
    )
    by_domain: dict[str, list[str]] = {}
    for what, address in expected:
        by_domain.setdefault(domain_of(address or from_), []).append(what)
    return {
        domain: " and ".join(filter(None, [", ".join(whats[:-1]), whats[-1]]))
        for domain, whats in by_domain.items()
    }


def _dkim(settings: Settings, names: Names) -> list[Diagnosis]:
    try:
        signer = signer_of(settings)
    except SettingError:  # reported with the settings
        return []
    if signer is None:
        return [dkim.judge_unsigned()]
    wanted = [(key, dns_record(key, signer.domain).name) for key in signer.keys]
    return [dkim.judge_key(key, name, names.texts(name)) for key, name in wanted]


def _mx(domain: str, what_for: str, names: Names) -> list[Diagnosis]:
    exchanges = names.exchanges(domain)
    has_address = any(names.addresses(host) for host in exchanges or [domain] if host)
    return [judge_mx(domain, what_for, exchanges, has_address=has_address)]


def _ptr(host: str, names: Names) -> list[Diagnosis]:
    """Judge a relay that is this machine, under a public address."""
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
    """Return whether this machine has the address: only then can a socket be bound to it."""
    family = socket.AF_INET if ip_address(address).version == 4 else socket.AF_INET6
    with suppress(OSError), socket.socket(family) as trying:
        trying.bind((address, 0))
        return True
    return False


# ---- judged ----------------------------------------------------------------------------------


def judge_mx(
    domain: str, what_for: str, exchanges: Sequence[str], *, has_address: bool
) -> Diagnosis:
    """Judge MX records; ``has_address`` says it of the first host, or of a domain without MX."""
    what_to_do = f"Publish an MX record at {domain} that names the host that accepts its mail."
    if list(exchanges) == [""]:
        said = f"{domain}, where {what_for} go, says that it accepts no mail (RFC 7505)."
    elif exchanges and has_address:
        return MX.good(f"{domain}, where {what_for} go, has its mail delivered to {exchanges[0]}.")
    elif exchanges:
        said = f"{domain}, where {what_for} go, has the mail host {exchanges[0]} without address."
    elif has_address:  # RFC 5321 section 5.1
        return MX.advice(
            f"{domain}, where {what_for} go, has no MX record: the host of that name is tried.",
            what_to_do,
        )
    else:
        said = f"{domain}, where {what_for} go, accepts no mail."
    return MX.problem(said, what_to_do)


def judge_ptr(address: str, names: Sequence[str], confirmed: Sequence[str]) -> Diagnosis:
    """Judge the names of an address; those of ``confirmed`` have that address."""
    if confirmed:
        return PTR.good(f"{address} has the name {confirmed[0]}, which has that address.")
    said = f"{address} has no name (PTR), and many servers refuse mail from it."
    if names:
        said = f"{address} has the name {names[0]}, which has not that address."
    return PTR.problem(
        said,
        f"Ask the provider of {address} to set its name (PTR) to that of your mail host, and "
        "publish the address at that name.",
    )


def judge_ptr_elsewhere() -> Diagnosis:
    return PTR.unknown(
        "Which address your mail leaves from, and its name (PTR), cannot be seen here.",
        "Ask whoever runs the relay; the Received headers of a message show it.",
    )
