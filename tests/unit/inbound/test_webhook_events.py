"""What mail services report, in the forms that they document."""

import pytest

from digest.inbound.diagnostics import shipped_table
from digest.inbound.report import Kind
from digest.inbound.webhook_events import READERS, diagnosed_event, events_in

ADA = "ada@example.org"


def ses(kind="Bounce", permanent="Permanent", said="smtp; 550 5.1.1 user unknown"):
    bounced = {"emailAddress": ADA, "status": "5.1.1", "diagnosticCode": said}
    return {
        "notificationType": kind,
        "bounce": {"bounceType": permanent, "bouncedRecipients": [bounced]},
        "complaint": {"complainedRecipients": [{"emailAddress": ADA}]},
        "mail": {"source": "bounces+1-x@example.org"},
    }


def postmark(kind="HardBounce", details="smtp;550 5.1.1 user unknown"):
    return {"RecordType": "Bounce", "Type": kind, "Email": ADA, "Details": details}


def sendgrid(event="bounce", kind="bounce", reason="550 5.1.1 user unknown"):
    return {"email": ADA, "event": event, "type": kind, "reason": reason, "status": "5.1.1"}


def mailgun(event="failed", severity="permanent", code=550, message="5.1.1 user unknown"):
    status = {"code": code, "message": message}
    data = {"event": event, "severity": severity, "recipient": ADA, "delivery-status": status}
    return {"signature": {}, "event-data": {**data, "envelope": {"sender": "b+1-x@example.org"}}}


def brevo(event="hard_bounce", reason="550 5.1.1 user unknown"):
    return {"event": event, "email": ADA, "reason": reason, "message-id": "<1@x>"}


def generic(event="bounce", permanent=True, text="550 5.1.1 user unknown"):
    return {"event": event, "address": ADA, "permanent": permanent, "text": text}


def kinds(service, value):
    table = shipped_table()
    return [diagnosed_event(event, service, table).kind for event in events_in(service, value)]


@pytest.mark.parametrize(
    ("service", "value"),
    [
        ("ses", ses()),
        ("postmark", postmark()),
        ("postmark", postmark("BadEmailAddress", "")),
        ("sendgrid", [sendgrid(), sendgrid("delivered")]),
        ("sendgrid", [sendgrid("dropped", "", "Bounced Address")]),
        ("mailgun", mailgun()),
        ("mailgun", mailgun(message="")),
        ("brevo", brevo()),
        ("brevo", brevo("invalid_email", "")),
        ("generic", generic()),
    ],
)
def test_a_dead_address_is_reported(service, value):
    assert kinds(service, value) == [Kind.HARD]


@pytest.mark.parametrize(
    ("service", "value"),
    [
        ("ses", ses(permanent="Transient")),
        ("postmark", postmark("SoftBounce")),
        ("postmark", postmark("Blocked", "")),
        ("postmark", postmark(details="550 5.1.1 over quota")),
        ("sendgrid", [sendgrid(kind="blocked")]),
        ("mailgun", mailgun(severity="temporary")),
        ("mailgun", mailgun(message="rate limited, try again later")),
        ("brevo", brevo("soft_bounce")),
        ("brevo", brevo("blocked", "")),
        ("generic", generic(permanent=False)),
        ("generic", generic(text="550 5.7.1 blocked by our blocklist")),
    ],
)
def test_another_failure_is_reported(service, value):
    assert kinds(service, value) == [Kind.SOFT]


@pytest.mark.parametrize(
    ("service", "value"),
    [
        ("ses", ses("Complaint")),
        ("postmark", {"RecordType": "SpamComplaint", "Type": "SpamComplaint", "Email": ADA}),
        ("sendgrid", [sendgrid("spamreport"), sendgrid("dropped", "", "unsubscribed address")]),
        ("mailgun", mailgun("complained")),
        ("brevo", brevo("spam")),
        ("generic", generic("complaint")),
    ],
)
def test_a_complaint_is_reported(service, value):
    assert kinds(service, value) == [Kind.COMPLAINT]


@pytest.mark.parametrize("service", READERS)
@pytest.mark.parametrize("value", [None, 1, "x", [], {}, [1, []], {"event-data": 1}, {"mail": []}])
def test_what_is_of_another_form_reports_nothing(service, value):
    assert events_in(service, value) == []


@pytest.mark.parametrize(("service", "value"), [("ses", ses()), ("mailgun", mailgun())])
def test_the_envelope_sender_is_told_where_the_service_knows_it(service, value):
    [event] = events_in(service, value)
    assert event.sender.endswith("+1-x@example.org")
