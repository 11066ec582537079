"""What is uncertain: told with what was said, settled by the operator only, and in the balance."""

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from digest.errors import LedgerError
from digest.ledger.ledger import Ledger
from digest.ledger.locks import advisory_lock
from digest.ledger.tables import attempts, deliveries, editions
from digest.ledger.uncertain import UncertainDelivery
from digest.maintenance.resolve_uncertain import Resent, UncertainResolver
from digest.model.deliveries import Delivery, DeliveryState
from digest.model.digests import Edition, SkipReason
from digest.model.messages import Outcome, OutcomeKind
from tests.integration.ledger.test_papers import absorb
from tests.integration.plans import bring, claim, claim_next, plan, plan_skipped, record, state
from tests.support import NOW, TODAY, examples, make_sighting

S = DeliveryState
TOMORROW = TODAY + timedelta(days=1)
LATER = NOW + timedelta(hours=30)
STALE_AFTER = timedelta(hours=48)


@pytest.fixture
def days(ledger: Ledger) -> tuple[Edition, Edition]:
    """The editions of two days."""
    absorb(ledger, make_sighting(1))
    first = ledger.editions.freeze(TODAY, TODAY, NOW)
    absorb(ledger, make_sighting(2, listed_on=TOMORROW))
    return first, ledger.editions.freeze(TOMORROW, TODAY, NOW + timedelta(days=1))


@pytest.fixture
def settling(ledger: Ledger) -> UncertainResolver:
    return UncertainResolver(ledger, STALE_AFTER)


def lose(
    ledger: Ledger,
    edition: Edition,
    subscriber: int,
    words: str = "no answer",
    now: datetime = NOW,
):
    """A delivery whose answer never came, planned at a moment."""
    delivery = plan(ledger, edition, subscriber, now=now)
    with ledger.live_workers.enter() as claims:
        claim(ledger, claims, delivery)
        record(claims, delivery, Outcome(OutcomeKind.UNCERTAIN, words), None, NOW)
    return delivery


def die_while_sending(ledger: Ledger, now: datetime) -> None:
    """Claim what is next, and end without a word of it."""
    with ledger.live_workers.enter() as claims:
        assert claim_next(ledger, claims, now)


def put_off(ledger: Ledger, until: datetime, now: datetime) -> None:
    """Claim what is next, and be told to come again later."""
    with ledger.live_workers.enter() as claims:
        delivery = claim_next(ledger, claims, now)
        assert isinstance(delivery, Delivery)
        record(claims, delivery, Outcome(OutcomeKind.DEFERRED, "4.2.0 later", 450), until, now)


def one_in_each_state(ledger: Ledger, edition: Edition) -> None:
    with ledger.live_workers.enter() as claims:
        for subscriber, each in enumerate(DeliveryState, 1):
            bring(ledger, claims, plan(ledger, edition, subscriber), each)


def states(ledger: Ledger, edition: Edition) -> list[tuple[str, str]]:
    return [(report.state, report.reason) for report in ledger.deliveries.reports(edition)]


def stored(ledger: Ledger, edition: Edition) -> dict[str, object] | None:
    with ledger.engine.connect() as connection:
        query = select(editions.c.balance).where(editions.c.id == edition.id)
        return connection.execute(query).scalar_one()


# ---- what is listed ----------------------------------------------------------------------------


def test_a_delivery_is_listed_with_address_moment_and_words(ledger, registry, settling, days):
    ada = registry.add("ada@example.org", (), source="test", now=NOW)
    lose(ledger, days[0], ada.id, "no answer to the final dot: timed out")
    said = "no answer to the final dot: timed out"
    assert settling.uncertain() == [UncertainDelivery(TODAY, "ada@example.org", NOW, NOW, said)]


def test_only_what_is_uncertain_is_listed_oldest_edition_first(ledger, settling, days):
    for edition in reversed(days):
        one_in_each_state(ledger, edition)
    assert [each.edition for each in settling.uncertain()] == [TODAY, TOMORROW]
    assert [each.edition for each in settling.uncertain(TOMORROW)] == [TOMORROW]


def test_where_a_run_died_no_earlier_words_are_told(ledger, settling, days):
    plan(ledger, days[0])
    put_off(ledger, NOW + timedelta(minutes=1), NOW)
    die_while_sending(ledger, NOW + timedelta(minutes=2))
    ledger.live_workers.resolve_orphaned(LATER)
    [doubt] = settling.uncertain()
    assert (doubt.since, doubt.last_words) == (LATER, "the run was broken off while sending it")


def test_who_was_removed_has_no_address(ledger, registry, settling, days):
    ada = registry.add("ada@example.org", (), source="test", now=NOW)
    lose(ledger, days[0], ada.id)
    registry.remove("ada@example.org")
    assert [each.address for each in settling.uncertain()] == [""]


# ---- every move --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settle", "becomes"),
    [("resend", (S.PENDING, "")), ("drop", (S.SKIPPED, "dropped"))],
)
def test_from_every_state_only_the_uncertain_are_moved(ledger, settling, days, settle, becomes):
    one_in_each_state(ledger, days[0])
    before = states(ledger, days[0])
    getattr(settling, settle)(None, LATER)
    expected = [becomes if each[0] is S.UNCERTAIN else each for each in before]
    assert states(ledger, days[0]) == expected
    getattr(settling, settle)(None, LATER)
    assert states(ledger, days[0]) == expected


@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    stood=st.lists(st.tuples(st.booleans(), st.sampled_from(DeliveryState)), max_size=8),
    steps=st.lists(st.tuples(st.sampled_from(["resend", "drop"]), st.sampled_from([None, 0, 1]))),
)
def test_whatever_is_settled_in_whatever_order_every_sum_adds_up(
    ledger, settling, days, stood, steps
):
    with ledger.engine.begin() as connection:
        for table in (attempts, deliveries):
            connection.execute(delete(table))
    expected: list[list[list[str]]] = [[], []]
    with ledger.live_workers.enter() as claims:
        for subscriber, (second, each) in enumerate(stood, 1):
            bring(ledger, claims, plan(ledger, days[second], subscriber), each)
            expected[second].append([each, "withdrawn" if each is S.SKIPPED else ""])
    for settle, which in steps:
        getattr(settling, settle)(None if which is None else days[which].day, LATER)
        for number in (0, 1) if which is None else (which,):
            for row in expected[number]:
                if row[0] is S.UNCERTAIN:
                    row[:] = [S.PENDING, ""] if settle == "resend" else [S.SKIPPED, "dropped"]
    for edition, rows in zip(days, expected, strict=True):
        assert states(ledger, edition) == [tuple(row) for row in rows]
        balance = ledger.editions.balance(edition)
        assert balance.is_balanced
        assert balance.due == len(rows)
        assert balance.uncertain == sum(row[0] is S.UNCERTAIN for row in rows)
        assert balance.skipped_for == Counter(row[1] for row in rows if row[0] is S.SKIPPED)


# ---- settling ----------------------------------------------------------------------------------


def test_what_is_to_be_sent_again_waits_for_nothing(ledger, settling, days):
    delivery = plan(ledger, days[0])
    put_off(ledger, NOW + timedelta(days=9), NOW)
    die_while_sending(ledger, NOW + timedelta(days=9))
    ledger.live_workers.resolve_orphaned(NOW)
    assert settling.resend(None, LATER) == Resent(1, 0)
    with ledger.live_workers.enter() as claims:
        assert claim_next(ledger, claims, LATER) == replace(delivery, attempts=1)


def test_one_edition_can_be_settled_alone(ledger, settling, days):
    rows = [lose(ledger, edition, 1) for edition in days]
    assert settling.resend(TOMORROW, LATER) == Resent(1, 0)
    assert [state(ledger, row) for row in rows] == [S.UNCERTAIN, S.PENDING]
    assert settling.drop(None, LATER) == 1
    assert [state(ledger, row) for row in rows] == [S.SKIPPED, S.PENDING]


def test_the_balances_of_the_editions_that_are_touched_are_stored(ledger, settling, days):
    first, second = days
    lose(ledger, first, 1)
    lose(ledger, first, 2)
    plan(ledger, second, 1)
    settling.drop(None, LATER)
    assert stored(ledger, first) == {
        "edition": "2026-02-20", "due": 2, "accepted": 0, "deferred": 0, "refused": 0,
        "suppressed": 0, "skipped": 2, "uncertain": 0, "pending": 0, "skipped_for": {"dropped": 2},
        "is_being_planned": False,
    }  # fmt: skip
    assert stored(ledger, second) is None
    lose(ledger, second, 2)
    settling.resend(TOMORROW, LATER)
    assert (stored(ledger, second)["due"], stored(ledger, second)["pending"]) == (2, 2)


def test_those_of_an_old_edition_are_told_because_the_next_run_gives_them_up(
    ledger, settling, days
):
    for later, edition in enumerate(days):
        lose(ledger, edition, 1, now=NOW + timedelta(days=later))
    just_stale = NOW + STALE_AFTER + timedelta(seconds=1)
    assert settling.resend(None, just_stale) == Resent(2, 1)
    assert ledger.deliveries.expire(just_stale - STALE_AFTER, just_stale) == 1


@pytest.mark.parametrize("settle", ["resend", "drop"])
def test_nothing_is_settled_while_a_run_is_under_way(ledger, settling, days, settle):
    delivery = lose(ledger, days[0], 1)
    with advisory_lock(ledger.engine, "run"):
        with pytest.raises(LedgerError, match="another run is under way"):
            getattr(settling, settle)(None, LATER)
        assert state(ledger, delivery) is S.UNCERTAIN
        assert len(settling.uncertain()) == 1, "to look is allowed"
    getattr(settling, settle)(None, LATER)
    assert state(ledger, delivery) is not S.UNCERTAIN


@pytest.mark.parametrize("method", ["uncertain", "balance", "resend", "drop"])
def test_a_day_without_an_edition_is_told(settling, days, method):
    moment = (LATER,) if method in {"resend", "drop"} else ()
    with pytest.raises(LedgerError, match="there is no edition of 2020-01-31"):
        getattr(settling, method)(date(2020, 1, 31), *moment)


# ---- the balance -------------------------------------------------------------------------------


def test_the_balance_is_that_of_the_latest_edition_as_it_is_now(ledger, settling, days):
    lose(ledger, days[0], 1)
    plan_skipped(ledger, days[1], 1, SkipReason.PAUSED)
    found = settling.balance()
    assert (found.edition, found.due, found.skipped_for) == (TOMORROW, 1, {"paused": 1})
    found = settling.balance(TODAY)
    assert (found.edition, found.due, found.uncertain) == (TODAY, 1, 1)


def test_without_any_edition_there_is_no_balance(settling):
    with pytest.raises(LedgerError, match="there is no edition yet"):
        settling.balance()
