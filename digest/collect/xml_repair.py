"""Repair a feed that is not well-formed XML, so that one bad entry costs itself only. Pure."""

import codecs
import re

MOST_ENTRIES = 20_000

# An ampersand that begins none of XML's own references: "AT&T", "&nbsp;".
_LOOSE_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9A-Fa-f]{1,6});)")
_REFERENCE = re.compile(r"&#(?:x([0-9A-Fa-f]+)|(\d+));")
# XML 1.0, section 2.2: all but these may stand in a document.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_STRAY_OCTET = re.compile("[\udc80-\udcff]")  # as Python's "surrogateescape" names them
_ROOT = re.compile(r"<(rss|feed)\b[^<>]{0,2000}>")
_ENTRY = re.compile(r"(?=<(?:item|entry)[\s>])")
_END = re.compile(r"</(?:item|entry)\s*>")


def repaired_entries(xml: bytes) -> list[bytes]:
    """Return the entries of a feed, each as the only one of a document; [] for no usual feed.

    Octets that are no UTF-8 are read as Latin-1, illegal characters left out, and ampersands that
    begin nothing escaped. One that is still not well formed must be rejected by the caller: it was
    broken off, or has tags that do not match. A document type, which could define anything, is
    refused.
    """
    text = xml.removeprefix(codecs.BOM_UTF8).decode("utf-8", "surrogateescape")
    text = _STRAY_OCTET.sub(lambda octet: chr(ord(octet[0]) - 0xDC00), text)
    root = _ROOT.search(text)
    if root is None or "<!DOCTYPE" in text:
        return []
    text = _ILLEGAL.sub("", _REFERENCE.sub(_legal, _LOOSE_AMPERSAND.sub("&amp;", text)))
    _, *found = _ENTRY.split(text, MOST_ENTRIES + 1)
    entries = []
    for entry in found if len(found) <= MOST_ENTRIES else ():
        end = _END.search(entry)
        whole = entry[: end.end()] if end else entry
        entries.append(f"{root[0]}{whole}</{root[1]}>".encode())
    return entries


def _legal(reference: re.Match[str]) -> str:
    number = int(reference[1], 16) if reference[1] else int(reference[2])
    is_legal = number <= 0x10FFFF and not _ILLEGAL.match(chr(number))
    return reference[0] if is_legal else ""
