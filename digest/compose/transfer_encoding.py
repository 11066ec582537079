"""Texts as they stand in a message, whose lines are short, and ASCII."""

import base64
import binascii
from collections.abc import Iterator
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

    Characters beyond ASCII become references, which needs no encoding: that is the smallest form
    of a text that is mostly ASCII, and the quickest. Not where it could harm: where the document
    is large, because clients count references as they are written; in styles, which have none;
    and where lines would be too long, or look like the separators of mailbox files.
    """
    octets = html.encode("ascii", "xmlcharrefreplace")
    if (
        len(octets) <= min(_LARGE, len(html) * _BASE64)
        and b"\nFrom " not in octets
        and _has_short_lines(octets)
        and not any(b"&#" in style for style in _styles(octets))
    ):
        return HtmlPart("7bit", octets.replace(b"\n", b"\r\n"), len(octets))
    utf8 = html.encode()
    quoted = HtmlPart("quoted-printable", quoted_printable(html), len(utf8))
    crlf = utf8.replace(b"\n", b"\r\n")
    encoded = base64.encodebytes(crlf).replace(b"\n", b"\r\n")
    return min(quoted, HtmlPart("base64", encoded, len(utf8)), key=lambda part: len(part.octets))


def _styles(html: bytes) -> Iterator[bytes]:
    end = 0
    while (begin := html.find(b"<style", end)) >= 0:
        end = max(begin + 1, html.find(b"</style", begin))
        yield html[begin:end]


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
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
    encoded = binascii.b2a_qp(lines.encode("utf-8"), istext=True)
    # Where it finds no line end to go by, it breaks long lines with a bare line feed.
    return encoded if "\n" in lines else encoded.replace(b"\n", b"\r\n")
