"""Verify that a webhook's request comes from the mail service that it names."""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

# Headers by their names in lower case.
Headers = Mapping[str, str]
Fetch = Callable[[str], bytes]

# A signature of Mailgun counts for so long. It does not cover the body; Mailgun tries for 8 hours.
_MAILGUN_SECONDS = 12 * 3600
_SNS_HOST = re.compile(r"sns\.[a-z0-9-]{2,30}\.amazonaws\.com(?:\.cn)?")
_SNS_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type",
    ),
}  # fmt: skip


def has_password(headers: Headers, secret: str) -> bool:
    """Return whether a request shows the secret: as the password of HTTP Basic, or as a bearer."""
    kind, _, shown = headers.get("authorization", "").partition(" ")
    if kind.lower() == "basic":
        try:
            shown = base64.b64decode(shown, validate=True).decode().partition(":")[2]
        except (ValueError, binascii.Error):
            return False
    return kind.lower() in {"basic", "bearer"} and _is_same(shown.strip(), secret)


def is_signed_generic(headers: Headers, body: bytes, secret: str) -> bool:
    """Return whether the body has an HMAC-SHA-256 in X-Signature, or the secret is shown."""
    shown = headers.get("x-signature", "").removeprefix("sha256=")
    mac = hmac.digest(secret.encode(), body, hashlib.sha256).hex()
    return _is_same(shown.lower(), mac) or has_password(headers, secret)


def is_signed_by_mailgun(body: bytes, key: str, now: datetime) -> bool:
    """Return whether Mailgun signed a request: HMAC-SHA-256 over timestamp and token."""
    signature = _object(body).get("signature")
    if not isinstance(signature, dict):
        return False
    timestamp, token, shown = (str(signature.get(name, "")) for name in _MAILGUN)
    if not re.fullmatch(r"\d{9,11}", timestamp, re.ASCII):
        return False
    mac = hmac.digest(key.encode(), f"{timestamp}{token}".encode(), hashlib.sha256).hex()
    is_fresh = abs(now.timestamp() - int(timestamp)) <= _MAILGUN_SECONDS
    return is_fresh and _is_same(shown, mac)


_MAILGUN = ("timestamp", "token", "signature")


def is_signed_by_sendgrid(headers: Headers, body: bytes, public_key: str) -> bool:
    """Return whether SendGrid signed a request: ECDSA over timestamp and body.

    ``public_key`` is in base64, as SendGrid shows it.
    """
    timestamp = headers.get("x-twilio-email-event-webhook-timestamp", "")
    shown = headers.get("x-twilio-email-event-webhook-signature", "")
    try:
        key = serialization.load_der_public_key(base64.b64decode(public_key))
        if not isinstance(key, ec.EllipticCurvePublicKey):
            return False
        key.verify(base64.b64decode(shown), timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def is_signed_by_sns(body: bytes, topic: str, fetch: Fetch) -> bool:
    """Return whether Amazon SNS signed a message of this topic (its ARN).

    Anybody can have a topic of their own, so the signature alone is no proof. ``fetch`` gets the
    certificate, which must be at a host of SNS.
    """
    message = _object(body)
    names = _SNS_SIGNED.get(str(message.get("Type")))
    url = str(message.get("SigningCertURL", ""))
    if names is None or message.get("TopicArn") != topic or not is_sns_url(url):
        return False
    signed = "".join(f"{name}\n{message[name]}\n" for name in names if name in message)
    digest = hashes.SHA256() if message.get("SignatureVersion") == "2" else hashes.SHA1()  # noqa: S303
    try:
        certificate = x509.load_pem_x509_certificate(fetch(url))
        key = certificate.public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            return False
        shown = base64.b64decode(str(message.get("Signature", "")))
        key.verify(shown, signed.encode(), padding.PKCS1v15(), digest)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def is_sns_url(url: str) -> bool:
    """Return whether a URL is one of Amazon SNS itself."""
    try:
        parts = urlsplit(url)
        is_plain = parts.port is None and parts.username is None
    except ValueError:
        return False
    return is_plain and parts.scheme == "https" and bool(_SNS_HOST.fullmatch(parts.netloc))


def _object(body: bytes) -> dict[str, object]:
    """Return the JSON object in a body; an empty one if there is none."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _is_same(shown: str, expected: str) -> bool:
    return hmac.compare_digest(shown.encode(errors="replace"), expected.encode())
