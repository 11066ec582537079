"""Quoted-printable (RFC 2045 section 6.7). Pure."""

import binascii


def quoted_printable(text: str) -> bytes:
    """A text's lines as they stand in a message, line ends as CRLF.

    Each line is encoded by itself: two texts that end with a line end, encoded one after the other,
    are what both together would be.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
    encoded = binascii.b2a_qp(lines.encode("utf-8"), istext=True)
    # Where it finds no line end to go by, it breaks long lines with a bare line feed.
    return encoded if "\n" in lines else encoded.replace(b"\n", b"\r\n")
