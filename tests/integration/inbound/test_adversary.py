"""Somebody with five subscribed addresses and any mail they like stops nobody else's mail."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from digest.inbound.attribution import Attribution
from digest.inbound.bounce_policy import Limits
from digest.inbound.feedback_handler import FeedbackHandler
from digest.inbound.inbox import Inbox
from digest.inbound.report import InboundMessage
from digest.ledger.ledger import Ledger
from digest.ledger.tables import metadata
from digest.model.deliveries import DeliveryState
from digest.model.verp import Verp
from subscribers.model import Standing
from subscribers.store.registry import Registry
from subscribers.tokens import Purpose
from tests import reports
from tests.integration.ledger.test_papers import absorb
from tests.integration.plans import bring, plan
from tests.integration.site import SENDER
from tests.support import NOW, TODAY, make_sighting

VERP = Verp([SENDER.secret], "bounces@example.org")
THEIRS, EVERYBODY = range(5), range(9)

STATUSES = ["5.1.1", "5.7.1", "5.7.26", "5.7.133", "4.4.1", "5.2.2", "5.3.4", "5.0.0"]
WORDS = ["no such user", "blocked for spam", "you are rate limited", "relay denied", "no"]


@st.composite
def mails(draw):
    """A mail that names one of their own deliveries, or one of others without its signature."""
    kind = draw(st.sampled_from(["failure", "complaint", "token", "stop", "forged"]))
    index = draw(st.sampled_from(THEIRS))
    return kind, index, draw(st.sampled_from(STATUSES)), draw(st.sampled_from(WORDS))


def written(mail, senders, tokens):
    kind, index, status, words = mail
    match kind:
        case "failure":
            return reports.failure(senders[index], status, words)
        case "complaint":
            return reports.complaint("complaints@example.org", sender=senders[index])
        case "token":
            return reports.complaint("complaints@example.org", unsubscribe=tokens[index])
        case "stop":
            return f"From: x@y.example\nTo: {senders[index]}\nSubject: STOP\n\n".encode()
    # The number of somebody else's delivery, with the signature of their own.
    number, mine = senders[-1].partition("-")[0], senders[index].partition("-")[2]
    return reports.failure(f"{number}-{mine}", status, words)


@given(sent=st.lists(mails(), max_size=40))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_adversary_stops_nobody_elses_mail(engine, sent):
    with engine.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(delete(table))
    ledger, registry = Ledger(engine), Registry(engine)
    people = [
        registry.add(f"{index}@example.org", (), source="test", now=NOW) for index in EVERYBODY
    ]
    absorb(ledger, make_sighting(1))
    edition = ledger.editions.freeze(TODAY, TODAY, NOW)
    deliveries = [plan(ledger, edition, person.id, "gmail.com") for person in people]
    with ledger.live_workers.enter() as claims:
        for delivery in deliveries:
            bring(ledger, claims, delivery, DeliveryState.ACCEPTED)
    senders = [
        VERP.sender_for(delivery.id, person.address)
        for delivery, person in zip(deliveries, people, strict=True)
    ]
    tokens = [SENDER.tokens.make(Purpose.UNSUBSCRIBE, person.public_id) for person in people]
    feedback = FeedbackHandler(ledger, registry, Limits(hard_bounces=5, complaints=0.1))
    inbox = Inbox(registry, Attribution(ledger, registry, VERP, SENDER.tokens), feedback)
    inbox.read([InboundMessage(written(mail, senders, tokens)) for mail in sent], NOW)
    assert ledger.provider_queues.paused() == []
    for person in people[len(THEIRS) :]:
        assert registry.standing(person.id) is Standing.MAY_RECEIVE
