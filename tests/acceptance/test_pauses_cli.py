"""`digest deliveries paused` and `resume`, when sending has stopped by itself."""

import pytest

from digest.ledger.database import open_database
from digest.ledger.provider_queues import ALL, FIRST_PROBE, ProviderQueues
from tests.support import NOW


@pytest.fixture
def provider_queues(operator):
    engine = open_database(f"sqlite:///{operator.folder}/var/digest.sqlite3")
    yield ProviderQueues(engine)
    engine.dispose()


@pytest.fixture
def paused(operator, provider_queues):
    provider_queues.pause(ALL, "6 mails met dead addresses", NOW)
    why = "it refuses our mail: 550 5.7.1 no"
    provider_queues.pause("example.net", why, NOW, NOW + FIRST_PROBE)
    return operator


def test_what_is_paused_is_listed_with_why_and_what_to_do(paused):
    probe = "0 probes sent, the next 2026-02-20 08:10 UTC"
    assert paused.digest("deliveries", "paused").splitlines() == [
        "everybody  2026-02-20 08:00 UTC  0 waiting  6 mails met dead addresses",
        f"example.net  2026-02-20 08:00 UTC  0 waiting  it refuses our mail: 550 5.7.1 no  {probe}",
        "When the cause is fixed: digest deliveries resume",
    ]
    assert paused.digest_json("deliveries", "paused")[1] == {
        "provider": "example.net",
        "since": "2026-02-20T08:00:00+00:00",
        "why": "it refuses our mail: 550 5.7.1 no",
        "probe_at": "2026-02-20T08:10:00+00:00",
        "probes": 0,
        "waiting": 0,
    }


def test_all_is_resumed_at_once(paused, provider_queues):
    assert paused.digest("deliveries", "resume") == "Resumed: everybody, example.net.\n"
    assert provider_queues.paused() == []
    assert provider_queues.resumed_at(ALL)
    assert paused.digest("deliveries", "paused") == "Nothing is paused.\n"
    assert paused.digest("deliveries", "resume") == "Nothing was paused.\n"


@pytest.mark.parametrize("name", ["example.net", "everybody"])
def test_one_is_resumed_by_its_name(paused, provider_queues, name):
    assert paused.digest_json("deliveries", "resume", name)["resumed"]
    [left] = provider_queues.paused()
    assert left.provider != name


def test_one_that_is_not_paused_is_told(paused, provider_queues):
    said = paused.fails("deliveries", "resume", "example.com")
    assert said.startswith("digest: sending to example.com was not paused")
    assert len(provider_queues.paused()) == 2
