"""What is learned from refusals and reports: rows, blocks and pauses, each once."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from digest.inbound.bounce_policy import Limits
from digest.inbound.feedback_handler import FeedbackHandler
from digest.ledger.provider_queues import ALL
from digest.ledger.tables import bounces, deliveries, editions
from digest.model.deliveries import Bounce, BounceKind, BounceSource, DeliveryState
from digest.monitoring.logs import configure_logs
from subscribers.model import Standing, SuppressionReason
from tests.integration.ledger.test_papers import absorb
from tests.integration.plans import bring, plan, state
from tests.support import NOW, TODAY, make_sighting

DAY = timedelta(days=1)
LIMITS = Limits(hard_bounces=5, complaints=0.1)
HARD = Bounce(BounceKind.HARD, "5.1.1", "550 no such user")
SOFT = Bounce(BounceKind.SOFT, "5.2.2", "552 mailbox full")
BLOCKED = Bounce(BounceKind.BLOCKED, "5.7.1", "550 not from you")
COMPLAINT = Bounce(BounceKind.COMPLAINT, text="abuse")


def proven(bounce):
    """The same, as a mail service reports it."""
    return replace(bounce, source=BounceSource.WEBHOOK)


@pytest.fixture
def feedback(ledger, registry):
    return FeedbackHandler(ledger, registry, LIMITS)


@pytest.fixture
def ada(registry):
    return registry.add("ada@example.org", (), source="test", now=NOW)


@pytest.fixture
def edition(ledger):
    return edition_on(ledger, 0)


def edition_on(ledger, number):
    """The edition of a day, ``number`` days from now."""
    day = TODAY + number * DAY
    absorb(ledger, make_sighting(number + 1, listed_on=day))
    return ledger.editions.freeze(day, day, NOW + number * DAY)


@pytest.fixture
def sent(ledger, edition, ada):
    return accepted(ledger, edition, ada.id)


def accepted(ledger, edition, subscriber, provider="example.net", to=DeliveryState.ACCEPTED):
    delivery = plan(ledger, edition, subscriber, provider)
    with ledger.live_workers.enter() as claims:
        bring(ledger, claims, delivery, to)
    return delivery


def send_many(ledger, edition, count):
    """Deliveries to others that were accepted."""
    for number in range(count):
        plan(ledger, edition, 1000 + number, "example.net")
    with ledger.engine.begin() as connection:
        others = update(deliveries).where(deliveries.c.subscriber_id >= 1000)
        connection.execute(others.values(state=DeliveryState.ACCEPTED, changed_at=NOW))


def rows(ledger):
    with ledger.engine.connect() as connection:
        query = select(bounces.c.delivery_id, bounces.c.kind, bounces.c.status, bounces.c.text)
        return [tuple(row) for row in connection.execute(query.order_by(bounces.c.id))]


def reason(registry, person):
    file = registry.file_by_id(person.id)
    return file.suppression and file.suppression.reason


# ---- refused at once ---------------------------------------------------------------------------


def test_a_dead_mailbox_gets_nothing_more(ledger, registry, feedback, ada, sent):
    feedback.refused(sent, ada.address, HARD, NOW)
    assert registry.standing(ada.id) is Standing.SUPPRESSED
    assert reason(registry, ada) is SuppressionReason.HARD_BOUNCE
    assert rows(ledger) == [(sent.id, "hard", "5.1.1", "550 no such user")]
    [past] = ledger.bounces.of(sent)
    assert past.bounce.source is BounceSource.SMTP


def test_one_other_refusal_blocks_nobody(ledger, registry, feedback, ada, sent):
    feedback.refused(sent, ada.address, SOFT, NOW)
    assert registry.standing(ada.id) is Standing.MAY_RECEIVE
    assert [row[1] for row in rows(ledger)] == ["soft"]
    assert ledger.provider_queues.paused() == []


# ---- reported later ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bounce", "why"),
    [
        (HARD, SuppressionReason.HARD_BOUNCE),
        (COMPLAINT, SuppressionReason.COMPLAINT),
        (SOFT, None),
        (BLOCKED, None),
    ],
)
def test_a_report_counts_once_however_often_it_comes(
    ledger, registry, feedback, ada, sent, bounce, why
):
    for _ in range(2):
        feedback.returned(sent, ada.address, bounce, NOW)
        assert reason(registry, ada) is why
        assert rows(ledger) == [(sent.id, bounce.kind, bounce.status, bounce.text)]
        assert ledger.provider_queues.paused() == []


def test_what_was_broken_off_is_done_when_it_is_told_again(
    ledger, registry, feedback, ada, sent, monkeypatch
):
    def break_off(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ledger.bounces, "record", break_off)
        with pytest.raises(KeyboardInterrupt):
            feedback.returned(sent, ada.address, HARD, NOW)
    feedback.returned(sent, ada.address, HARD, NOW)
    assert reason(registry, ada) is SuppressionReason.HARD_BOUNCE
    assert len(rows(ledger)) == 1


def test_any_words_can_be_kept(ledger, feedback, ada, sent):
    feedback.returned(sent, ada.address, Bounce(BounceKind.SOFT, text="a\0b\udcff é"), NOW)
    assert rows(ledger)[0][3] == "ab? é"


def test_a_block_is_told_without_the_address(feedback, ada, sent, capsys):
    configure_logs()
    feedback.returned(sent, ada.address, Bounce(BounceKind.HARD, text=f"no {ada.address}"), NOW)
    said = capsys.readouterr().err
    assert "an address is blocked" in said
    assert ada.address not in said


# ---- soft bounces ------------------------------------------------------------------------------


def test_five_editions_over_a_week_end_it(ledger, registry, feedback, ada):
    for number in (0, 1, 2, 3, 7):
        assert registry.standing(ada.id) is Standing.MAY_RECEIVE
        delivery = accepted(ledger, edition_on(ledger, number), ada.id)
        for _ in range(2):
            feedback.returned(delivery, ada.address, SOFT, NOW + 8 * DAY)
    assert reason(registry, ada) is SuppressionReason.SOFT_BOUNCES


def test_another_persons_do_not_count(ledger, registry, feedback, ada):
    grace = registry.add("grace@example.org", (), source="test", now=NOW)
    for number, person in enumerate((ada, ada, ada, ada, grace, grace, grace, grace)):
        delivery = accepted(ledger, edition_on(ledger, 2 * number), person.id)
        feedback.returned(delivery, person.address, SOFT, NOW + number * DAY)
    assert reason(registry, ada) is reason(registry, grace) is None


def test_those_of_an_earlier_address_do_not_count(ledger, registry, feedback, ada):
    for number in (0, 1, 2, 3):
        delivery = accepted(ledger, edition_on(ledger, number), ada.id)
        feedback.returned(delivery, ada.address, SOFT, NOW + number * DAY)
    move = registry.address_changes.ask(ada, "ada@new.example", NOW + 4 * DAY)
    registry.address_changes.complete(move.public_id, source="test", now=NOW + 4 * DAY)
    delivery = accepted(ledger, edition_on(ledger, 7), ada.id)
    feedback.returned(delivery, "ada@new.example", SOFT, NOW + 7 * DAY)
    assert registry.standing(ada.id) is Standing.MAY_RECEIVE


# ---- pauses of a provider ----------------------------------------------------------------------


def test_a_provider_that_refuses_our_mail_to_three_people_is_paused(ledger, feedback, edition):
    for subscriber in (1, 2, 3):
        assert ledger.provider_queues.paused() == []
        delivery = accepted_at(ledger, edition, subscriber, NOW)
        for _ in range(3):
            feedback.returned(delivery, f"{subscriber}@example.org", proven(BLOCKED), NOW)
    [pause] = ledger.provider_queues.paused()
    assert (pause.provider, pause.since) == ("example.net", NOW)
    assert "3 people" in pause.why
    assert pause.probe_at > NOW  # it ends by itself
    assert "not from you" in pause.why


def test_nothing_that_comes_by_mail_pauses_a_provider(ledger, feedback, edition):
    for subscriber in range(30):
        delivery = accepted(ledger, edition, subscriber)
        feedback.returned(delivery, f"{subscriber}@example.org", BLOCKED, NOW)
    assert ledger.provider_queues.paused() == []


def test_what_was_sent_before_the_operator_resumed_does_not_pause_again(ledger, feedback, edition):
    resumed = NOW + DAY
    ledger.provider_queues.pause("example.net", "it refuses our mail", NOW)
    ledger.provider_queues.resume("example.net", resumed)
    for subscriber in range(1, 5):
        before = accepted_at(ledger, edition, subscriber, resumed)
        feedback.returned(before, "x@example.org", proven(BLOCKED), NOW + DAY)
    assert ledger.provider_queues.paused() == []
    for subscriber in range(5, 8):
        assert ledger.provider_queues.paused() == []
        after = accepted_at(ledger, edition, subscriber, resumed + timedelta(microseconds=1))
        feedback.returned(after, "y@example.org", proven(BLOCKED), NOW + DAY)
    assert [pause.provider for pause in ledger.provider_queues.paused()] == ["example.net"]


def accepted_at(ledger, edition, subscriber, moment):
    delivery = plan(ledger, edition, subscriber, "example.net")
    values = {"state": DeliveryState.ACCEPTED, "changed_at": moment}
    with ledger.engine.begin() as connection:
        connection.execute(update(deliveries).where(deliveries.c.id == delivery.id).values(values))
    return delivery


def test_of_a_provider_that_nobody_knows_none_is_paused(ledger, feedback, edition):
    for subscriber in range(1, 5):
        delivery = accepted(ledger, edition, subscriber, provider="")
        feedback.returned(delivery, f"{subscriber}@example.org", proven(BLOCKED), NOW)
    assert ledger.provider_queues.paused() == []


# ---- the pause of everything -------------------------------------------------------------------


def test_all_mail_pauses_at_the_share_of_hard_bounces(ledger, feedback, edition):
    send_many(ledger, edition, 97)
    for subscriber in range(1, 7):
        assert ledger.provider_queues.paused() == []  # 5 of 102 at most
        delivery = accepted(ledger, edition, subscriber)
        feedback.returned(delivery, f"{subscriber}@example.org", proven(HARD), NOW)
    [pause] = ledger.provider_queues.paused()
    assert (pause.provider, pause.since) == (ALL, NOW)
    assert pause.why.startswith("6 addresses were dead in the last 7 days, and 103 emails")


def test_three_refused_of_a_few_are_enough(ledger, feedback, edition):
    for subscriber in range(1, 4):
        assert ledger.provider_queues.paused() == []
        delivery = accepted(ledger, edition, subscriber, to=DeliveryState.REFUSED)
        feedback.refused(delivery, f"{subscriber}@example.org", HARD, NOW)
    assert [queue.provider for queue in ledger.provider_queues.paused()] == [ALL]


def test_all_mail_pauses_at_the_share_of_complaints(ledger, feedback, edition):
    for subscriber in range(1, 3):
        assert ledger.provider_queues.paused() == []
        delivery = accepted(ledger, edition, subscriber)
        feedback.returned(delivery, f"{subscriber}@example.org", proven(COMPLAINT), NOW)
    [pause] = ledger.provider_queues.paused()
    assert "called mail spam" in pause.why


def test_what_was_sent_before_the_operator_resumed_is_forgiven(ledger, feedback, edition):
    for subscriber in range(1, 4):
        delivery = accepted(ledger, edition, subscriber)
        feedback.returned(delivery, f"{subscriber}@example.org", proven(HARD), NOW)
    ledger.provider_queues.resume(None, NOW + DAY)
    late = accepted_at(ledger, edition, 4, NOW)
    feedback.returned(late, "4@example.org", proven(HARD), NOW + DAY)
    assert ledger.provider_queues.paused() == []
    for subscriber in range(5, 8):
        assert ledger.provider_queues.paused() == []
        delivery = accepted_at(ledger, edition, subscriber, NOW + DAY)
        feedback.returned(delivery, f"{subscriber}@example.org", proven(HARD), NOW + DAY)
    assert [queue.provider for queue in ledger.provider_queues.paused()] == [ALL]


def test_what_is_longer_ago_than_a_week_does_not_count(ledger, feedback, edition):
    old = [accepted(ledger, edition, subscriber) for subscriber in range(1, 4)]
    for delivery in old:
        feedback.returned(delivery, f"{delivery.id}@example.org", proven(HARD), NOW + 8 * DAY)
    assert ledger.provider_queues.paused() == []


@pytest.mark.parametrize("bounce", [HARD, COMPLAINT])
def test_nothing_that_comes_by_mail_pauses_all_mail(ledger, feedback, edition, bounce):
    for subscriber in range(1, 31):
        delivery = accepted(ledger, edition, subscriber)
        feedback.returned(delivery, f"{subscriber}@example.org", bounce, NOW)
    assert ledger.provider_queues.paused() == []


def test_what_came_by_mail_counts_once_a_service_reports_it_too(ledger, feedback, edition):
    sent = [accepted(ledger, edition, subscriber) for subscriber in range(1, 4)]
    for bounce in (HARD, proven(HARD)):
        assert ledger.provider_queues.paused() == []
        for delivery in sent:
            feedback.returned(delivery, "somebody@example.org", bounce, NOW)
    assert [queue.provider for queue in ledger.provider_queues.paused()] == [ALL]


def test_one_person_counts_once_however_many_editions_come_back(ledger, feedback):
    for number in range(5):
        delivery = accepted(ledger, edition_on(ledger, number), 1)
        feedback.returned(delivery, "1@example.org", proven(HARD), NOW)
    assert ledger.provider_queues.paused() == []


# ---- uncertain deliveries ----------------------------------------------------------------------


@pytest.mark.parametrize("bounce", [HARD, SOFT, BLOCKED, COMPLAINT])
def test_what_came_back_had_been_taken(ledger, feedback, ada, edition, bounce):
    delivery = accepted(ledger, edition, ada.id, to=DeliveryState.UNCERTAIN)
    feedback.returned(delivery, ada.address, bounce, NOW + DAY)
    assert state(ledger, delivery) is DeliveryState.ACCEPTED
    with ledger.engine.connect() as connection:
        stored = connection.execute(select(editions.c.balance)).scalar_one()
    assert (stored["accepted"], stored["uncertain"]) == (1, 0)


@pytest.mark.parametrize("to", [state for state in DeliveryState if state != "uncertain"])
def test_what_was_certain_stays(ledger, feedback, ada, edition, to):
    delivery = accepted(ledger, edition, ada.id, to=to)
    feedback.returned(delivery, ada.address, SOFT, NOW + DAY)
    assert state(ledger, delivery) is to


def test_a_complaint_without_its_mail_blocks_as_well(ledger, registry, feedback, ada):
    feedback.complained(ada.address, NOW)
    assert reason(registry, ada) is SuppressionReason.COMPLAINT
    with ledger.engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(bounces)).scalar_one() == 0
