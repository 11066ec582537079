"""A reader of finished mail that shares no code with the one that writes it.

RFC 5322 headers, RFC 2045 and 2046 parts, RFC 2047 words: as much as our own mail needs, and
strict, so that what it takes is well formed. Not the standard library's email package, which
forgives what mail servers do not.
"""

import base64
import quopri
import re
from dataclasses import dataclass

_HEADER = re.compile(r"([!-9;-~]+): ?(.*)", re.DOTALL)
_WORD = re.compile(r"=\?utf-8\?([bq])\?([!->@-~]*)\?=", re.IGNORECASE)
_REFERENCE = re.compile(r"&#([0-9]+);")


@dataclass(frozen=True)
class RawPart:
    """Headers in their order, unfolded, and the body's octets as they stand."""

    headers: list[tuple[str, str]]
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def one(self, name: str) -> str:
        (value,) = self.all(name)
        return value

    @property
    def parts(self) -> list["RawPart"]:
        boundary = re.fullmatch(r'multipart/\w+; boundary="([^"]+)"', self.one("Content-Type"))
        assert boundary, "no multipart"
        pieces = (b"\r\n" + self.body).split(b"\r\n--" + boundary[1].encode())
        assert pieces[0] == b"", "something stands before the first part"
        assert pieces[-1] == b"--\r\n", "no end"
        return [read(piece.removeprefix(b"\r\n")) for piece in pieces[1:-1]]

    @property
    def text(self) -> str:
        """The text of a part; references to letters beyond ASCII as the letters."""
        encoding = self.one("Content-Transfer-Encoding")
        longest = max(map(len, self.body.split(b"\r\n")))
        if encoding == "7bit":
            assert self.body.isascii()
            assert longest <= 998, "a long line (RFC 5322, 2.1.1)"
            return _REFERENCE.sub(_letter, self.body.decode("ascii").replace("\r\n", "\n"))
        assert longest <= 76, "a long line (RFC 2045, 6.7 and 6.8)"
        decode = {"quoted-printable": quopri.decodestring, "base64": base64.b64decode}[encoding]
        return decode(self.body).decode("utf-8").replace("\r\n", "\n")


def _letter(reference: re.Match[str]) -> str:
    number = int(reference[1])
    return chr(number) if number > 127 else reference[0]


def read(content: bytes, charset: str = "ascii") -> RawPart:
    """A message, or a part of one; ``charset`` is that of its headers (utf-8 by RFC 6532)."""
    head, blank, body = content.partition(b"\r\n\r\n")
    assert blank, "no blank line after the headers"
    unfolded = re.sub(r"\r\n(?=[ \t])", "", head.decode(charset))
    found = [_HEADER.fullmatch(line) for line in unfolded.split("\r\n")]
    assert all(found), f"no header: {unfolded!r}"
    assert "\r" not in unfolded.replace("\r\n", "")
    return RawPart([(header[1], header[2]) for header in found if header], body)


def decoded(header: str) -> str:
    """A header with its encoded words as text; blanks between two such words do not count."""
    joined = re.sub(r"(\?=)\s+(?==\?)", r"\1", header)
    octets = _WORD.sub(lambda word: _octets(word[1], word[2]).decode("utf-8"), joined)
    assert all(len(word[0]) <= 75 for word in _WORD.finditer(header)), "a long word (RFC 2047, 2)"
    return octets


def _octets(encoding: str, text: str) -> bytes:
    if encoding.lower() == "b":
        return base64.b64decode(text, validate=True)
    return quopri.decodestring(text.replace("_", " ").encode())
