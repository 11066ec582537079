"""What Amazon's notifications report."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.inbound.report import Kind
from digest.inbound.report_reader import read_report

ADA, GRACE = "ada@example.org", "grace@example.org"
FOOTER = "\n\n--\nTo stop these, visit https://sns.example.com/unsubscribe\n"


def mail(text, sender="Our topic <no-reply@sns.amazonaws.com>"):
    head = f"From: {sender}\nTo: us@example.com\nSubject: AWS Notification Message\n\n"
    return f"{head}{text}{FOOTER}".encode()


def bounce(kind, *recipients, name="notificationType"):
    return json.dumps(
        {
            name: "Bounce",
            "bounce": {"bounceType": kind, "bouncedRecipients": list(recipients)},
            "mail": {"destination": ["kurt@example.org"]},
        }
    )


def recipient(address, status="", said=""):
    return {"emailAddress": address, "status": status, "diagnosticCode": said}


def read(text):
    report = read_report(mail(text))
    return report.kind, [
        (recipient.address, recipient.is_hard, recipient.status) for recipient in report.recipients
    ]


@pytest.mark.parametrize(
    ("kind", "status", "said", "dead"),
    [
        ("Permanent", "5.1.1", "smtp; 550 5.1.1 nobody of this name", True),
        ("Permanent", "5.3.0", "smtp; 550 user unknown", True),
        ("Permanent", "", "", True),
        ("Permanent", "5.7.1", "smtp; 550 5.7.1 we do not like your mail", False),
        ("Permanent", "5.0.0", "smtp; 550 denied", False),
        ("Transient", "5.1.1", "smtp; 550 5.1.1 nobody of this name", False),
        ("Transient", "", "", False),
        ("Undetermined", "", "", False),
    ],
)
def test_an_address_is_dead_if_both_amazon_and_the_server_mean_so(kind, status, said, dead):
    told, recipients = read(bounce(kind, recipient(ADA, status, said)))
    assert told is (Kind.HARD if dead else Kind.SOFT)
    assert recipients == [(ADA, dead, status)]


def test_each_of_several_has_their_own():
    text = bounce(
        "Permanent",
        recipient(f"Ada <{ADA}>", "5.1.1", "smtp; 550 nobody"),
        recipient(GRACE, "5.2.2", "smtp; 552 5.2.2 full"),
    )
    assert read(text) == (Kind.HARD, [(ADA, True, "5.1.1"), (GRACE, False, "5.2.2")])


def test_what_the_server_said_is_kept():
    report = read_report(mail(bounce("Permanent", recipient(ADA, "5.1.1", "smtp; 550 nobody"))))
    assert report.recipients[0].diagnostic == "550 nobody"


def test_an_event_and_an_envelope_say_the_same():
    text = bounce("Permanent", recipient(ADA), name="eventType")
    envelope = json.dumps({"Type": "Notification", "Message": text})
    assert read(text) == read(envelope) == (Kind.HARD, [(ADA, True, "")])


def test_a_line_may_be_broken_by_servers():
    text = bounce("Permanent", recipient(ADA, "5.1.1", "smtp; 550 nobody of this name"))
    at = text.index("nobody")
    assert read(f"{text[:at]}!\n {text[at:]}")[0] is Kind.HARD


@pytest.mark.parametrize(("why", "kind"), [("abuse", Kind.COMPLAINT), (None, Kind.COMPLAINT)])
def test_a_complaint_names_who_complained(why, kind):
    complaint = {"complainedRecipients": [{"emailAddress": ADA}], "complaintFeedbackType": why}
    fields = {"notificationType": "Complaint", "complaint": complaint}
    assert read(json.dumps(fields)) == (kind, [(ADA, False, "")])


def test_praise_is_no_complaint():
    praise = {"complainedRecipients": [{"emailAddress": ADA}], "complaintFeedbackType": "not-spam"}
    fields = {"notificationType": "Complaint", "complaint": praise}
    assert read(json.dumps(fields)) == (Kind.UNKNOWN, [])


def test_a_delay_names_who_waits():
    delay = {"delayedRecipients": [recipient(ADA, "4.4.7", "smtp; 450 later")]}
    report = read_report(mail(json.dumps({"eventType": "DeliveryDelay", "deliveryDelay": delay})))
    assert report.kind is Kind.DELAYED
    assert report.waiting == (ADA,)
    assert report.recipients == ()


def test_a_delivery_reports_nothing():
    delivery = {"notificationType": "Delivery", "delivery": {"recipients": [ADA]}}
    assert read(json.dumps(delivery)) == (Kind.UNKNOWN, [])


@pytest.mark.parametrize(
    "sender", ["Ada <ada@example.org>", "no-reply@sns.amazonaws.com.example.org", "", "<>"]
)
def test_only_amazon_sends_them(sender):
    content = mail(bounce("Permanent", recipient(ADA, "5.1.1")), sender)
    assert read_report(content).recipients == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[" * 100_000,
        '{"Message":' * 10_000,
        "1" * 100_000,
        '{"notificationType": "Bounce", "bounce": {"bouncedRecipients": [1, null, [], {}]}}',
        '{"notificationType": "Bounce", "bounce": []}',
        '{"notificationType": ["Bounce"]}',
        '{"notificationType": "Complaint", "complaint": {"complainedRecipients": {"a": 1}}}',
        '{"notificationType": "Bounce", "bounce": {"bouncedRecipients": [{"emailAddress": 1}]}}',
    ],
)
def test_what_is_none_of_theirs_names_nobody(text):
    assert read_report(mail(text)).recipients == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just(ADA),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["notificationType", "bounce", "bouncedRecipients", "emailAddress", "Message"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(JSON)
def test_no_json_raises(value):
    read_report(mail(json.dumps(value)))
