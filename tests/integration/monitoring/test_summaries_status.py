"""What the status and the daily statistics say of the language model."""

from datetime import UTC, date, timedelta
from zoneinfo import ZoneInfo

import pytest

from digest.cli.status_text import status_lines
from digest.model.summaries import Summary, Tokens, Verdict
from digest.monitoring.gathering import gather_readers, gather_status
from tests.support import NOW, make_settings

MODEL = {"summaries_url": "http://127.0.0.1:1/v1", "summaries_model": "little"}
PRICES = {"summaries_prices": "1000/2000", "summaries_cost_per_day": "5"}


def ask(ledger, verdict, *, at=NOW, times=1):
    for _ in range(times):
        said = Summary("A sentence.", model="little")
        tokens = Tokens(400, 50)
        ledger.summaries.record(None, "de", verdict, said, prompt="1", tokens=tokens, now=at)


@pytest.fixture
def asked(ledger):
    """Eight requests today, and one yesterday."""
    ask(ledger, Verdict.USED, times=4)
    ask(ledger, Verdict.ECHO, times=2)
    ask(ledger, Verdict.LANGUAGE)
    ask(ledger, Verdict.NO_ANSWER)
    ask(ledger, Verdict.USED, at=NOW - timedelta(days=1))
    return ledger


def line(ledger, registry, **settings):
    status = gather_status(ledger, registry, make_settings(**settings), NOW)
    lines = dict(status_lines(status, gather_readers(registry, NOW), UTC))
    return status.summaries, lines.get("Summaries")


def test_without_a_model_nothing_is_said_of_it(asked, registry):
    assert line(asked, registry) == (None, None)


def test_what_was_asked_what_came_and_what_is_left(asked, registry):
    today, said = line(asked, registry, **MODEL, **PRICES)
    assert (today.asked, today.used, today.tokens) == (8, 4, 8 * 450)
    assert today.dropped == {Verdict.ECHO: 2, Verdict.LANGUAGE: 1}
    assert today.failed == {Verdict.NO_ANSWER: 1}
    assert said == (
        "today 8 asked, 4 made, 3 dropped (2 echo, 1 wrong-language), 1 failed (1 no-answer); "
        "3,600 tokens, 496,400 left; cost 4.0000, 1.0000 left"
    )


def test_what_is_spent_leaves_nothing_and_not_less(asked, registry):
    bounds = {"summaries_tokens_per_day": "1000", "summaries_cost_per_day": "1"}
    today, _ = line(asked, registry, **MODEL, **{**PRICES, **bounds})
    assert (today.tokens_left, today.cost_left) == (0, 0.0)


def test_without_prices_nothing_is_said_of_costs(asked, registry):
    today, said = line(asked, registry, **MODEL)
    assert (today.cost, today.cost_left) == (None, None)
    assert said.endswith("; 3,600 tokens, 496,400 left")


def test_without_a_bound_the_cost_alone_is_said(asked, registry):
    _, said = line(asked, registry, **MODEL, summaries_prices="1000/2000")
    assert said.endswith("; cost 4.0000")


def test_a_day_of_the_statistics_is_one_of_its_zone(ledger):
    zone = ZoneInfo("Europe/Oslo")  # an hour before UTC
    ask(ledger, Verdict.USED, at=NOW.replace(hour=22, minute=59))
    ask(ledger, Verdict.ECHO, at=NOW.replace(hour=23, minute=0))
    days = [NOW.date(), NOW.date() + timedelta(days=1), date(2020, 1, 1)]
    today, tomorrow, other = ledger.summaries.by_day(days, zone).values()
    assert (today, tomorrow, other) == ({Verdict.USED: 1}, {Verdict.ECHO: 1}, {})
