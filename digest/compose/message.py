"""The MIME message: headers, and the two parts.

RFC 5322 (form), RFC 2919 (List-Id), RFC 2369 and RFC 8058 (List-Unsubscribe), RFC 3834
(Auto-Submitted), RFC 9477 (CFBL-Address).
"""

import binascii
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from functools import lru_cache
from typing import Any

from digest.compose.content import Content
from digest.compose.from_identity import FromIdentity
from digest.model.messages import Envelope, Message
from subscribers.tokens import Purpose

# Read by programs, letter by letter. The standard library would turn a long one into an encoded
# word, which ends one-click unsubscribe; these are folded only between their items.
_FOR_PROGRAMS = frozenset(
    {
        "cfbl-address",
        "feedback-id",
        "list-archive",
        "list-help",
        "list-id",
        "list-unsubscribe",
        "list-unsubscribe-post",
        "message-id",
        "to",
    }
)

_LINE = 76  # of encoded words (RFC 2047 section 2) and of quoted-printable (RFC 2045 section 6.7)


class _Policy(EmailPolicy):
    """The standard library's policy, but for the headers that it would write badly."""

    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:
        # As it is: the library would decode what looks like an encoded word in a title or before
        # an @, line ends included, and so let a reader or a paper write headers of its own.
        as_it_is = name in {"Subject", "To"}
        return (name, value) if as_it_is else super().header_store_parse(name, value)

    def fold(self, name: str, value: str) -> str:
        if name.lower() in _FOR_PROGRAMS:
            return f"{name}: " + str(value).replace(", ", ",\r\n ") + "\r\n"
        if name == "Subject":
            return f"{name}: {encoded_subject(value)}\r\n"
        return str(super().fold(name, value))

    def fold_binary(self, name: str, value: str) -> bytes:
        return self.fold(name, value).encode("utf-8" if self.utf8 else "ascii")


@lru_cache(maxsize=1000)
def encoded_subject(subject: str) -> str:
    """Encode a subject as it stands in its header, folded."""
    # Encoded whole or not at all: in the library's mixture of plain and encoded words, the blanks
    # between the two come out doubled.
    charset = "us-ascii" if _is_plain(subject) else "utf-8"
    return Header(subject, charset, _LINE, "Subject").encode(linesep="\r\n")


def _is_plain(subject: str) -> bool:
    """Tell whether it can stand in a header as it is; a line has room for 998 octets (RFC 5322)."""
    fits = len(subject) < 900 and subject.isascii() and subject.isprintable()
    return fits and "=?" not in subject


_POLICY = _Policy(linesep="\r\n", cte_type="7bit", max_line_length=_LINE)
# For addresses beyond ASCII, which no encoded word may stand for (RFC 6532 section 3).
_INTERNATIONAL = _POLICY.clone(utf8=True)


@dataclass(frozen=True, slots=True)
class Own:
    """What is one message's own, beside its content."""

    to: str
    message_id: str
    boundary: str
    unsubscribe_token: str


def own(identity: FromIdentity, *, to: str, public_id: str, what: str) -> Own:
    """``what`` names what is sent, once to each subscriber (the day of an edition, say).

    It and ``public_id`` make the Message-ID, which so is the same on every retry.
    """
    return Own(
        to=to,
        message_id=f"{_keyed(identity, 'message-id', what, public_id)}@{identity.host}",
        boundary=f"=_{_keyed(identity, 'boundary', what, public_id)}",
        unsubscribe_token=identity.tokens.make(Purpose.UNSUBSCRIBE, public_id),
    )


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
    """Make the message. Of the same values, it has the same octets.

    ``what`` is as for ``own``. A message with a ``campaign`` of its own is about a
    subscription, not one of the list, and lacks the headers of RFC 2369 and RFC 2919.
    """
    its = own(identity, to=to, public_id=public_id, what=what)
    octets = write(content, its, identity, what=what, now=now, campaign=campaign)
    return Message(Envelope(identity.bounce_address, to), f"<{its.message_id}>", octets)


def write(
    content: Content,
    its: Own,
    identity: FromIdentity,
    *,
    what: str,
    now: datetime,
    campaign: str = "",
) -> bytes:
    """Write the octets of a message."""
    is_international = Envelope(identity.bounce_address, its.to).is_international
    mail = EmailMessage(policy=_INTERNATIONAL if is_international else _POLICY)
    mail["From"] = Address(display_name=identity.name, addr_spec=identity.address)
    mail["To"] = its.to
    mail["Date"] = now
    mail["Message-ID"] = f"<{its.message_id}>"
    mail["Subject"] = content.subject
    mail["Reply-To"] = Address(addr_spec=identity.reply_to)
    if not campaign:
        _add_list_headers(mail, its.unsubscribe_token, identity)
    mail["Feedback-ID"] = f"{campaign or what}:{'account' if campaign else 'daily'}:paper-digest"
    mail["CFBL-Address"] = f"{identity.complaints_address}; report=arf"
    mail["Auto-Submitted"] = "auto-generated"
    mail["MIME-Version"] = "1.0"
    mail["Content-Type"] = "multipart/alternative"
    mail.set_boundary(its.boundary)
    mail.attach(_part("plain", content.text))
    mail.attach(_part("html", content.html))
    return mail.as_bytes()


def _add_list_headers(mail: EmailMessage, token: str, identity: FromIdentity) -> None:
    mail["List-Id"] = f"Paper Digest <daily.{identity.host}>"
    mail["List-Unsubscribe"] = (
        f"<{identity.base_url}/{Purpose.UNSUBSCRIBE}/{token}>, "
        f"<mailto:{identity.unsubscribe_address}?subject={token}>"
    )
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail["List-Help"] = f"<{identity.base_url}/>"
    mail["List-Archive"] = f"<{identity.base_url}/archive>"


def _part(kind: str, text: str) -> EmailMessage:
    part = EmailMessage(policy=_POLICY)
    part["Content-Type"] = f'text/{kind}; charset="utf-8"'
    part["Content-Transfer-Encoding"] = "quoted-printable"
    part.set_payload(quoted_printable(text).decode("ascii"))
    return part


def quoted_printable(text: str) -> bytes:
    """Encode a text in quoted-printable (RFC 2045 section 6.7), line ends as CRLF.

    Each line is encoded by itself: two texts that end with a line end, encoded one after the other,
    are what both together would be.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
    encoded = binascii.b2a_qp(lines.encode("utf-8"), istext=True)
    # Where it finds no line end to go by, it breaks long lines with a bare line feed.
    return encoded if "\n" in lines else encoded.replace(b"\n", b"\r\n")


def _keyed(identity: FromIdentity, *what: str) -> str:
    """Return 128 bits of an HMAC-SHA-256 (RFC 2104): stable for us, meaningless for others."""
    text = "\n".join(what).encode()
    return hmac.new(identity.secret.encode(), text, hashlib.sha256).hexdigest()[:32]
