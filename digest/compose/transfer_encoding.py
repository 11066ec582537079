"""Encode texts for a message, whose lines are short and ASCII."""

import base64
import binascii
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

_LONGEST = 998  # octets of a line (RFC 5322 section 2.1.1)
_LARGE = 90_000  # octets of HTML, near which clients cut an email off
_BASE64 = 78 / 57  # of the octets that it encodes

# At the start of a line SMTP doubles a dot, and "From " separates messages in mailbox files.
_SPECIAL = re.compile(r"(?:^|\n)(?:\.|From )")


# One that quoted-printable can write in another way in a line of 76: then SMTP has none to double.
_DOT = re.compile(rb"(\A|\n)\.(?=[^\n]{0,73}(?:\n|\Z))")


class HtmlPart(NamedTuple):
    """HTML in a transfer encoding. ``size`` are its octets once decoded, as clients count them."""

    encoding: str
    octets: bytes
    size: int
    has_dots: bool


def html_part(pieces: Sequence[str]) -> HtmlPart:
    """Choose a transfer encoding for HTML, which comes in pieces.

    Letters beyond ASCII become references (in styles, where there are none, MJML's HTML has no such
    letters), which needs no encoding: that is the smallest form of a text that is mostly ASCII, and
    the quickest. Not for a large document, because clients count references as they are written;
    and not if lines would be too long, or look like the separators of mailbox files.
    """
    # The template's own pieces are strings; values are escaped, and so Markup.
    encoded = [_kept(piece) if type(piece) is str else _in_ascii(piece) for piece in pieces]
    octets = b"".join([piece for piece, _ in encoded])
    is_special = any(special for _, special in encoded)
    if (
        len(octets) <= min(_LARGE, sum(map(len, pieces)) * _BASE64)
        and not (is_special and b"\nFrom " in octets)
        and _has_short_lines(octets)
    ):
        return HtmlPart("7bit", octets, len(octets), is_special and has_dots(octets))
    html = "".join(pieces)
    crlf = html.replace("\n", "\r\n").encode()
    quoted = quoted_printable([html])
    based = base64.encodebytes(crlf).replace(b"\n", b"\r\n")
    if len(based) < len(quoted):
        return HtmlPart("base64", based, len(crlf), has_dots=False)
    return HtmlPart("quoted-printable", quoted, len(crlf), has_dots(quoted))


def _in_ascii(piece: str) -> tuple[bytes, bool]:
    """Encode a piece of HTML; tell whether a line of it may begin in a special way."""
    octets = piece.encode("ascii", "xmlcharrefreplace")
    if "\n" in piece:
        return octets.replace(b"\n", b"\r\n"), _SPECIAL.search(piece) is not None
    return octets, piece.startswith((".", "From "))


_kept = lru_cache(maxsize=4000)(_in_ascii)


def has_dots(octets: bytes) -> bool:
    """Return whether a line begins with a dot, which SMTP doubles (RFC 5321 section 4.5.2)."""
    return octets.startswith(b".") or b"\n." in octets


def _has_short_lines(text: bytes) -> bool:
    """Return whether no line has more than 998 octets and CRLF (RFC 5322 section 2.1.1)."""
    begin = 0
    while len(text) - begin > _LONGEST:
        begin = text.rfind(b"\n", begin, begin + _LONGEST + 2) + 1
        if not begin:
            return False
    return True


def quoted_printable(pieces: Sequence[str]) -> bytes:
    """Encode a text in quoted-printable (RFC 2045 section 6.7), line ends as CRLF."""
    if "\r" in (text := "".join(pieces)):
        pieces = [text.replace("\r\n", "\n").replace("\r", "\n")]
    encoded, line = [], ""
    for piece in pieces:
        if "\n" in piece:
            end, whole, begin = _lines(piece)
            encoded += [_quoted(line + end), whole]
            line = begin
        else:
            line += piece
    return b"".join([*encoded, _quoted(line)])


@lru_cache(maxsize=4000)  # what has a line end is mostly the same for many readers
def _lines(piece: str) -> tuple[str, bytes, str]:
    """Return the end of a line, then whole lines and all line ends, and the begin of a line."""
    end, *whole, begin = piece.split("\n")
    return end, b"\r\n".join([b"", *map(_quoted, whole), b""]), begin


@lru_cache(maxsize=4000)
def _quoted(line: str) -> bytes:
    encoded = binascii.b2a_qp(line.encode(), istext=True)
    if encoded.startswith(b".") or b"\n." in encoded:
        encoded = _DOT.sub(rb"\1=2E", encoded)
    return encoded.replace(b"\n", b"\r\n")
