"""Build the MIME message: headers, and the two parts.

RFC 5322 (form), RFC 2919 (List-Id), RFC 2369 and RFC 8058 (List-Unsubscribe), RFC 3834
(Auto-Submitted), RFC 9477 (CFBL-Address).
"""

import hmac
from collections.abc import Sequence
from datetime import datetime
from email.header import Header
from email.headerregistry import Address
from email.utils import format_datetime
from functools import lru_cache

from digest.compose.content import Content
from digest.compose.from_identity import FromIdentity
from digest.compose.transfer_encoding import has_dots, quoted_printable
from digest.model.messages import Envelope, Message
from subscribers.tokens import Purpose

_LINE = 76  # of encoded words (RFC 2047 section 2)


@lru_cache(maxsize=1000)
def encoded_subject(subject: str) -> str:
    """Encode a subject as it stands in its header, folded."""
    if _is_plain(subject) and len(subject) <= _LINE - len("Subject: "):
        return subject
    # Encoded whole or not at all: in the library's mixture of plain and encoded words, the blanks
    # between the two come out doubled.
    charset = "us-ascii" if _is_plain(subject) else "utf-8"
    return Header(subject, charset, _LINE, "Subject").encode(linesep="\r\n")


def _is_plain(subject: str) -> bool:
    """Return whether it can be a header as it is; a line has room for 998 octets (RFC 5322)."""
    fits = len(subject) < 900 and subject.isascii() and subject.isprintable()
    return fits and "=?" not in subject


def build_message(
    content: Content,
    identity: FromIdentity,
    *,
    to: str,
    public_id: str,
    what: str,
    now: datetime,
    campaign: str = "",
) -> Message:
    """Build the message. The same values give the same octets.

    ``what`` names what is sent, once to each subscriber (the day of an edition, say). It and
    ``public_id`` make the Message-ID, which so is the same on every retry. A message with a
    ``campaign`` of its own is about a subscription, not one of the list, and lacks the headers of
    RFC 2369 and RFC 2919.
    """
    envelope = Envelope(identity.bounce_address, to)
    message_id = f"<{_keyed(identity, 'message-id', what, public_id)}@{identity.host}>"
    boundary = f"=_{_keyed(identity, 'boundary', what, public_id)}"
    stream = "account" if campaign else "daily"
    lines = [
        _address("From", identity.name, identity.address),
        f"To: {to}",
        f"Date: {_date(now.replace(microsecond=0))}",
        f"Message-ID: {message_id}",
        f"Subject: {encoded_subject(content.subject)}",
        f"Reply-To: {identity.reply_to}",
        *([] if campaign else _list_headers(public_id, identity)),
        f"Feedback-ID: {campaign or what}:{stream}:{identity.sender_id}",
        f"CFBL-Address: {identity.complaints_address}; report=arf",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        "Content-Type: multipart/alternative;",
        f' boundary="{boundary}"',
        "",
        *_part(boundary, "plain", "quoted-printable"),
    ]
    text, html = quoted_printable(content.text_pieces), content.html_part
    octets = b"".join(
        (
            "\r\n".join(lines).encode(),
            text,
            "\r\n".join(["", *_part(boundary, "html", html.encoding)]).encode(),
            html.octets,
            f"\r\n--{boundary}--\r\n".encode(),
        )
    )
    return Message(envelope, message_id, octets, has_dots=html.has_dots or has_dots(text))


_date = lru_cache(maxsize=10)(format_datetime)


@lru_cache(maxsize=100)
def _address(name: str, display_name: str, address: str) -> str:
    """Write a header with an address of our own."""
    plain = f"{name}: {Address(display_name, addr_spec=address)}"
    if _is_plain(display_name) and len(plain) <= _LINE:
        return plain
    # The standard library's own folding may leave the first line empty.
    encoded = Header(display_name, "utf-8", _LINE, name).encode(linesep="\r\n")
    return f"{name}: {encoded}\r\n <{address}>"


def _list_headers(public_id: str, identity: FromIdentity) -> Sequence[str]:
    """Return what programs read letter by letter: folded between items only, never encoded.

    The standard library would turn a long one into encoded words, which ends one-click.
    """
    list_id = f"List-Id: {_phrase(identity.name)}<daily.{identity.host}>"
    by_mail = f"<{identity.leave_by_mail(public_id)}>"
    if not identity.base_url:
        return list_id, f"List-Unsubscribe: {by_mail}"
    return (
        list_id,
        f"List-Unsubscribe: <{identity.link(Purpose.UNSUBSCRIBE, public_id)}>,",
        f" {by_mail}",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        f"List-Help: <{identity.base_url}/>",
        f"List-Archive: <{identity.base_url}/archive>",
    )


@lru_cache(maxsize=100)
def _phrase(name: str) -> str:
    """Return a name for the List-Id, where it is optional (RFC 2919); "" if it would be encoded."""
    fits = _is_plain(name) and len(name) <= _LINE
    return f"{str(Address(name)).removesuffix(' <>')} " if name and fits else ""


def _part(boundary: str, kind: str, encoding: str) -> Sequence[str]:
    """Return the lines before the content of a part."""
    return (
        f"--{boundary}",
        f'Content-Type: text/{kind}; charset="utf-8"',
        f"Content-Transfer-Encoding: {encoding}",
        "",
        "",
    )


def _keyed(identity: FromIdentity, *what: str) -> str:
    """Return 128 bits of an HMAC-SHA-256 (RFC 2104): stable for us, meaningless for others."""
    text = "\n".join(what).encode()
    return hmac.digest(identity.secret.encode(), text, "sha256").hex()[:32]
