"""Texts as they stand in a message, whose lines are short, and ASCII."""

import base64
import binascii
import re
from functools import lru_cache
from typing import NamedTuple

_LONGEST = 998  # octets of a line (RFC 5322 section 2.1.1)
_LARGE = 90_000  # octets of HTML, near which clients cut a mail off
_BASE64 = 78 / 57  # of the octets that it encodes


class HtmlPart(NamedTuple):
    """HTML in a transfer encoding. ``size`` are its octets once decoded, as clients count them."""

    encoding: str
    octets: bytes
    size: int


def html_part(html: str) -> HtmlPart:
    """Choose a transfer encoding for HTML.

    Letters beyond ASCII become references (in styles, where there are none, MJML's HTML has no such
    letters), which needs no encoding: that is the smallest form of a text that is mostly ASCII, and
    the quickest. Not for a large document, because clients count references as they are written;
    and not if lines would be too long, or look like the separators of mailbox files.
    """
    octets = html.encode("ascii", "xmlcharrefreplace")
    if (
        len(octets) <= min(_LARGE, len(html) * _BASE64)
        and b"\nFrom " not in octets
        and _has_short_lines(octets)
    ):
        return HtmlPart("7bit", octets.replace(b"\n", b"\r\n"), len(octets))
    utf8 = html.encode()
    quoted = HtmlPart("quoted-printable", quoted_printable(html), len(utf8))
    crlf = utf8.replace(b"\n", b"\r\n")
    encoded = base64.encodebytes(crlf).replace(b"\n", b"\r\n")
    return min(quoted, HtmlPart("base64", encoded, len(utf8)), key=lambda part: len(part.octets))


def _has_short_lines(text: bytes) -> bool:
    """Tell whether no line has more than 998 octets (RFC 5322 section 2.1.1)."""
    begin = 0
    while len(text) - begin > _LONGEST:
        begin = text.rfind(b"\n", begin, begin + _LONGEST + 1) + 1
        if not begin:
            return False
    return True


def quoted_printable(text: str) -> bytes:
    """Encode a text in quoted-printable (RFC 2045 section 6.7), line ends as CRLF."""
    return b"\r\n".join(map(_quoted_line, re.split("\r\n|\r|\n", text)))


@lru_cache(maxsize=10_000)  # most lines are the same for one reader after the other
def _quoted_line(line: str) -> bytes:
    return binascii.b2a_qp(line.encode(), istext=True).replace(b"\n", b"\r\n")
