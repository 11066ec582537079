"""Read notifications of Amazon SES, as its SNS sends them by mail: JSON in the text. Pure.

They tell of failures and complaints that SES does not pass on as mail. Its documentation, "Amazon
SNS notification contents for Amazon SES", names their fields.
"""

import json
import re
from dataclasses import replace
from email.message import Message
from typing import Any

from digest.inbound.addresses import addresses_in
from digest.inbound.diagnostic_text import recipient
from digest.inbound.mime_parts import header, notice
from digest.inbound.report import Kind, Recipient, Report
from digest.model.diagnosis import Cause, Diagnosis, Scope

_SENDER = re.compile(r"@sns\.amazonaws\.com(?:\.cn)?>?$", re.IGNORECASE)
_NOT_SPAM = "not-spam"
# A failure that SES calls so is not worth another try; all others are.
_PERMANENT = "Permanent"
_REFUSED_BY_SES = Diagnosis(Cause.DEAD, Scope.ADDRESS, "Amazon SES: suppression list")
_MAY_PASS = Diagnosis(Cause.TRANSIENT, Scope.ADDRESS, "Amazon SES: bounce types")

# What JSON has in braces.
Fields = dict[str, Any]


def notification_in(mail: Message) -> Report | None:
    """Return what a notification reports; None if the mail is none."""
    return report_of(_notification(mail))


def report_of(fields: Fields) -> Report | None:
    """Return what the fields of a notification report, if anything."""
    kind = fields.get("notificationType") or fields.get("eventType")
    if kind == "Bounce":
        return _bounce(_dict(fields.get("bounce")))
    if kind == "Complaint":
        return _complaint(_dict(fields.get("complaint")))
    if kind == "DeliveryDelay":
        delayed = _all_of(_dict(fields.get("deliveryDelay")), "delayedRecipients")
        return Report(Kind.DELAYED, waiting=tuple(address for address, _ in delayed))
    return None


def source_in(mail: Message) -> str:
    """Return the envelope sender of the mail that a notification is about, if it is one."""
    return source_of(_notification(mail))


def source_of(fields: Fields) -> str:
    """Return the envelope sender that the fields of a notification name."""
    return _text(_dict(fields.get("mail")), "source")


def _notification(mail: Message) -> Fields:
    if not _SENDER.search(header(mail, "From")):
        return {}
    fields = _fields(notice(mail))
    # Its raw form stands in an envelope, as text.
    return _fields(fields.get("Message")) or fields


def _bounce(bounce: Fields) -> Report:
    is_permanent = bounce.get("bounceType") == _PERMANENT
    bounced = _all_of(bounce, "bouncedRecipients")
    found = tuple(_recipient(address, one, is_permanent) for address, one in bounced)
    return Report(Kind.SOFT, found)


def _recipient(address: str, one: Fields, is_permanent: bool) -> Recipient:
    """Return one address; without a quoted reply, SES has refused it itself, as dead."""
    _, is_quoted, said = _text(one, "diagnosticCode").rpartition("smtp;")
    read = recipient(address, said.strip(), _text(one, "status"))
    if not is_permanent:
        return replace(read, diagnosis=_MAY_PASS)
    return read if is_quoted else replace(read, diagnosis=_REFUSED_BY_SES)


def _complaint(complaint: Fields) -> Report:
    why = _text(complaint, "complaintFeedbackType") or "abuse"
    complained = [address for address, _ in _all_of(complaint, "complainedRecipients")]
    if why == _NOT_SPAM:
        return Report(Kind.UNKNOWN)
    return Report(
        Kind.COMPLAINT, tuple(Recipient(address, diagnostic=why) for address in complained)
    )


def _all_of(fields: Fields, name: str) -> list[tuple[str, Fields]]:
    """Return the addresses under this name, each with what stands with it."""
    listed = fields.get(name)
    items = [_dict(one) for one in listed] if isinstance(listed, list) else []
    return [(address, one) for one in items for address in addresses_in(_text(one, "emailAddress"))]


def _fields(text: object) -> Fields:
    """Return the JSON at the beginning of a text. Mail servers break its long line anywhere."""
    if not isinstance(text, str):
        return {}
    try:
        return _dict(json.JSONDecoder(strict=False).raw_decode(text.lstrip())[0])
    except (ValueError, RecursionError):
        return {}


def _dict(value: object) -> Fields:
    return value if isinstance(value, dict) else {}


def _text(fields: Fields, name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""
