"""What of inbound mail needs the operator's attention, as the status tells it."""

from datetime import UTC, timedelta

import pytest
from sqlalchemy import func, update

from digest.cli.status_text import status_lines
from digest.ledger import live_workers
from digest.ledger.jobs_schema import create_jobs
from digest.ledger.reviews import ReviewPlace
from digest.model.deliveries import Bounce, BounceKind, BounceSource, DeliveryState
from digest.monitoring.gathering import gather_status
from digest.monitoring.metrics import exposition, gather_counts
from digest.monitoring.status import Readers, WarningKind
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


@pytest.mark.both_databases
def test_workers_are_shown_and_a_silent_one_is_told(ledger, registry, monkeypatch):
    if ledger.engine.dialect.name == "sqlite":
        pytest.skip("only PostgreSQL has rows of workers")
    settings = make_settings(
        engine="cluster", database_url=ledger.engine.url.render_as_string(hide_password=False)
    )
    monkeypatch.setattr(live_workers.socket, "gethostname", lambda: "machine-7")
    monkeypatch.setattr(live_workers, "_this_process", lambda: "another-machine 1 77")
    with ledger.engine.begin() as connection:
        assert create_jobs(connection)
    with ledger.live_workers.enter(slots=4):
        status = gather_status(ledger, registry, settings, NOW)
        assert [worker.slots for worker in status.workers] == [4]
        assert not [warning for warning in status.warnings if warning.kind is WarningKind.SILENT]
        with ledger.engine.begin() as connection:
            silent = {"heard_at": func.now() - timedelta(minutes=4)}
            connection.execute(update(live_workers.workers).values(silent))
        status = gather_status(ledger, registry, settings, NOW)
    [warning] = [told for told in status.warnings if told.kind is WarningKind.SILENT]
    assert "machine-7" in warning.text
    assert "4 min" in warning.text
    lines = dict(status_lines(status, Readers(0, None), UTC))
    assert lines["Workers"] == "1: machine-7 1 (heard 240 s ago)"
    assert lines["Shards"] == "0 being sent, 0 waiting"
    counts = gather_counts(ledger, registry, NOW)
    assert b'paper_digest_worker_slots{worker="machine-7/' in exposition(status, counts)
