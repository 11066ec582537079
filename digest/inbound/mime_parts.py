"""Extract the parts of a message that count: headers, its own text, what it returns. Pure.

The cost is bounded: only the beginning of a message is looked at, and only so many parts.
A report says what it has to say before the message that it returns.
"""

import codecs
import html
from collections.abc import Iterator
from contextlib import suppress
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesParser
from re import IGNORECASE
from re import compile as regex

_MOST_OCTETS = 512 * 1024
_MOST_LINES = 20_000
# A field, with the lines it is folded into; and any line. Taking parameters apart costs the
# square of their length.
_LONGEST_FIELD = 8192
_LONGEST_HEADER = 2000
_MOST_CONTAINERS = 60
_CONTAINER = regex(rb"^content-type:\s*(?:multipart|message)/", IGNORECASE)
_BEFORE_HEADER = regex(rb"\A(?:[ \t]*\r?\n)+(?:>?From [^\n]*\n)?|\A>?From [^\n]*\n")
_ESCAPE = b"\x1b"
# What may be in a text that does not say in what it is written, or says that it is ASCII.
_UNNAMED = frozenset({"ascii", "utf-8"})
# How the typographically minded write "couldn't".
_APOSTROPHE = "\N{RIGHT SINGLE QUOTATION MARK}"
# These decode in quadratic time, and no mail is written in them.
_SLOW_CHARSETS = frozenset({"idna", "punycode"})
_FIELDS = frozenset({"message/delivery-status", "message/global-delivery-status"})
_HEADERS = frozenset({"text/rfc822-headers", "message/global-headers"})
# No pattern here looks past the next tag, so that none is tried twice on the same text.
_UNREAD = regex(r"<!--[^<>]*-->|<(?:style|script|title)\b[^<>]*>[^<]*", IGNORECASE)
_NEW_LINE = regex(r"</?(?:p|div|br|tr|li|ul|ol|h[1-6]|pre|hr|table)\b[^<>]*>", IGNORECASE)
# Some notices write an address in its brackets without escaping them.
_TAG = regex(r"<(?![^<>@\s]+@[^<>@\s]+>)[^<>]*>")
_BETWEEN = regex(r"\n[ \t]*\n")
_FOLD = regex(r"\n[ \t]+")
_FIELD = regex(r"^\s*([A-Za-z][A-Za-z0-9-]{0,60})[ \t]*:[ \t]*(.*)$")

# The values of each field in a block, by its name in lower case.
Block = dict[str, list[str]]


def open_mail(content: bytes, most_lines: int = _MOST_LINES) -> Message:
    """Parse the beginning of a message; the result is empty if it is nested too deep."""
    # Before the header, some mailboxes and programs leave blank lines, or an mbox's "From ".
    begun = _BEFORE_HEADER.sub(b"", content[:_MOST_OCTETS], count=1)
    lines = list(_bounded_lines(begun, most_lines))
    if sum(1 for line in lines if _CONTAINER.match(line)) > _MOST_CONTAINERS:
        return Message()
    return BytesParser().parsebytes(b"".join(lines))


def header(mail: Message, name: str) -> str:
    """Return a header decoded, in one line; empty if there is none."""
    values = (value for key, value in mail.raw_items() if key.lower() == name.lower())
    raw = _utf8(str(next(values, ""))[:_LONGEST_HEADER])
    # A text that cannot be decoded stays as it is.
    with suppress(HeaderParseError, LookupError, UnicodeError, ValueError):
        raw = str(make_header(decode_header(raw)))
    return " ".join(raw.split())


def notice(mail: Message) -> str:
    """Return the message's own words: its texts before a message that it carries."""
    texts: list[str] = []
    for part in _leaves(mail):
        if part.get_content_maintype() == "message" or part.get_content_type() in _HEADERS:
            break
        # A multipart without parts has lost its boundary: its text is all there is.
        if part.get_content_maintype() in {"text", "multipart"} or part is mail:
            texts.append(_text(part))
    return "\n".join(texts).replace(_APOSTROPHE, "'")


def delivery_status(mail: Message) -> Iterator[str]:
    """Yield the machine-readable part of each report in the mail (RFC 3464, RFC 6533), as text.

    Reports inside a message that is returned are not this mail's.
    """
    for part in _leaves(mail):
        if part.get_content_type() in _FIELDS:
            yield _decoded(part)


def feedback(mail: Message) -> list[Block]:
    """Return the machine-readable part of each complaint in the mail (RFC 5965)."""
    parts = (part for part in _leaves(mail) if part.get_content_type() == "message/feedback-report")
    return [block for part in parts for block in blocks_in(_decoded(part))]


def returned(mail: Message) -> Message | None:
    """Return the message that the mail returns, or at least its headers."""
    for part in _leaves(mail):
        if part.get_content_type() == "message/rfc822" and part.is_multipart():
            return _children(part)[0]
        if part.get_content_type() in _HEADERS | {"message/rfc822"}:
            return BytesParser().parsebytes(_text(part).encode(), headersonly=True)
    return None


def without_returned(mail: Message) -> Message:
    """Return the message without every message that it carries."""
    for part in _leaves(mail):
        if part is not mail and part.get_content_type() == "message/rfc822":
            part.set_payload("")
            part.set_type("text/plain")
    return mail


def _bounded_lines(content: bytes, most_lines: int) -> Iterator[bytes]:
    """Yield the first lines; long ones are cut, and so are fields folded into many lines."""
    folded = 0
    for number, line in enumerate(content.splitlines(keepends=True)):
        if number == most_lines:
            return
        folded = folded + len(line) if line[:1] in {b" ", b"\t"} else len(line)
        if folded <= _LONGEST_FIELD:
            yield line
        elif folded == len(line):
            yield line[:_LONGEST_FIELD] + b"\n"


def _leaves(mail: Message) -> Iterator[Message]:
    """Yield the parts that are not multipart, in order; a message inside is one leaf."""
    if mail.get_content_maintype() == "multipart" and mail.is_multipart():
        readable = mail.get_content_type() == "multipart/alternative"
        for part in _plainest(_children(mail)) if readable else _children(mail):
            yield from _leaves(part)
    else:
        yield mail


def _plainest(parts: list[Message]) -> list[Message]:
    """Return the plain text of several alternatives, unless it says nothing."""
    plain = [part for part in parts if part.get_content_type() == "text/plain"]
    return plain if any(_text(part).strip() for part in plain) else parts


def _children(mail: Message) -> list[Message]:
    inside = mail.get_payload()
    return (
        [child for child in inside if isinstance(child, Message)]
        if isinstance(inside, list)
        else []
    )


def _text(part: Message) -> str:
    octets = part.get_payload(decode=True)
    if not isinstance(octets, bytes):
        return _decoded(part)
    text = _characters(octets, part.get_param("charset"))
    return _text_of_html(text) if part.get_content_type() == "text/html" else text


def _characters(octets: bytes, named: object) -> str:
    charset = "utf-8"
    with suppress(LookupError, ValueError):
        charset = codecs.lookup(str(named or "utf-8")).name
    candidates = [charset] if charset not in _SLOW_CHARSETS else []
    if charset in _UNNAMED:
        # Seven bits that were not announced as what they are, and the oldest eight bits of Japan.
        candidates = [*(["iso-2022-jp"] if _ESCAPE in octets else []), "utf-8", "euc_jp"]
    for candidate in candidates:
        with suppress(LookupError, UnicodeError, ValueError):
            return octets.decode(candidate)
    return octets.decode("utf-8" if named else "latin-1", errors="replace")


def _decoded(part: Message) -> str:
    """Return the text of a part with fields, which the parser takes for messages."""
    blocks = "\n\n".join(_as_text(child).strip("\n") for child in _children(part))
    text = blocks or _utf8(str(part.get_payload()))
    encoding = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
    if encoding not in {"base64", "quoted-printable"}:
        return text
    inner = Message()
    inner["Content-Transfer-Encoding"] = encoding
    inner.set_payload(text.strip("\n"))
    octets = inner.get_payload(decode=True)
    return _characters(octets, None) if isinstance(octets, bytes) else text


def _as_text(block: Message) -> str:
    fields = "\n".join(f"{name}: {value}" for name, value in block.raw_items())
    octets = block.get_payload(decode=True)
    body = _characters(octets, "utf-8") if isinstance(octets, bytes) else ""
    text = _utf8(fields)
    return f"{text}\n\n{body}" if body.strip() else text


def _utf8(text: str) -> str:
    """Decode octets beyond ASCII, which the parser keeps as surrogates (RFC 6532)."""
    return _characters(text.encode(errors="surrogateescape"), "utf-8")


def _text_of_html(markup: str) -> str:
    """Return the text of a page as lines, roughly and in linear time."""
    lines = _NEW_LINE.sub("\n", _UNREAD.sub("", markup))
    return html.unescape(_TAG.sub("", lines)).replace("\xa0", " ")


def blocks_in(text: str) -> list[Block]:
    """Return each block of fields (RFC 3464 section 2.1); lines that are none are left out."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    blocks = [_block(_FOLD.sub(" ", part)) for part in _BETWEEN.split(lines)]
    return [block for block in blocks if block]


def first(block: Block, name: str) -> str:
    return next(iter(block.get(name, ())), "").strip()


def _block(text: str) -> Block:
    block: Block = {}
    for line in text.split("\n"):
        if match := _FIELD.match(line):
            block.setdefault(match[1].lower(), []).append(match[2])
    return block
