"""The MIME message: headers, and the two parts.

RFC 5322 (form), RFC 2919 (List-Id), RFC 2369 and RFC 8058 (List-Unsubscribe), RFC 3834
(Auto-Submitted), RFC 9477 (CFBL-Address).
"""

import hashlib
import hmac
from datetime import datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from typing import Any

from digest.compose.content import Content
from digest.compose.sender import Sender
from digest.model import Envelope, Message
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
            # Encoded whole or not at all: in the library's mixture of plain and encoded words,
            # the blanks between the two come out doubled.
            charset = "us-ascii" if _is_plain(value) else "utf-8"
            encoded = Header(value, charset, _LINE, name).encode(linesep="\r\n")
            return f"{name}: {encoded}\r\n"
        return str(super().fold(name, value))

    def fold_binary(self, name: str, value: str) -> bytes:
        return self.fold(name, value).encode("utf-8" if self.utf8 else "ascii")


def _is_plain(subject: str) -> bool:
    """Whether it can stand in a header as it is; a line has room for 998 octets (RFC 5322)."""
    fits = len(subject) < 900 and subject.isascii() and subject.isprintable()
    return fits and "=?" not in subject


_POLICY = _Policy(linesep="\r\n", cte_type="7bit", max_line_length=_LINE)
# For addresses beyond ASCII, which no encoded word may stand for (RFC 6532 section 3).
_INTERNATIONAL = _POLICY.clone(utf8=True)


def build_message(
    content: Content,
    sender: Sender,
    *,
    to: str,
    public_id: str,
    what: str,
    now: datetime,
    campaign: str = "",
) -> Message:
    """The finished message. Made of the same values, it has the same octets.

    ``what`` names what is sent, once to each subscriber (the day of an edition, say): it and
    ``public_id`` make the Message-ID, which so is the same on every retry. A message with a
    ``campaign`` of its own is no mail of the list but about a subscription, and lacks the headers
    of RFC 2369 and RFC 2919.
    """
    message_id = f"<{_keyed(sender, 'message-id', what, public_id)}@{sender.host}>"
    envelope = Envelope(sender.bounce_address, to)
    mail = EmailMessage(policy=_INTERNATIONAL if envelope.is_international else _POLICY)
    mail["From"] = Address(display_name=sender.name, addr_spec=sender.address)
    mail["To"] = to
    mail["Date"] = now
    mail["Message-ID"] = message_id
    mail["Subject"] = content.subject
    mail["Reply-To"] = Address(addr_spec=sender.reply_to)
    if not campaign:
        _add_list_headers(mail, sender, public_id)
    mail["Feedback-ID"] = f"{campaign or what}:{'account' if campaign else 'daily'}:paper-digest"
    mail["CFBL-Address"] = f"{sender.complaints_address}; report=arf"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(content.text, cte="quoted-printable")
    # MJML puts a document of 60 KB on few lines; quoted-printable keeps RFC 5322's 998 octets.
    mail.add_alternative(content.html, subtype="html", cte="quoted-printable")
    mail.set_boundary(f"=_{_keyed(sender, 'boundary', what, public_id)}")
    return Message(envelope, message_id, mail.as_bytes())


def _add_list_headers(mail: EmailMessage, sender: Sender, public_id: str) -> None:
    token = sender.tokens.make(Purpose.UNSUBSCRIBE, public_id)
    mail["List-Id"] = f"Paper Digest <daily.{sender.host}>"
    mail["List-Unsubscribe"] = (
        f"<{sender.link(Purpose.UNSUBSCRIBE, public_id)}>, "
        f"<mailto:{sender.unsubscribe_address}?subject={token}>"
    )
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail["List-Help"] = f"<{sender.base_url}/>"
    mail["List-Archive"] = f"<{sender.base_url}/archive>"


def _keyed(sender: Sender, *what: str) -> str:
    """HMAC-SHA-256 (RFC 2104), 128 bits of it: stable for us, meaningless for others."""
    text = "\n".join(what).encode()
    return hmac.new(sender.secret.encode(), text, hashlib.sha256).hexdigest()[:32]
