"""/healthz, /readyz and /metrics, over both databases."""

from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from digest.app.app import App
from digest.app.web import web
from digest.ledger.database import NEWEST_REVISION, open_database, what_is_missing
from digest.ledger.history import Collection
from digest.ledger.last_runs import Job
from digest.ledger.provider_queues import ALL
from digest.model.deliveries import Bounce, BounceKind, DeliveryState
from digest.monitoring.gathering import gather_status
from digest.monitoring.metrics import MOST_PROVIDERS, exposition, gather_counts
from tests.integration.browser import Browser, assert_safe
from tests.integration.ledger.test_papers import absorb
from tests.integration.plans import bring, plan
from tests.integration.site import make_web
from tests.support import NOW, SENDING, TODAY, make_settings, make_sighting

TOKEN = "a token for the figures"
OTHER = "another token for them"


@pytest.fixture
def browser(ledger, registry):
    def figures():
        return scrape(ledger, registry)

    return Browser(make_web(ledger, registry, figures=figures, metrics_tokens=(TOKEN, OTHER)))


def scrape(ledger, registry):
    status = gather_status(ledger, registry, make_settings(sources="arxiv"), NOW)
    return exposition(status, gather_counts(ledger, registry, NOW))


def samples(octets):
    """What was exposed: values by name and labels, without our prefix."""
    return {
        (sample.name.removeprefix("paper_digest_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(octets.decode())
        for sample in family.samples
    }


def asked(browser, path, method="GET", **values):
    answer = browser.ask(method, path, **values)
    assert_safe(answer)
    assert answer.headers["content-type"].startswith("text/plain")
    return answer.status_code, answer.text


# ---- health ----------------------------------------------------------------------------------


def test_a_site_that_works_says_so_and_no_more(browser):
    assert asked(browser, "/healthz") == (200, "ok")
    assert asked(browser, "/readyz") == (200, "ready")
    assert asked(browser, "/readyz", "HEAD") == (200, "")
    assert browser.ask("POST", "/healthz").status_code == 405


def test_an_old_schema_is_not_ready(browser, engine):
    change = text("UPDATE alembic_version SET version_num = :revision")
    with engine.begin() as connection:
        connection.execute(change, {"revision": "0001"})
    try:
        assert asked(browser, "/readyz") == (503, "schema")
        assert asked(browser, "/healthz") == (200, "ok")
    finally:  # the next test has the same schema
        with engine.begin() as connection:
            connection.execute(change, {"revision": NEWEST_REVISION})


@pytest.mark.parametrize(
    "url", ["sqlite:////no/such/folder/x", "postgresql+psycopg://ada:hush@127.0.0.1:1/digest"]
)
def test_a_database_that_is_away_is_not_ready(ledger, registry, monkeypatch, url, tmp_path):
    monkeypatch.setattr("digest.ledger.database.Path.mkdir", lambda *_, **__: None)
    away = open_database(url)
    browser = Browser(make_web(ledger, registry, missing=lambda: what_is_missing(away)))
    assert asked(browser, "/readyz") == (503, "database")
    assert asked(browser, "/healthz") == (200, "ok")


# ---- who may see the figures -----------------------------------------------------------------


def test_without_a_token_set_there_are_no_figures(ledger, registry):
    for client in ("127.0.0.1", "203.0.113.7"):
        answer = Browser(make_web(ledger, registry)).ask("GET", "/metrics", client=client)
        assert answer.status_code == 404


@pytest.mark.parametrize(
    "shown",
    [None, "", "Bearer", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", TOKEN, "Bearer caf\u00e9"],
)
def test_who_shows_no_token_sees_nothing(browser, shown):
    headers = {} if shown is None else {"Authorization": shown.encode("latin-1")}
    for client in ("127.0.0.1", "203.0.113.7"):
        answer = browser.ask("GET", "/metrics", client=client, headers=headers)
        assert_safe(answer)
        assert (answer.status_code, answer.text) == (401, "unauthorised")
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("shown", [f"Bearer {TOKEN}", f"bearer {OTHER}"])
def test_who_shows_a_token_sees_the_figures(browser, shown):
    status, octets = asked(browser, "/metrics", headers={"Authorization": shown})
    assert status == 200
    assert samples(octets.encode())["warnings",] == 0


def test_the_program_serves_all_three(tmp_path):
    named = {f"DIGEST_{name.rstrip('_').upper()}": value for name, value in SENDING.items()}
    named |= {"DIGEST_HOME": str(tmp_path), "DIGEST_METRICS_TOKENS": f"{OTHER},{TOKEN}"}
    app = App(named, None, lambda: NOW)
    browser = Browser(web(app))
    assert asked(browser, "/readyz") == (200, "ready")
    status, octets = asked(browser, "/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert (status, samples(octets.encode())["warnings",]) == (200, 0)
    app.engine.dispose()


# ---- the figures -----------------------------------------------------------------------------


def test_an_empty_ledger_has_figures(ledger, registry):
    found = samples(scrape(ledger, registry))
    assert found["editions",] == 0
    assert found["queue", "waiting"] == 0
    assert found["digests", "accepted"] == 0
    assert not any(name.startswith("last_") for name, *_ in found)


def test_the_figures_are_those_of_the_ledger(ledger, registry):
    registry.add("ada@example.org", (), source="test", now=NOW)
    absorb(ledger, make_sighting(1), make_sighting(2))
    edition = ledger.editions.freeze(TODAY, TODAY, NOW - timedelta(hours=1))
    mark = ledger.history.begin_run(TODAY, NOW)
    with ledger.live_workers.enter() as claims:
        for number, state in enumerate(DeliveryState, 1):
            delivery = plan(ledger, edition, number)
            bring(ledger, claims, delivery, state)
        ledger.bounces.record(delivery, Bounce(BounceKind.COMPLAINT), NOW)
        found_open = samples(scrape(ledger, registry))
    ledger.history.end_run(mark, NOW, timedelta(seconds=9), ("arxiv: 503",))
    ledger.history.record_collection(Collection(TODAY, NOW, "arxiv", sightings=4, failure="503"))
    ledger.provider_queues.pause(ALL, "many", NOW)
    ledger.last_runs.reach(Job.INBOX, NOW - timedelta(minutes=5))
    found = samples(scrape(ledger, registry))
    assert ("last_run_end_timestamp_seconds",) not in found_open
    expected = {
        ("warnings",): 4,  # the pause, the uncertain one, the source and the run's trouble
        ("editions",): 1,
        ("last_edition_candidates",): 2,
        ("last_edition_digests", "accepted"): 1,
        ("digests", "pending"): 2,  # one of them is being sent
        ("skipped", "withdrawn"): 1,
        ("skipped", "stale"): 0,
        ("queue", "waiting"): 1,
        ("queue", "put-off"): 1,
        ("queue", "being-sent"): 1,
        ("queue", "uncertain"): 1,
        ("queue_oldest_age_seconds",): 3600,
        ("last_edition_missing_sources",): 0,
        ("done_age_seconds", "edition"): 3600,
        ("done_age_seconds", "inbox"): 300,
        ("next_edition_timestamp_seconds",): (NOW + timedelta(days=1)).timestamp(),
        ("held",): 0,
        ("pauses",): 1,
        ("paused", "everybody"): 1,
        ("attempts", "2xx", "accepted"): 1,
        ("attempts", "2xx", "uncertain"): 1,
        ("attempt_seconds_bucket", "+Inf"): 0,  # nobody has said
        ("attempt_seconds_gsum",): 0,
        ("came_back", "complaint"): 1,
        ("blocked_addresses", "hard-bounce"): 0,
        ("subscribers", "confirmed"): 1,
        ("source_sightings", "arxiv"): 4,
        ("source_failed", "arxiv"): 1,
        ("source_collected_timestamp_seconds", "arxiv"): NOW.timestamp(),
        ("last_run_end_timestamp_seconds",): NOW.timestamp(),
        ("last_run_sending_seconds",): 9,
        ("last_run_trouble",): 1,
        ("last_run_broken_off",): 0,
    }
    assert {name: found[name] for name in expected} == expected
    assert "ada" not in scrape(ledger, registry).decode()


def test_providers_are_shown_up_to_a_bound_the_slowest_first(ledger, registry):
    for number in range(MOST_PROVIDERS + 5):
        ledger.provider_queues.set_interval(f"{number}.example", number + 1)
        ledger.provider_queues.pause(f"{number}.example", "it refuses our mail", NOW)
    found = samples(scrape(ledger, registry))
    slow = {
        labels[0]: interval
        for (name, *labels), interval in found.items()
        if name == "interval_seconds"
    }
    assert len(slow) == MOST_PROVIDERS
    assert min(slow.values()) == 6
    assert sum(name == "paused" for name, *_ in found) == MOST_PROVIDERS
    assert found["pauses",] == MOST_PROVIDERS + 5
