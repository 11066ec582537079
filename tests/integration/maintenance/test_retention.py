"""Retention, on both databases: what goes, what stays, and that the books stay true."""

import os
import threading
from dataclasses import asdict, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import delete, false, func, select

from digest.collect.snapshots import Answer, Snapshots
from digest.errors import LedgerError
from digest.ledger import retention as old_rows
from digest.ledger.deliveries import Plan
from digest.ledger.history import Collection
from digest.ledger.locks import held
from digest.ledger.tables import (
    attempts,
    bounces,
    collections,
    deliveries,
    mail_domains,
)
from digest.maintenance.resolve_uncertain import UncertainResolver
from digest.maintenance.retention import Tidied
from digest.maintenance.retention import tidy as remove_old
from digest.model.deliveries import Bounce, BounceKind, DeliveryState
from digest.model.digests import Pick, Section, SkipReason
from digest.model.messages import Outcome, OutcomeKind
from digest.model.packed_picks import pack
from subscribers.model import Consent, Evidence, SuppressionReason
from subscribers.preferences import Preferences
from subscribers.store.tables import address_changes, consents, signups
from subscribers.transfer import ImportRow
from tests.integration.ledger.test_papers import absorb
from tests.integration.plans import bring, claim_next, plan, plan_skipped, record
from tests.support import NOW, TODAY, make_settings, make_sighting

S = DeliveryState
DAY = timedelta(days=1)
LATER = NOW + 401 * DAY
SETTLED = [S.ACCEPTED, S.REFUSED, S.SUPPRESSED, S.SKIPPED]
OPEN = [S.PENDING, S.DEFERRED, S.SENDING, S.UNCERTAIN]


@pytest.fixture
def snapshots(tmp_path):
    return Snapshots(tmp_path / "raw")


@pytest.fixture
def tidy(ledger, registry, snapshots):
    return partial(remove_old, make_settings(), ledger, registry, snapshots)


@pytest.fixture
def edition(ledger):
    absorb(ledger, make_sighting(1), make_sighting(2))
    return ledger.editions.freeze(TODAY, TODAY, NOW)


@pytest.fixture
def last(ledger, edition):
    """The last delivery there is, of a later edition: its number is never given again."""
    absorb(ledger, make_sighting(9, listed_on=LATER.date()))
    later = ledger.editions.freeze(LATER.date(), LATER.date(), LATER)

    def plan_it():
        plan_skipped(ledger, later, 1, SkipReason.PAUSED)

    return plan_it


def count(ledger, table):
    with ledger.engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def bring_to(ledger, edition, *states):
    planned = []
    with ledger.live_workers.enter() as claims:
        for number, state in enumerate(states, 1):
            planned.append(plan(ledger, edition, number))
            bring(ledger, claims, planned[-1], state)
    return planned


# ---- deliveries --------------------------------------------------------------------------------


def test_what_is_settled_and_old_goes_with_all_about_it_and_the_balance_stays(
    ledger, edition, tidy, last
):
    planned = bring_to(ledger, edition, *SETTLED, S.ACCEPTED)
    plan_skipped(ledger, edition, 50, SkipReason.PAUSED)
    ledger.bounces.record(planned[0], Bounce(BounceKind.SOFT), NOW)
    last()
    balance = ledger.editions.close(edition)
    gone = tidy(LATER)
    assert gone.deliveries == 6
    assert [count(ledger, each) for each in (deliveries, attempts, bounces)] == [1, 0, 0]
    assert balance.skipped_for == {"withdrawn": 1, "paused": 1}
    assert ledger.editions.balance(edition) == balance
    assert ledger.editions.close(edition) == balance
    assert ledger.editions.gone(edition) == 6
    assert ledger.health.unbalanced([TODAY]) == []
    [figures] = ledger.history.days(TODAY, TODAY)
    assert figures.balance == balance
    assert figures.papers == 2
    assert tidy(LATER) == Tidied()


def test_what_is_not_settled_stays_and_is_settled_truly_later(
    ledger, registry, edition, tidy, last
):
    bring_to(ledger, edition, S.ACCEPTED, *OPEN, S.REFUSED)
    last()
    before = ledger.editions.close(edition)
    assert tidy(LATER).deliveries == 2
    assert ledger.editions.balance(edition) == before
    assert ledger.editions.gone(edition) == 2
    settling = UncertainResolver(ledger, timedelta(hours=48))
    assert settling.gone(TODAY) == 2
    assert settling.drop(TODAY, LATER) == 1
    after = settling.balance(TODAY)
    assert after == replace(
        before, uncertain=0, skipped=before.skipped + 1, skipped_for={"dropped": 1}
    )
    assert ledger.health.unbalanced([TODAY]) == []
    assert tidy(LATER).deliveries == 1  # what was dropped
    assert settling.balance(TODAY) == after


def test_a_balance_that_was_never_drawn_is_counted_from_both(ledger, edition, tidy, last):
    bring_to(ledger, edition, S.ACCEPTED, S.UNCERTAIN)
    last()
    tidy(LATER)
    [figures] = ledger.history.days(TODAY, TODAY)
    assert (figures.balance.due, figures.balance.accepted, figures.balance.uncertain) == (2, 1, 1)


def test_somebody_who_takes_rows_away_is_still_found_out(ledger, edition, tidy, last):
    bring_to(ledger, edition, S.ACCEPTED, S.UNCERTAIN, S.UNCERTAIN)
    last()
    ledger.editions.close(edition)
    tidy(LATER)
    assert ledger.health.unbalanced([TODAY]) == []
    with ledger.engine.begin() as connection:
        uncertain = connection.execute(
            select(deliveries.c.id).where(deliveries.c.state == S.UNCERTAIN)
        ).scalars()
        which = list(uncertain)[:1]
        connection.execute(delete(attempts))
        connection.execute(delete(deliveries).where(deliveries.c.id.in_(which)))
    assert ledger.health.unbalanced([TODAY]) == [TODAY]


@pytest.mark.parametrize(("days", "goes"), [(400, 0), (401, 1)])
def test_the_day_of_the_edition_decides(ledger, edition, tidy, last, days, goes):
    bring_to(ledger, edition, S.ACCEPTED)
    last()
    assert tidy(NOW + days * DAY).deliveries == goes


def test_the_last_number_is_kept_so_that_it_is_not_given_again(ledger, edition, tidy):
    [first, second] = bring_to(ledger, edition, S.ACCEPTED, S.ACCEPTED)
    assert tidy(LATER).deliveries == 1
    assert ledger.bounces.delivery(first.id) is None
    absorb(ledger, make_sighting(3, listed_on=LATER.date()))
    new = plan(ledger, ledger.editions.freeze(LATER.date(), LATER.date(), LATER))
    assert new.id > second.id
    assert tidy(LATER).deliveries == 1  # now that there is another


def test_nobody_is_planned_for_where_it_is_not_known_who_had_it(ledger, edition, tidy, last):
    bring_to(ledger, edition, S.ACCEPTED)
    last()
    tidy(LATER)
    picks = (Pick(Section.TRENDING, edition.candidates[0]),)
    ledger.deliveries.plan(edition.id, [Plan(1, pack(picks)), Plan(2, pack(picks))], NOW)
    assert ledger.deliveries.planned(edition.id) == set()
    # And no later edition has its papers again.
    absorb(ledger, make_sighting(1, listed_on=LATER.date() + DAY))
    later = ledger.editions.freeze(LATER.date() + DAY, TODAY, LATER)
    assert {candidate.key for candidate in later.candidates}.isdisjoint(
        candidate.key for candidate in edition.candidates
    )


def test_much_goes_in_blocks_and_what_is_broken_off_is_not_lost(
    ledger, edition, tidy, last, monkeypatch
):
    monkeypatch.setattr(old_rows, "BLOCK", 3)
    bring_to(ledger, edition, *[S.ACCEPTED] * 8)
    last()
    balance = ledger.editions.close(edition)
    blocks = []

    def breathe(_):
        blocks.append(count(ledger, deliveries))
        if len(blocks) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        old_rows.OldRows(ledger.engine, breathe).remove_deliveries(LATER.date())
    assert blocks == [6, 3]
    assert ledger.editions.balance(edition) == balance
    assert ledger.editions.gone(edition) == 6
    assert tidy(LATER).deliveries == 2
    assert ledger.editions.balance(edition) == balance


def test_progress_is_told(ledger, edition, tidy, last, monkeypatch):
    monkeypatch.setattr(old_rows, "BLOCK", 3)
    bring_to(ledger, edition, *[S.ACCEPTED] * 4, S.PENDING)
    last()
    told = []
    tidy(LATER, lambda *step: told.append(step))
    assert told == [(3, 4), (4, 4)]


def test_two_that_tidy_at_once_count_each_once(ledger, edition, tidy, last, monkeypatch):
    monkeypatch.setattr(old_rows, "BLOCK", 2)
    bring_to(ledger, edition, *[S.ACCEPTED] * 20)
    last()
    balance = ledger.editions.close(edition)
    done, errors = [], []

    def tidy_once():
        try:
            done.append(tidy(LATER).deliveries)
        except Exception as error:  # noqa: BLE001  told by the test
            errors.append(error)

    threads = [threading.Thread(target=tidy_once) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert sum(done) == 20
    assert ledger.editions.balance(edition) == balance


def test_whoever_sends_is_not_held_up(ledger, edition, tidy, last, monkeypatch):
    monkeypatch.setattr(old_rows, "BLOCK", 2)
    bring_to(ledger, edition, *[S.SUPPRESSED] * 40)
    last()
    today = ledger.editions.on(LATER.date())
    for number in range(2, 42):
        plan(ledger, today, number)
    sent = []

    def send():
        with ledger.live_workers.enter() as claims:
            while delivery := claim_next(ledger, claims, LATER):
                record(claims, delivery, Outcome(OutcomeKind.ACCEPTED, "ok", 250), None, LATER)
                sent.append(delivery)

    sender = threading.Thread(target=send)
    sender.start()
    assert tidy(LATER).deliveries == 40
    sender.join()
    assert len(sent) == 40


# ---- what happened -------------------------------------------------------------------------------


def test_what_old_editions_knew_of_other_papers_goes_and_what_they_list_stays(
    ledger, edition, tidy
):
    absorb(ledger, make_sighting(3, listed_on=TODAY + DAY))
    later = ledger.editions.freeze(TODAY + DAY, TODAY, NOW + DAY)
    assert tidy(LATER).known_counts == 0
    assert tidy(LATER + 2 * DAY).known_counts == len(edition.candidates)
    assert [ledger.editions.get(each.id) for each in (edition, later)] == [edition, later]


def test_old_runs_and_collections_go_but_the_last(ledger, tidy):
    for days in (500, 401, 1, 0):
        at = LATER - days * DAY
        run = ledger.history.begin_run(at.date(), at)
        ledger.history.end_run(run, at, DAY, ())
        ledger.history.record_collection(Collection(at.date(), at, "huggingface"))
    ledger.history.record_collection(Collection(TODAY - DAY, NOW, "arxiv"))
    gone = tidy(LATER)
    assert (gone.runs, gone.collections) == (2, 2)
    assert ledger.health.source("arxiv", LATER).collected_at == NOW
    much_later = tidy(LATER + 900 * DAY)
    assert (much_later.runs, much_later.collections) == (1, 1)
    assert len(ledger.history.runs(9)) == 1


@pytest.mark.parametrize("table", [deliveries, collections, mail_domains], ids=str)
def test_a_removal_that_misses_is_found_and_counts_nothing(
    ledger, edition, tidy, last, monkeypatch, table
):
    bring_to(ledger, edition, S.ACCEPTED, S.ACCEPTED)
    last()
    ledger.mail_domains.keep({"example.org": "google"}, NOW)
    for day in (0, 1):
        ledger.history.record_collection(Collection(TODAY + day * DAY, NOW + day * DAY, "arxiv"))

    def miss(of):
        return delete(of).where(false()) if of is table else delete(of)

    monkeypatch.setattr(old_rows, "delete", miss)
    before = count(ledger, table)
    with pytest.raises(LedgerError, match=rf"of \d old rows in {table.name} \d are still there"):
        tidy(LATER)
    assert count(ledger, table) == before
    monkeypatch.undo()
    tidy(LATER)
    assert count(ledger, table) < before


def test_what_the_dns_said_goes_after_a_month(ledger, tidy):
    ledger.mail_domains.keep({"a.example": "x"}, NOW)
    ledger.mail_domains.keep({"b.example": "x"}, NOW + 5 * DAY)
    assert tidy(NOW + 31 * DAY).mail_domains == 1
    assert ledger.mail_domains.asked_since(NOW, ["a.example", "b.example"]) == {"b.example": "x"}


def test_locks_of_the_dead_go_and_those_of_the_living_stay(ledger, tidy):
    if ledger.engine.dialect.name != "sqlite":
        pytest.skip("locks are files on SQLite only")
    database = ledger.engine.url.database
    old, new = (Path(f"{database}.sender-{name}.lock") for name in ("old", "new"))
    for each in (old, new):
        each.touch()
    days_ago = (NOW - 2 * DAY).timestamp()
    os.utime(old, (days_ago, days_ago))
    os.utime(new, (NOW.timestamp(), NOW.timestamp()))
    with ledger.live_workers.enter():
        for name in held(ledger.engine, "sender-"):
            os.utime(f"{database}.{name}.lock", (days_ago, days_ago))
        assert tidy(NOW).locks == 1
        assert len(held(ledger.engine, "sender-")) == 1
    assert not old.exists()
    assert new.exists()  # who has made it may be about to hold it


# ---- people --------------------------------------------------------------------------------------


def say(registry, name, *events):
    person = registry.ask(f"{name}@example.org", (), source="form", now=NOW)
    registry.confirm(person.public_id, source="mail", now=NOW)
    for left_at in events:
        registry.withdraw(person.public_id, source="mail", now=left_at)
    return person


def test_evidence_of_who_left_long_ago_goes_and_that_they_left_stays(ledger, registry, tidy):
    stays = say(registry, "ada")
    left = say(registry, "bob", NOW + DAY)
    recent = say(registry, "eve", NOW + 30 * DAY)
    registry.suppressions.add("bob@example.org", SuppressionReason.COMPLAINT, now=NOW)
    moment = NOW + 1097 * DAY
    assert tidy(moment).evidence == 3
    for person, said in ((stays, 2), (left, 0), (recent, 3)):
        file = registry.file_by_id(person.id)
        assert len(file.evidence) == said
    assert registry.get(left.id).consent is Consent.WITHDRAWN
    assert registry.suppressions.covers("bob@example.org")
    assert not registry.has_confirmed(registry.get(left.id))  # nothing to take back any more
    assert tidy(moment).evidence == 0


def test_who_came_back_keeps_all_they_said(registry, tidy):
    person = say(registry, "ada", NOW)
    registry.ask("ada@example.org", (), source="form", now=NOW + 1096 * DAY)
    assert tidy(NOW + 1097 * DAY).evidence == 0
    assert len(registry.file_by_id(person.id).evidence) == 4


def test_whoever_was_asked_and_never_confirmed_is_deleted(registry, tidy):
    registry.ask("ada@example.org", (), source="form", now=NOW)
    again = registry.ask("bob@example.org", (), source="form", now=NOW)
    registry.ask("bob@example.org", (), source="form", now=NOW + DAY)
    left = say(registry, "eve", NOW)
    registry.ask("eve@example.org", (), source="form", now=NOW)
    imported = ImportRow(
        "grace@example.org", (), Preferences(), Consent.PENDING,
        (Evidence("asked", NOW, "import of people.csv"),), (), (), None,
    )  # fmt: skip
    registry.admit([imported], NOW)
    confirmed = registry.add("emmy@example.org", (), source="operator", now=NOW)
    assert tidy(NOW + 6 * DAY).unconfirmed == 0
    assert tidy(NOW + 7 * DAY).unconfirmed == 1
    stay = {person.address: person.consent for person in registry.everybody()}
    assert stay == {
        again.address: Consent.PENDING,
        registry.get(left.id).address: Consent.WITHDRAWN,
        "grace@example.org": Consent.PENDING,
        confirmed.address: Consent.CONFIRMED,
    }


def test_a_block_of_who_was_removed_stays_for_ever(registry, tidy):
    say(registry, "ada")
    registry.suppressions.add("ada@example.org", SuppressionReason.COMPLAINT, now=NOW)
    registry.remove("ada@example.org")
    tidy(NOW + 36_500 * DAY)
    assert registry.suppressions.covers("ada@example.org")


def test_wishes_to_move_and_requests_go_when_they_have_ended(ledger, registry, tidy):
    person = say(registry, "ada")
    registry.address_changes.ask(registry.get(person.id), "ada@example.net", NOW)
    registry.is_within_limits({"somebody": 3}, NOW)
    assert tidy(NOW + timedelta(minutes=59)) == Tidied()
    gone = tidy(NOW + 3 * DAY)
    assert (gone.address_changes, gone.sign_up_limiter) == (1, 1)
    assert count(ledger, address_changes) == count(ledger, signups) == 0
    assert count(ledger, consents) == 2


# ---- answers of sources ----------------------------------------------------------------------------


def test_answers_that_are_still_used_stay(snapshots, tidy, tmp_path):
    for url in ("https://a.example/1", "https://a.example/2", "https://b.example/"):
        snapshots.save(Answer(url, 200, b"body", "etag"))
    (tmp_path / "raw" / "a.example" / "x.json.part").touch()
    (tmp_path / "raw" / "a.example" / "notes.txt").touch()
    long_ago = (NOW - 31 * DAY).timestamp()
    for path in (tmp_path / "raw").glob("*/*"):
        os.utime(path, (long_ago, long_ago))
    snapshots.used("https://a.example/2")
    snapshots.used("https://nowhere.example/")  # as if it had just gone
    assert tidy(NOW).answers == 3
    assert snapshots.load("https://a.example/1") is None
    assert snapshots.load("https://a.example/2")
    assert (tmp_path / "raw" / "a.example" / "notes.txt").exists()
    assert not list(tmp_path.rglob("*nowhere*"))


def test_without_anything_there_is_nothing_to_do(tidy):
    assert asdict(tidy(NOW)) == dict.fromkeys(asdict(Tidied()), 0)
