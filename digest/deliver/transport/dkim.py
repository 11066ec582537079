"""DKIM signatures: RFC 6376, with the algorithms of RFC 8301 and RFC 8463. Pure.

A signature says that the domain in From answers for the octets that it covers. These are the body
and the headers that a reader or a mail program goes by, and of each of them one more than there is:
so whoever adds a second List-Unsubscribe breaks the signature (RFC 6376 section 8.15).
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from digest.model.messages import Message

PrivateKey = RSAPrivateKey | Ed25519PrivateKey

# Covered whether there or not (RFC 6376 section 5.4.1); of these, servers on the way add none.
SIGNED = (
    "From", "Sender", "Reply-To", "To", "Cc", "Subject", "Date", "Message-ID", "In-Reply-To",
    "References", "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
    "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "List-Help", "List-Archive",
    "List-Subscribe", "List-Post", "List-Owner", "Feedback-ID", "CFBL-Address", "CFBL-Feedback-ID",
    "Auto-Submitted",
)  # fmt: skip

_KNOWN = {name.lower() for name in SIGNED}
_LINE = 76
_NAME = "DKIM-Signature"
_FIELD_ENDS = re.compile(rb"\r\n(?![ \t])")
_SPACES = re.compile(rb"  +")

_Fields = Mapping[str, list[bytes]]


def relaxed_header(name: str, value: bytes) -> bytes:
    """Return a header as it is hashed, without a line end (RFC 6376 section 3.4.2).

    ``value`` is what stands behind the colon, folded or not.
    """
    unfolded = value.replace(b"\r\n", b"")
    return name.lower().encode() + b":" + _single_spaces(unfolded).strip(b" ")


def relaxed_body(body: bytes) -> bytes:
    """Return a body as it is hashed (RFC 6376 section 3.4.4); all its line ends are CRLF."""
    if not body.endswith(b"\r\n"):
        body += b"\r\n"  # as the transport will
    body = _single_spaces(body).replace(b" \r\n", b"\r\n").rstrip(b"\r\n")
    return body + b"\r\n" if body else b""


def _single_spaces(octets: bytes) -> bytes:
    """Write every run of spaces and tabs as one space."""
    # One expression for both ([ \t]+) takes twenty times as long for a mail.
    return _SPACES.sub(b" ", octets.replace(b"\t", b" "))


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key, and the selector under which receivers find its public half."""

    selector: str
    private: PrivateKey

    @property
    def kind(self) -> str:
        """As in the tag k= of the DNS record."""
        return "rsa" if isinstance(self.private, RSAPrivateKey) else "ed25519"

    def sign(self, octets: bytes) -> bytes:
        if isinstance(self.private, RSAPrivateKey):
            return self.private.sign(octets, PKCS1v15(), SHA256())
        # RFC 8463 section 3: what Ed25519 signs is the hash, not the octets.
        return self.private.sign(sha256(octets).digest())


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs in a domain's name, once with each key.

    ``domain`` is that of From, a host of other letters in its xn-- form (RFC 8616 allows it in each
    message). ``valid_for`` is for how long a receiver is to trust a signature; None: for ever.
    """

    domain: str
    keys: tuple[SigningKey, ...]
    valid_for: timedelta | None = None

    def sign(self, message: Message, now: datetime) -> Message:
        """Put a DKIM-Signature of every key before everything else."""
        head, _, body = message.content.partition(b"\r\n\r\n")
        fields = _fields(head)
        names = _covered(fields)
        headers = b"".join(relaxed + b"\r\n" for relaxed in _last_first(names, fields))
        body_hash = b64encode(sha256(relaxed_body(body)).digest()).decode()
        signatures = [self._signature(key, names, headers, body_hash, now) for key in self.keys]
        return replace(message, content=b"".join([*signatures, message.content]))

    def _signature(
        self, key: SigningKey, names: list[str], headers: bytes, body_hash: str, now: datetime
    ) -> bytes:
        """Return the header with the signature of one key, with its line end."""
        tags = [
            " v=1;",
            f" a={key.kind}-sha256;",
            " c=relaxed/relaxed;",
            f" d={self.domain};",
            f" s={key.selector};",
            f" t={int(now.timestamp())};",
        ]
        if self.valid_for is not None:
            tags.append(f" x={int((now + self.valid_for).timestamp())};")
        tags += [" h=", *(f"{name}:" for name in names[:-1]), f"{names[-1]};"]
        tags += [f" bh={body_hash};", " b="]
        value = _folded(tags)
        # The header is covered by itself, as it is while b= is empty (RFC 6376 section 3.7).
        signed = key.sign(headers + relaxed_header(_NAME, value))
        return _NAME.encode() + b":" + value + _in_lines(b64encode(signed)) + b"\r\n"


def _fields(head: bytes) -> _Fields:
    """Read what stands behind the colons, by name in small letters, in its order."""
    fields: dict[str, list[bytes]] = {}
    for field in _FIELD_ENDS.split(head):
        name, _, value = field.partition(b":")
        fields.setdefault(name.decode("ascii", "replace").strip().lower(), []).append(value)
    return fields


def _covered(fields: _Fields) -> list[str]:
    """Return the names for h=, each once more than it is there (RFC 6376 section 5.4.2)."""
    others = [name for name in fields if name.startswith("list-") and name not in _KNOWN]
    return [
        name
        for name in (*SIGNED, *others)
        for _ in range(len(fields.get(name.lower(), ())) + 1)
    ]  # fmt: skip


def _last_first(names: Iterable[str], fields: _Fields) -> Iterable[bytes]:
    """Yield the headers of h= as they are hashed: of several with one name the last comes first.

    A name without a header that is left stands for nothing at all (RFC 6376 section 5.4.2).
    """
    left = {name: list(values) for name, values in fields.items()}
    for name in names:
        if values := left.get(name.lower()):
            yield relaxed_header(name, values.pop())


def _folded(tags: Iterable[str]) -> bytes:
    """Fold the tags behind the header's name, between them only (RFC 6376 section 3.2)."""
    lines = [f"{_NAME}:"]
    for tag in tags:
        if len(lines[-1]) + len(tag) > _LINE:
            lines.append(f" {tag.lstrip()}")
        else:
            lines[-1] += tag
    return "\r\n".join(lines).encode().removeprefix(f"{_NAME}:".encode())


def _in_lines(base64: bytes) -> bytes:
    """Break base64 into lines of their own, below the tag."""
    width = _LINE - 1
    return b"".join(
        b"\r\n " + base64[start : start + width] for start in range(0, len(base64), width)
    )
