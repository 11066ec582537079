"""Mailbox providers, which accept the mail of domains. Pure.

A provider counts what it gets from us over all its domains, so they share one rate. It is named by
its best known domain, and an unknown one by its own. The known ones are in providers.toml.
"""

import tomllib
from collections.abc import Mapping
from importlib.resources import files

_PROVIDERS: dict[str, dict[str, list[str]]] = tomllib.loads(
    files("digest.model").joinpath("providers.toml").read_text("utf-8")
)


def _by(key: str) -> dict[str, str]:
    return {name: provider for provider, known in _PROVIDERS.items() for name in known.get(key, [])}


_BY_DOMAIN, _BY_NAME, _BY_MX = _by("domains"), _by("names"), _by("mx")
# Below a country, these labels name no owner: the label before them does.
_NO_OWNER = frozenset("ac co com edu go gov gob ne net or org".split())


def provider_of(domain: str, looked_up: Mapping[str, str] | None = None) -> str:
    """Return the provider of a domain in lower case, also by what was looked up in the DNS."""
    return known_provider(domain) or (looked_up or {}).get(domain, domain)


def known_provider(domain: str) -> str | None:
    """Return the big provider that a domain belongs to, if it does."""
    name, _, rest = domain.partition(".")
    by_country = _BY_NAME.get(name) if len(rest) in {2, 5, 6} else None  # fr, co.uk, com.br
    return _BY_DOMAIN.get(domain) or by_country


def owner_of(host: str) -> str:
    """Return the owner of a host in an MX record: a big provider, or the domain of the host."""
    labels = host.rstrip(".").lower().split(".")
    for count in (3, 2):
        if owner := _BY_MX.get(".".join(labels[-count:])):
            return owner
    is_deep = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _NO_OWNER
    return ".".join(labels[-3 if is_deep else -2 :])


def domain_of(address: str) -> str:
    """Return the domain of an address, in lower case."""
    return address.rpartition("@")[2].lower()
