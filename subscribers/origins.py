"""The origins (RFC 6454) from which the form to join may be sent: our own pages, other sites. Pure.

A browser says with each form where it was filled in, and no page can make it say something else.
"""

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from subscribers.errors import ElsewhereError

_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ORIGIN = re.compile(
    rf"(?P<start>(?P<scheme>https?)://(?=[^:]{{1,253}}(?::|$)|\[)"
    rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:.]{{2,45}}\]))(?::(?P<port>[0-9]{{1,5}}))?"
)
_USUAL_PORTS = {"http": 80, "https": 443}
_SITE, _ORIGIN_HEADER, _REFERER = "sec-fetch-site", "origin", "referer"


def parse_origin(typed: str) -> str:
    """Return an origin as browsers write it: in small letters, without its usual port.

    Raises ValueError for what is none, or is more than one.
    """
    if typed.isascii() and (found := _ORIGIN.fullmatch(typed.lower())):
        port = int(found["port"] or _USUAL_PORTS[found["scheme"]])
        if port == _USUAL_PORTS[found["scheme"]]:
            return found["start"]
        if 0 < port < 65_536:
            return f"{found['start']}:{port}"
    raise ValueError(
        "expected origins like https://www.example.org or https://lab.example.org:8443: http or "
        "https, a host (of other letters in its xn-- form), perhaps a port, and no path, not even /"
        f"; got {typed[:100]!r}"
    )


def origin_of(url: str) -> str:
    """Return the origin of a page; empty if there is none."""
    scheme, _, rest = url.partition("://")
    with suppress(ValueError):
        return parse_origin(f"{scheme}://{re.split('[/?#]', rest, maxsplit=1)[0]}")
    return ""


@dataclass(frozen=True, slots=True)
class Origins:
    """Our own origin, and those of other sites that may have the form."""

    own: str
    allowed: frozenset[str] = frozenset()

    def sender(self, header: Callable[[str], Sequence[str]]) -> str:
        """Return the other site that a form was sent from; empty if it was none.

        ``header`` returns all values of a header. Raises ElsewhereError for a site that is not
        allowed, and where a browser does not tell. A client that sends none of the three headers is
        no browser, so that nobody was led to it.
        """
        site = header(_SITE)
        if len(site) == 1 and site[0] in {"same-origin", "none"}:  # none: it was asked for anew
            return ""
        stated = header(_ORIGIN_HEADER) or [origin_of(page) for page in header(_REFERER)]
        if not site and not stated:
            return ""
        with suppress(ValueError):
            (only,) = stated
            origin = parse_origin(only)
            if origin in {self.own, *self.allowed}:
                return "" if origin == self.own else origin
        raise elsewhere()


def elsewhere() -> ElsewhereError:
    """Return what is said to somebody who has to go on at our own form."""
    return ElsewhereError(
        "this form came from another page: please check what you typed, and press Subscribe once "
        "more"
    )
