"""Who may post to a webhook: each service signs in its own way."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from digest.inbound.webhook_signatures import (
    has_password,
    is_signed_by_mailgun,
    is_signed_by_sendgrid,
    is_signed_by_sns,
    is_signed_generic,
    is_sns_url,
)

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
SECRET = "correct horse"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:digest"
CERTIFICATE_URL = "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0a1b.pem"
RSA_KEY = rsa.generate_private_key(65537, 2048)


def certificate():
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    built = (
        x509.CertificateBuilder()
        .issuer_name(name)
        .subject_name(name)
        .public_key(RSA_KEY.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
    )
    return built.sign(RSA_KEY, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


CERTIFICATE = certificate()


def from_sns(message="{}", version="2", **changes):
    """A notification as the developer guide of Amazon SNS describes it."""
    fields = {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Subject": "papers",
        "Message": message,
        "Timestamp": "2026-03-02T08:00:00.000Z",
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE_URL,
    }
    names = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
    text = "".join(f"{name}\n{fields[name]}\n" for name in names)
    digest = hashes.SHA256() if version == "2" else hashes.SHA1()
    signature = RSA_KEY.sign(text.encode(), padding.PKCS1v15(), digest)
    return {**fields, "Signature": base64.b64encode(signature).decode(), **changes}


def is_from_sns(fields, fetch=lambda _: CERTIFICATE):
    return is_signed_by_sns(json.dumps(fields).encode(), TOPIC, fetch)


def test_a_notification_of_sns_is_verified():
    assert is_from_sns(from_sns())
    assert is_from_sns(from_sns(version="1"))


@pytest.mark.parametrize(
    "change",
    [
        {"Message": "{ }"},
        {"TopicArn": TOPIC + "2"},
        {"Signature": "AAAA"},
        {"Signature": 1},
        {"Type": "Other"},
        {"SigningCertURL": "https://sns.eu-central-1.amazonaws.com.evil.example/x.pem"},
        {"SigningCertURL": "http://sns.eu-central-1.amazonaws.com/x.pem"},
    ],
)
def test_another_notification_is_not(change):
    assert not is_from_sns(from_sns(**change))


def test_a_certificate_that_cannot_be_got_verifies_nothing():
    def fetch(_):
        raise ValueError("no")

    assert not is_from_sns(from_sns(), fetch)
    assert not is_from_sns(from_sns(), lambda _: b"no certificate")
    assert not is_signed_by_sns(b"[", TOPIC, fetch)


@pytest.mark.parametrize(
    ("url", "is_theirs"),
    [
        (CERTIFICATE_URL, True),
        ("https://sns.cn-north-1.amazonaws.com.cn/x.pem", True),
        ("https://user@sns.eu-central-1.amazonaws.com/x.pem", False),
        ("https://sns.eu-central-1.amazonaws.com:8443/x.pem", False),
        ("https://bucket.s3.amazonaws.com/x.pem", False),
        ("https://[", False),
    ],
)
def test_only_hosts_of_sns_are_asked(url, is_theirs):
    assert is_sns_url(url) is is_theirs


def test_a_request_of_sendgrid_is_verified():
    key = ec.generate_private_key(ec.SECP256R1())
    der = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    public, body = base64.b64encode(der).decode(), b'[{"event":"bounce"}]'
    signature = key.sign(b"1772438400" + body, ec.ECDSA(hashes.SHA256()))
    headers = {
        "x-twilio-email-event-webhook-timestamp": "1772438400",
        "x-twilio-email-event-webhook-signature": base64.b64encode(signature).decode(),
    }
    assert is_signed_by_sendgrid(headers, body, public)
    assert not is_signed_by_sendgrid(headers, body + b" ", public)
    assert not is_signed_by_sendgrid({}, body, public)
    assert not is_signed_by_sendgrid(headers, body, "no key")


def from_mailgun(at=NOW, key=SECRET):
    timestamp, token = str(int(at.timestamp())), "t" * 50
    signature = hmac.new(key.encode(), f"{timestamp}{token}".encode(), hashlib.sha256).hexdigest()
    signed = {"timestamp": timestamp, "token": token, "signature": signature}
    return json.dumps({"signature": signed, "event-data": {}}).encode()


def test_a_request_of_mailgun_is_verified():
    assert is_signed_by_mailgun(from_mailgun(), SECRET, NOW)
    assert not is_signed_by_mailgun(from_mailgun(key="another"), SECRET, NOW)
    assert not is_signed_by_mailgun(from_mailgun(at=NOW - timedelta(days=2)), SECRET, NOW)
    for body in (b"", b"[]", b'{"signature": 1}', b'{"signature": {"timestamp": "x"}}'):
        assert not is_signed_by_mailgun(body, SECRET, NOW)


def test_a_password_is_shown_as_basic_or_bearer():
    basic = base64.b64encode(f"any:{SECRET}".encode()).decode()
    assert has_password({"authorization": f"Basic {basic}"}, SECRET)
    assert has_password({"authorization": f"Bearer {SECRET}"}, SECRET)
    wrong = base64.b64encode(b"any:other").decode()
    for shown in ("", SECRET, f"Basic {wrong}", "Basic ?", "Bearer", f"Digest {SECRET}"):
        assert not has_password({"authorization": shown}, SECRET)


def test_a_program_of_ones_own_signs_the_body_or_shows_the_secret():
    mac = hmac.new(SECRET.encode(), b"{}", hashlib.sha256).hexdigest()
    assert is_signed_generic({"x-signature": f"sha256={mac}"}, b"{}", SECRET)
    assert is_signed_generic({"authorization": f"Bearer {SECRET}"}, b"{}", SECRET)
    assert not is_signed_generic({"x-signature": f"sha256={mac}"}, b"{ }", SECRET)
    assert not is_signed_generic({}, b"{}", SECRET)
