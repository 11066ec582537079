"""Mailbox providers: who takes the mail of a domain. Pure.

A provider counts what it gets from us over all its domains, so they share one pace. It is named by
its best known domain; whoever is not known is a provider of their own, by theirs.
"""

from collections.abc import Mapping

# The domains that a provider gives addresses in. Country variants are by the part before the dot.
_DOMAINS = {
    "gmail.com": "gmail.com googlemail.com",
    "outlook.com": "outlook.com hotmail.com live.com msn.com passport.com windowslive.com",
    "yahoo.com": "yahoo.com ymail.com rocketmail.com aol.com aim.com verizon.net netscape.net",
    "icloud.com": "icloud.com me.com mac.com",
    "gmx.net": "gmx.net gmx.de gmx.at gmx.ch gmx.com web.de mail.com email.com",
    "t-online.de": "t-online.de magenta.de",
    "proton.me": "proton.me protonmail.com protonmail.ch pm.me",
    "fastmail.com": "fastmail.com fastmail.fm messagingengine.com",
    "zoho.com": "zoho.com zohomail.com zoho.eu zoho.in",
    "yandex.ru": "yandex.ru yandex.com ya.ru",
    "mail.ru": "mail.ru bk.ru inbox.ru list.ru internet.ru",
    "qq.com": "qq.com foxmail.com",
    "163.com": "163.com 126.com yeah.net 188.com",
    "naver.com": "naver.com",
    "orange.fr": "orange.fr wanadoo.fr",
    "free.fr": "free.fr",
    "comcast.net": "comcast.net xfinity.com",
    "att.net": "att.net sbcglobal.net bellsouth.net",
}
_IN_ANY_COUNTRY = {"hotmail": "outlook.com", "live": "outlook.com", "yahoo": "yahoo.com"}
# The hosts in MX records that belong to a provider, by their last labels.
_MX_OWNERS = {
    "google.com": "gmail.com",
    "googlemail.com": "gmail.com",
    "outlook.com": "outlook.com",  # also Microsoft 365: *.mail.protection.outlook.com
    "mx.microsoft": "outlook.com",
    "yahoodns.net": "yahoo.com",
    "icloud.com": "icloud.com",
    "gmx.net": "gmx.net",
    "web.de": "gmx.net",
    "mail.com": "gmx.net",
    "t-online.de": "t-online.de",
    "protonmail.ch": "proton.me",
    "messagingengine.com": "fastmail.com",
    "zoho.com": "zoho.com",
    "zoho.eu": "zoho.com",
    "yandex.net": "yandex.ru",
    "yandex.ru": "yandex.ru",
    "mail.ru": "mail.ru",
    "qq.com": "qq.com",
    "netease.com": "163.com",
    "naver.com": "naver.com",
    "orange.fr": "orange.fr",
    "comcast.net": "comcast.net",
    "prodigy.net": "att.net",
}
_BY_DOMAIN = {
    domain: provider for provider, domains in _DOMAINS.items() for domain in domains.split()
}
# Under a country, these name no owner yet: it is the label before them that does.
_NO_OWNER = frozenset("ac co com edu go gov gob ne net or org".split())


def provider_of(domain: str, looked_up: Mapping[str, str] | None = None) -> str:
    """Who takes the mail of a domain (in lower case), by what is known of it and was looked up."""
    if known := known_provider(domain):
        return known
    return (looked_up or {}).get(domain, domain)


def known_provider(domain: str) -> str | None:
    """The big provider that a domain belongs to, if it does."""
    name, _, rest = domain.partition(".")
    by_country = _IN_ANY_COUNTRY.get(name) if len(rest) in {2, 5, 6} else None  # fr, co.uk, com.br
    return _BY_DOMAIN.get(domain) or by_country


def owner_of(host: str) -> str:
    """Whose a host in an MX record is: a big provider, or the domain that the host is in."""
    labels = host.rstrip(".").lower().split(".")
    for count in (3, 2):
        if owner := _MX_OWNERS.get(".".join(labels[-count:])):
            return owner
    is_deep = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _NO_OWNER
    return ".".join(labels[-3 if is_deep else -2 :])


def domain_of(address: str) -> str:
    return address.rpartition("@")[2].lower()
