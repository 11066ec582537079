"""The engine for several machines: a worker as a process, and what the engine is told."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from time import monotonic

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from digest.app.app import App
from digest.deliver.shard_sender import Again
from digest.errors import SettingError
from digest.ledger import database
from digest.ledger.database import NEWEST_REVISION
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


def add(app, count, *providers):
    now = datetime.now(UTC)
    absorb(app.ledger, make_sighting(1, listed_on=now.date(), seen_at=now))
    edition = app.ledger.editions.freeze(now.date(), now.date(), now)
    picks = pack((Pick(Section.TRENDING, edition.candidates[0], None),))
    plans = []
    for number in range(count):
        provider = providers[number % len(providers)] if providers else "example.org"
        person = app.registry.add(f"r{number}@{provider}", (), source="test", now=now)
        plans.append(Plan(person.id, picks, provider))
    app.ledger.deliveries.plan(edition.id, plans, now)


def start(settings, *command, **environment):
    variables = {f"DIGEST_{name.rstrip('_').upper()}": value for name, value in settings.items()}
    return subprocess.Popen(
        [DIGEST, *command],
        env={**os.environ, **variables, **environment},
        stderr=subprocess.PIPE,
        text=True,
    )


def stop(worker):
    """Stop a worker as systemd does; what it said."""
    worker.send_signal(signal.SIGTERM)
    said = worker.communicate(timeout=120)[1]
    assert worker.returncode == 0, said
    return said


@contextmanager
def three_workers(settings, slots="2"):
    """Three on one machine; they are told to stop at the end."""
    workers = [start(settings, "worker", "--slots", slots) for _ in range(3)]
    try:
        yield workers
        for worker in workers:
            stop(worker)
    finally:
        for worker in workers:
            worker.kill()  # whatever has failed
            worker.wait()


def has_no_shards(app):
    counts = app.ledger.shards.counts()
    return counts.running + counts.waiting == 0


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
        stop(worker)
    assert set(server.arrived.values()) == {1}
    assert app.ledger.live_workers.all() == []


RATE = 300  # messages a minute: one in a fifth of a second


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_rate_and_a_pause_hold_over_three_workers(machine):
    app, server, settings = machine
    settings |= {"rate": str(RATE)}
    add(app, 240, "one.example", "two.example", "three.example")
    app.ledger.provider_queues.pause("three.example", "why", datetime.now(UTC))
    times = []
    server.at_dot = lambda _: times.append(monotonic())
    with three_workers(settings):
        eventually(lambda: len(times) == 160, seconds=240)
        eventually(lambda: has_no_shards(app))
        assert len(app.ledger.live_workers.all()) == 3
        to_paused = [mail for mail in server.arrived if mail.rcpt_to.endswith("@three.example")]
        assert to_paused == []
        took = times[-1] - times[20]  # by then all three have begun
        assert took == pytest.approx(139 * 60 / RATE, rel=0.05)
        app.ledger.provider_queues.resume("three.example", datetime.now(UTC))
        eventually(lambda: len(times) == 240, seconds=240)
    assert set(server.arrived.values()) == {1}


@pytest.mark.long
@pytest.mark.timeout(600)
def test_the_days_limit_of_a_warm_up_holds_over_three_workers(machine):
    app, server, settings = machine
    today = datetime.now(app.settings.timezone).date()
    settings |= {"warm_up_since": today.isoformat(), "warm_up_first": "50"}
    add(app, 150, "one.example", "two.example")
    with three_workers(settings):
        eventually(lambda: len(app.ledger.live_workers.all()) == 3, seconds=120)
        eventually(lambda: server.copies >= 50 and has_no_shards(app), seconds=120)
    assert server.copies == 50
    assert set(server.arrived.values()) == {1}


# ---- another version -------------------------------------------------------------------------

# What makes a process one of a version to come, whose schema is newer; its children as well.
NEWER = """
import digest.ledger.database as database
import digest.ledger.live_workers as live_workers
database.NEWEST_REVISION = "9999"
live_workers.version = lambda _: "99.0"
"""
REVISION = f"""
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "9999", "{NEWEST_REVISION}", None, None
def upgrade():
    op.add_column("deliveries", sa.Column("newer", sa.Integer, nullable=False, server_default="7"))
    op.add_column("workers", sa.Column("newer", sa.Text))
    op.create_table("newer", sa.Column("id", sa.Integer, primary_key=True))
    op.create_index("ix_newer", "deliveries", ["newer"])
"""


def upgrade(engine, folder):
    """Upgrade a database as the version to come does, with one revision more than there are."""
    (folder / "9999_newer.py").write_text(REVISION)
    migrations = Path(database.__file__).with_name("migrations")
    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.set_main_option("path_separator", "os")
    config.set_main_option("version_locations", f"{migrations / 'versions'}{os.pathsep}{folder}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def versions(app):
    return sorted(worker.version for worker in app.ledger.live_workers.all())


@pytest.mark.long
@pytest.mark.timeout(900)
def test_workers_are_upgraded_one_by_one_while_they_send(machine, tmp_path):
    app, server, settings = machine
    for folder in ("newer", "revisions"):
        (tmp_path / folder).mkdir()
    (tmp_path / "newer" / "sitecustomize.py").write_text(NEWER)
    newer = {"PYTHONPATH": str(tmp_path / "newer")}
    settings |= {"rate": "300"}  # so that it lasts
    old = version("paper-digest")
    add(app, 1200, "one.example", "two.example")

    # A new one does not begin before the upgrade, and no old one after it.
    said = start(settings, "worker", **newer).communicate(timeout=120)[1]
    assert "run digest db upgrade" in said
    with three_workers(settings) as workers:
        eventually(lambda: server.copies > 20 and versions(app) == [old] * 3, seconds=120)
        upgrade(app.engine, tmp_path / "revisions")
        said = start(settings, "worker").communicate(timeout=120)[1]
        assert "a newer version of the program made it; upgrade the program" in said
        for place, worker in enumerate(workers):
            before = server.copies
            eventually(lambda before=before: server.copies > before + 20, seconds=120)
            stop(worker)
            workers[place] = start(settings, "worker", "--slots", "2", **newer)
            expected = sorted([old] * (2 - place) + ["99.0"] * (place + 1))
            eventually(lambda expected=expected: versions(app) == expected, seconds=120)
        assert server.copies < 1200, "it was over before all were upgraded"
        eventually(lambda: server.copies == 1200 and has_no_shards(app), seconds=240)
    assert set(server.arrived.values()) == {1}
    with app.engine.connect() as connection:
        states = connection.execute(
            text("SELECT state, newer, count(*) FROM deliveries GROUP BY 1, 2")
        )
        assert [tuple(row) for row in states] == [("accepted", 7, 1200)]
