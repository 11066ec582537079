"""Read what mail services report by webhook: bounces and complaints. Pure.

Each function follows the form that the service documents, and returns the events in one request.
What it does not know it leaves out.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from digest.inbound import amazon
from digest.inbound.diagnostic_text import diagnosed, recipient
from digest.inbound.diagnostics import Table
from digest.inbound.report import Kind, Recipient, Report
from digest.model.diagnosis import Cause, Diagnosis, Scope

_MOST_EVENTS = 2000  # in one request

# What JSON has in braces.
Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """A bounce (SOFT, until it is diagnosed, or HARD) or a complaint about one address.

    ``sender`` is the envelope sender of the mail, if the service tells it. ``is_permanent`` is what
    the service makes of it.
    """

    kind: Kind
    recipient: Recipient
    sender: str = ""
    is_permanent: bool = False


def diagnosed_event(event: Event, service: str, table: Table) -> Event:
    """Return an event with what it means.

    The server's words decide; where they say nothing, the service does. What it calls temporary
    kills no address.
    """
    [read] = diagnosed(Report(event.kind, (event.recipient,)), table).recipients
    diagnosis = read.diagnosis
    if event.kind is not Kind.SOFT or diagnosis is None:
        return event
    if event.is_permanent and diagnosis.cause is Cause.UNKNOWN:
        diagnosis = Diagnosis(Cause.DEAD, Scope.ADDRESS, service)
    elif not event.is_permanent and diagnosis.is_dead:
        diagnosis = Diagnosis(Cause.TRANSIENT, Scope.ADDRESS, service)
    kind = Kind.HARD if diagnosis.is_dead else Kind.SOFT
    return replace(event, kind=kind, recipient=replace(read, diagnosis=diagnosis))


def events_in(service: str, value: object) -> list[Event]:
    """Return the events in the JSON value that a service has posted."""
    items = value if isinstance(value, list) else [value]
    read = READERS[service]
    found = (event for item in items[:_MOST_EVENTS] for event in read(_dict(item)))
    return [event for event in found if "@" in event.recipient.address]


def _ses(fields: Fields) -> Iterator[Event]:
    """Amazon SES, in the Message of an SNS notification, which is JSON in a text."""
    report = amazon.report_of(fields)
    for one in report.recipients if report else ():
        kind = Kind.COMPLAINT if report and report.kind is Kind.COMPLAINT else Kind.SOFT
        is_permanent = one.diagnosis is None or one.diagnosis.is_dead
        yield Event(kind, one, amazon.source_of(fields), is_permanent)


_POSTMARK_DEAD = frozenset({"HardBounce", "BadEmailAddress"})
_POSTMARK_SOFT = frozenset({"Transient", "DnsError", "SoftBounce", "Blocked", "SpamNotification"})


def _postmark(fields: Fields) -> Iterator[Event]:
    kind, address = _text(fields, "Type"), _text(fields, "Email")
    said = _text(fields, "Details") or _text(fields, "Description")
    if _text(fields, "RecordType") == "SpamComplaint" or kind == "SpamComplaint":
        yield _complaint(address)
    elif kind in _POSTMARK_DEAD | _POSTMARK_SOFT | {"DMARCPolicy"}:
        yield _bounce(address, said, is_permanent=kind in _POSTMARK_DEAD)


# Why SendGrid has not even tried: what it knows of the address from before.
_SENDGRID_DROPPED = {"Bounced Address": True, "Invalid": True, "Spam Reporting Address": False}


def _sendgrid(fields: Fields) -> Iterator[Event]:
    event, address, said = (_text(fields, name) for name in ("event", "email", "reason"))
    if event == "spamreport":
        yield _complaint(address)
    elif event == "bounce":
        is_permanent = _text(fields, "type") == "bounce"
        yield _bounce(address, said, _text(fields, "status"), is_permanent=is_permanent)
    elif event == "dropped" and said in _SENDGRID_DROPPED:
        is_bounce = _SENDGRID_DROPPED[said]
        yield _bounce(address, "", is_permanent=True) if is_bounce else _complaint(address)


def _mailgun(fields: Fields) -> Iterator[Event]:
    data = _dict(fields.get("event-data"))
    status, address = _dict(data.get("delivery-status")), _text(data, "recipient")
    sender = _text(_dict(data.get("envelope")), "sender")
    if _text(data, "event") == "complained":
        yield replace(_complaint(address), sender=sender)
    elif _text(data, "event") == "failed":
        code = status.get("code")
        words = _text(status, "message") or _text(status, "description")
        said = f"{code} {words}" if isinstance(code, int) and 400 <= code <= 599 else words
        is_permanent = _text(data, "severity") == "permanent"
        bounce = _bounce(address, said, _text(status, "enhanced-code"), is_permanent=is_permanent)
        yield replace(bounce, sender=sender)


_BREVO = {"hard_bounce": True, "invalid_email": True, "soft_bounce": False, "blocked": False}


def _brevo(fields: Fields) -> Iterator[Event]:
    event, address = _text(fields, "event"), _text(fields, "email")
    if event in {"spam", "complaint"}:
        yield _complaint(address)
    elif event in _BREVO:
        yield _bounce(address, _text(fields, "reason"), is_permanent=_BREVO[event])


def _generic(fields: Fields) -> Iterator[Event]:
    """Our own form, for whoever has a service that is not here: docs/deliverability.md has it."""
    address, sender = _text(fields, "address"), _text(fields, "sender")
    if fields.get("event") == "complaint":
        yield replace(_complaint(address), sender=sender)
    elif fields.get("event") == "bounce":
        said, status = _text(fields, "text"), _text(fields, "status")
        bounce = _bounce(address, said, status, is_permanent=fields.get("permanent") is True)
        yield replace(bounce, sender=sender)


READERS: dict[str, Callable[[Fields], Iterator[Event]]] = {
    "ses": _ses,
    "postmark": _postmark,
    "sendgrid": _sendgrid,
    "mailgun": _mailgun,
    "brevo": _brevo,
    "generic": _generic,
}


def _bounce(address: str, said: str, status: str = "", *, is_permanent: bool) -> Event:
    return Event(Kind.SOFT, recipient(address, said, status), is_permanent=is_permanent)


def _complaint(address: str) -> Event:
    return Event(Kind.COMPLAINT, Recipient(address, diagnostic="abuse"))


def _dict(value: object) -> Fields:
    return value if isinstance(value, dict) else {}


def _text(fields: Fields, name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""
