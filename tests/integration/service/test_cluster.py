"""The engine for several machines: a worker as a process, and what the engine is told."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from digest.app.app import App
from digest.deliver.shard_sender import Again
from digest.errors import SettingError
from digest.ledger.deliveries import Plan
from digest.model.digests import Pick, Section
from digest.model.packed_picks import pack
from digest.service import cluster
from digest.service.recurring import recurring_jobs
from tests.conftest import new_schema
from tests.integration.kill.counting_server import CountingServer
from tests.integration.kill.world import eventually
from tests.integration.ledger.test_papers import absorb
from tests.support import NOW, SENDING, make_sighting

DIGEST = Path(sys.executable).with_name("digest")


def test_on_sqlite_it_is_refused_in_a_line(tmp_path):
    with pytest.raises(SettingError, match="DIGEST_ENGINE is cluster, which needs PostgreSQL"):
        App({}, None, engine="cluster", home=str(tmp_path))


@pytest.mark.parametrize(
    ("seconds", "cron"),
    [(0.01, "* * * * * */1"), (5, "* * * * * */5"), (60, "*/1 * * * *"), (300, "*/5 * * * *"),
     (3600, "0 * * * *")],
)  # fmt: skip
def test_how_often_a_job_recurs_in_the_engines_words(seconds, cron):
    assert cluster._cron(seconds) == cron


class Job:
    id, attempts = 1, 3


def decision(error):
    return cluster._UntilSettled().get_retry_decision(exception=error, job=Job())


def test_a_shard_is_never_given_up():
    again = decision(cluster._UnsettledError(Again(NOW, "gmail")))
    assert (again.retry_at, again.lock) == (NOW, "queue/gmail")
    assert decision(cluster._UnsettledError(Again(NOW))).lock is None
    Job.attempts = 99
    failed = decision(ZeroDivisionError()).retry_at
    assert timedelta(minutes=9) < failed - datetime.now(UTC) <= timedelta(minutes=10)


def test_both_engines_do_the_same_jobs_but_for_sending(tmp_path):
    with new_schema() as url:
        here = App({}, None, **{**SENDING, "home": str(tmp_path)})
        many = App(
            {}, None, **{**SENDING, "home": str(tmp_path)}, engine="cluster", database_url=url
        )
        names = [{job.name for job in recurring_jobs(app, and_inbox=True)} for app in (here, many)]
        here.engine.dispose()
        many.engine.dispose()
    assert names[0] - names[1] == {"sending"}
    assert names[1] - names[0] == {"reconciling"}


# ---- real processes --------------------------------------------------------------------------


@pytest.fixture
def machine(tmp_path):
    """A cluster's settings, a relay, and deliveries that wait."""
    with new_schema() as url, CountingServer() as server:
        settings = {
            **SENDING,
            "home": str(tmp_path / "home"),
            "engine": "cluster",
            "database_url": url,
            "transport": server.url,
            "send_connections": "3",
            "worker_silence": "6",
            "mx_lookups": "no",
            "sources": "feeds",
            "feeds": "nobody=http://127.0.0.1:1/",
        }
        app = App({}, None, **settings)
        yield app, server, settings
        app.engine.dispose()


def add(app, count):
    now = datetime.now(UTC)
    absorb(app.ledger, make_sighting(1, listed_on=now.date(), seen_at=now))
    edition = app.ledger.editions.freeze(now.date(), now.date(), now)
    picks = pack((Pick(Section.TRENDING, edition.candidates[0], None),))
    people = [
        app.registry.add(f"r{number}@example.org", (), source="test", now=now).id
        for number in range(count)
    ]
    plans = [Plan(person, picks, "example.org") for person in people]
    app.ledger.deliveries.plan(edition.id, plans, now)


def start(settings, *command):
    variables = {f"DIGEST_{name.rstrip('_').upper()}": value for name, value in settings.items()}
    return subprocess.Popen(
        [DIGEST, *command], env={**os.environ, **variables}, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.long
@pytest.mark.parametrize("command", [("worker", "--slots", "2"), ("up", "--port", "0")])
def test_a_worker_sends_reconciles_and_ends_when_told(machine, command):
    app, server, settings = machine
    add(app, 60)
    with app.engine.begin() as connection:  # half of the jobs are lost
        connection.execute(text("DELETE FROM procrastinate_jobs"))
    with start(settings, *command) as worker:
        # A minute until it is reconciled, and a busy machine.
        eventually(lambda: server.copies == 60, seconds=120)
        eventually(lambda: app.ledger.shards.counts().waiting == 0)
        [row] = app.ledger.live_workers.all()
        assert row.slots == (2 if command[0] == "worker" else 3)
        worker.send_signal(signal.SIGTERM)
        said = worker.communicate(timeout=60)[1]
    assert worker.returncode == 0, said
    assert set(server.arrived.values()) == {1}
    assert app.ledger.live_workers.all() == []
