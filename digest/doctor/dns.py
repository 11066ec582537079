"""What the DNS says of the domains in the settings."""

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
NOT_CHECKED = "SPF, DKIM, DMARC, MX and PTR were not checked"


def examine_dns(settings: Settings, resolver: Resolver | None) -> list[Diagnosis]:
    """Return what there is to say of each area; one thing of all, where the DNS does not answer."""
    if settings.from_ is None:
        return [AREA.unknown(f"{NOT_CHECKED}: there is no domain yet.", "Set DIGEST_FROM.")]
    if resolver is None:
        return [_silent()]
    names = Names(resolver)
    found: list[Diagnosis] = []
    for area, look in _looks(settings, settings.from_, names):
        try:
            found += look()
        except SilentError as silent:
            what = f"The DNS gave no answer about {silent}: not checked."
            what_to_do = "Try again; if it stays so, see to the name servers of that domain."
            found.append(Area(area).unknown(what, what_to_do))
    return found if names.has_answered else [_silent()]


def not_asked() -> Diagnosis:
    return AREA.unknown(f"{NOT_CHECKED}.", "Run this without --offline.")


def _silent() -> Diagnosis:
    return AREA.unknown(f"The DNS does not answer: {NOT_CHECKED}.", "Run this again where it does.")


def _looks(
    settings: Settings, from_: str, names: Names
) -> Iterator[tuple[str, Callable[[], list[Diagnosis]]]]:
    """Yield the areas, and how each is looked at."""
    author, returns = domain_of(from_), domain_of(settings.bounce_address or from_)
    is_signed = settings.dkim_key is not None
    yield "SPF", partial(judge_spf, returns, names.texts)
    yield "DKIM", partial(_dkim, settings, names)
    yield "DMARC", partial(judge_dmarc, author, returns, names.texts, is_signed=is_signed)
    for domain, what_for in _ways_back(settings, from_).items():
        yield "MX", partial(_mx, domain, what_for, names)
    if settings.transport_url.startswith("smtp"):
        host = urlsplit(settings.transport_url).hostname or "localhost"
        yield "PTR", partial(_ptr, host, names)


def _ways_back(settings: Settings, from_: str) -> dict[str, str]:
    """Return the domains that must take mail, and what comes there."""
    expected = (
        ("failure reports", settings.bounce_address),
        ("answers", settings.reply_to),
        ("unsubscribe requests", settings.unsubscribe_address),
        ("complaints", settings.complaints_address),
    )
    comes: dict[str, list[str]] = {}
    for what, address in expected:
        comes.setdefault(domain_of(address or from_), []).append(what)
    return {
        domain: " and ".join(filter(None, [", ".join(whats[:-1]), whats[-1]]))
        for domain, whats in comes.items()
    }


def _dkim(settings: Settings, names: Names) -> list[Diagnosis]:
    try:
        signer = signer_of(settings)
    except SettingError:  # told with the settings
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
    """Judge a relay that is this machine, under a public address; others know their own."""
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
    """Return whether this machine has the address: only then can it be bound to."""
    family = socket.AF_INET if ip_address(address).version == 4 else socket.AF_INET6
    with suppress(OSError), socket.socket(family) as trying:
        trying.bind((address, 0))
        return True
    return False


# ---- judged ----------------------------------------------------------------------------------


def judge_mx(
    domain: str, what_for: str, exchanges: Sequence[str], *, has_address: bool
) -> Diagnosis:
    """``has_address`` is whether a host that would be tried has one; without MX, the domain."""
    what_to_do = f"Publish an MX record at {domain} that names the host that takes its mail."
    if list(exchanges) == [""]:
        return MX.problem(
            f"{domain} says that it takes no mail (RFC 7505), and is where {what_for} go.",
            what_to_do,
        )
    if exchanges and not has_address:
        return MX.problem(
            f"{domain} names {exchanges[0]} for its mail, and that host has no address; "
            f"{what_for} go there.",
            what_to_do,
        )
    if exchanges:
        return MX.good(f"{domain}, where {what_for} go, has its mail taken by {exchanges[0]}.")
    if has_address:  # RFC 5321 section 5.1
        return MX.advice(
            f"{domain}, where {what_for} go, has no MX record: the host of that name is tried.",
            what_to_do,
        )
    return MX.problem(f"{domain} takes no mail, and is where {what_for} go.", what_to_do)


def judge_ptr(address: str, names: Sequence[str], confirmed: Sequence[str]) -> Diagnosis:
    """``confirmed`` are those of the address's names that lead back to it."""
    if confirmed:
        return PTR.good(f"{address} is {confirmed[0]}, and that name leads back to it.")
    what_to_do = (
        f"Have whoever gave you {address} name it after your mail host, and that name lead to it."
    )
    if names:
        return PTR.problem(f"{address} is called {names[0]}, which does not lead back.", what_to_do)
    return PTR.problem(f"{address} has no name (PTR): many refuse mail from it.", what_to_do)


def judge_ptr_elsewhere() -> Diagnosis:
    return PTR.unknown(
        "Which address your mail leaves from, and what it is called (PTR), cannot be seen here.",
        "It is for whoever runs the relay to see to; a mail's Received headers show it.",
    )
