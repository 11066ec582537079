"""What of inbound mail needs the operator's attention, as the status tells it."""

from datetime import timedelta

import pytest

from digest.ledger.reviews import ReviewPlace
from digest.model.deliveries import Bounce, BounceKind, BounceSource, DeliveryState
from digest.monitoring.gathering import gather_status
from digest.monitoring.status import WarningKind
from tests.integration.ledger.test_papers import absorb
from tests.integration.plans import bring, plan
from tests.support import NOW, TODAY, make_settings, make_sighting

HOUR = timedelta(hours=1)


@pytest.fixture
def warnings(ledger, registry):
    """What needs attention at a moment, of some kinds."""

    def found(now):
        status = gather_status(ledger, registry, make_settings(), now)
        kinds = {WarningKind.REVIEW, WarningKind.CAME_BACK}
        return [warning for warning in status.warnings if warning.kind in kinds]

    return found


def test_emails_that_wait_for_a_person_for_a_day_are_told(ledger, warnings):
    ledger.reviews.record(ReviewPlace.INBOX, 2, NOW)
    assert warnings(NOW + 23 * HOUR) == []
    [warning] = warnings(NOW + 25 * HOUR)
    assert warning.kind is WarningKind.REVIEW
    assert "2 emails" in warning.text


def test_too_many_bounces_by_mail_are_told_and_pause_nothing(ledger, warnings):
    absorb(ledger, make_sighting(1))
    edition = ledger.editions.freeze(TODAY, TODAY, NOW)
    bounce = Bounce(BounceKind.HARD, "5.1.1", "550 no such user", BounceSource.MAIL)
    with ledger.live_workers.enter() as claims:
        for subscriber in range(1, 4):
            assert warnings(NOW + HOUR) == []
            delivery = plan(ledger, edition, subscriber, "example.net")
            bring(ledger, claims, delivery, DeliveryState.ACCEPTED)
            ledger.bounces.record(delivery, bounce, NOW)
    [warning] = warnings(NOW + HOUR)
    assert warning.kind is WarningKind.CAME_BACK
    assert "3 addresses were dead" in warning.text
    assert ledger.provider_queues.paused() == []
