"""Papers by day, by name, and one by one, over both databases."""

from datetime import date, timedelta
from importlib import import_module

import pytest
from alembic import command
from sqlalchemy import select, text

from digest.collect.merge import keys_of, merge
from digest.ledger.history import Collection
from digest.ledger.tables import paper_names
from digest.model.identity import names_of
from digest.model.papers import Signals
from subscribers.follows import FollowKind
from tests.integration.ledger.test_database import migration_config
from tests.support import NOW, TODAY, make_sighting

YESTERDAY = TODAY - timedelta(days=1)
pytestmark = pytest.mark.both_databases


def absorb(ledger, *sightings):
    ledger.papers.absorb(keys_of(sightings), lambda known: merge(known, sightings))


def ids(entries):
    return [entry.paper_id for entry in entries]


def test_nothing_was_collected(ledger):
    browsing = ledger.browsing
    assert browsing.span() is None
    assert browsing.counts(TODAY, TODAY) == {}
    assert not browsing.of_days(TODAY, TODAY)
    assert browsing.of_name(FollowKind.AUTHOR, "ada lovelace") == []
    assert browsing.find(["arxiv:2602.00001"]) == []
    assert browsing.keys(0, 10) == []
    assert browsing.count() == 0


def test_a_paper_is_of_the_day_that_listed_it_first(ledger):
    absorb(
        ledger,
        make_sighting(1, listed_on=YESTERDAY),
        make_sighting(1, source="arxiv"),
        make_sighting(2),
        make_sighting(3, listed_on=None),  # looked up
    )
    browsing = ledger.browsing
    assert browsing.span() == (YESTERDAY, TODAY)
    assert browsing.counts(YESTERDAY, TODAY) == {YESTERDAY: 1, TODAY: 1}
    assert browsing.counts(TODAY, TODAY) == {TODAY: 1}
    assert [each.listed_on for each in browsing.of_days(YESTERDAY, TODAY)] == [YESTERDAY, TODAY]
    assert len(browsing.of_days(TODAY, TODAY)) == 1
    assert browsing.keys(0, 10) == ["arxiv:2602.00001", "arxiv:2602.00002"]
    assert browsing.keys(1, 10) == ["arxiv:2602.00002"]
    assert browsing.keys(0, 1) == ["arxiv:2602.00001"]
    assert browsing.count() == 2


def test_counts_are_the_last_stated_and_rises_those_of_the_last_day(ledger):
    hours = timedelta(hours=1)
    for ago, signals in (
        (40 * hours, Signals(3, 1, None)),
        (30 * hours, Signals(10, None, None)),
        (5 * hours, Signals(25, 2, 7)),
    ):
        absorb(ledger, make_sighting(1, seen_at=NOW - ago, signals=signals))
    absorb(ledger, make_sighting(1, source="other", seen_at=NOW, signals=Signals(None, None, 9)))
    absorb(ledger, make_sighting(2, upvotes=None))
    absorb(ledger, make_sighting(3, seen_at=NOW - 2 * hours, upvotes=8))
    ledger.history.record_collection(Collection(TODAY, NOW, "huggingface"))
    found = ledger.browsing.of_days(TODAY, TODAY)
    assert [(each.signals, each.risen) for each in found] == [
        (Signals(25, 2, 9), 15),
        (Signals(None, None, None), 0),
        (Signals(8, None, None), 0),  # it had them when it was first seen
    ]
    # One by one and all at once they are counted in two ways, and alike.
    in_full = ledger.browsing.find([f"arxiv:2602.0000{number}" for number in (1, 2, 3)])
    assert [(each.signals, each.risen) for each in in_full] == [
        (each.signals, each.risen) for each in found
    ]
    assert ledger.browsing.candidates(found) == in_full


def test_papers_in_full_come_in_the_order_that_was_asked_for(ledger):
    absorb(ledger, *(make_sighting(number) for number in range(1, 6)))
    found = ledger.browsing.of_days(TODAY, TODAY)
    turned = ledger.browsing.candidates(found[::-1])
    assert [each.facts.arxiv_id for each in turned] == [f"2602.0000{n}" for n in (5, 4, 3, 2, 1)]
    asked = ["arxiv:2602.00004", "arxiv:9999.99999", "arxiv:2602.00002", "'; DROP TABLE papers; --"]
    assert [each.key for each in ledger.browsing.find(asked)] == [asked[0], asked[2]]


def test_names_are_found_however_they_are_spelt(ledger):
    absorb(
        ledger,
        make_sighting(
            1, authors=("Émilie du Châtelet", "Ada Lovelace"), organisation="Étude & Co."
        ),
        make_sighting(2, authors=("Emilie Du Chatelet",), organisation=""),
        make_sighting(3, authors=("% _", "Ada"), organisation="Etude   co"),
    )
    browsing = ledger.browsing
    assert ids(browsing.of_name(FollowKind.AUTHOR, "emilie du chatelet")) == [1, 2]
    assert ids(browsing.of_name(FollowKind.AUTHOR, "ada")) == [3]
    assert ids(browsing.of_name(FollowKind.ORGANISATION, "etude co")) == [1, 3]
    for key in ("%", "", "' OR 1=1 --"):
        assert browsing.of_name(FollowKind.AUTHOR, key) == []


def test_names_follow_what_is_known_of_a_paper(ledger):
    absorb(ledger, make_sighting(1, organisation="Old Lab"))
    absorb(ledger, make_sighting(1, organisation="New Lab", authors=("Grace Hopper",)))
    browsing = ledger.browsing
    assert ids(browsing.of_name(FollowKind.ORGANISATION, "new lab")) == [1]
    assert browsing.of_name(FollowKind.ORGANISATION, "old lab") == []
    assert browsing.of_name(FollowKind.AUTHOR, "ada lovelace") == []
    assert ids(browsing.of_name(FollowKind.AUTHOR, "grace hopper")) == [1]


def test_what_was_observed_of_a_paper_comes_in_the_order_of_time(ledger):
    for hour, upvotes in ((2, 5), (1, 4), (3, 4)):
        absorb(ledger, make_sighting(1, upvotes=upvotes, seen_at=NOW + timedelta(hours=hour)))
    observed = ledger.browsing.observed(1)
    assert [each.signals.upvotes for each in observed] == [4, 5, 4]
    assert [each.seen_at for each in observed] == sorted(each.seen_at for each in observed)
    assert ledger.browsing.observed(2) == []


def test_days_at_the_ends_of_the_calendar(ledger):
    absorb(ledger, make_sighting(1))
    assert ledger.browsing.counts(date.min, date.max) == {TODAY: 1}


def test_the_migration_finds_the_same_names(ledger):
    """What it writes for old papers is what is written for new ones."""
    migration = import_module("digest.ledger.migrations.versions.0017_paper_names")
    hostile = (
        "",
        "!",
        "Émilie du Châtelet",
        "ß" * 200,
        "한국어 이름",
        "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 50,
    )
    for name in hostile:
        assert migration._names_of([name, "Ada"], name) == names_of([name, "Ada"], name)


def test_old_papers_are_found_by_their_names_after_the_migration(engine, ledger):
    absorb(ledger, *(make_sighting(n, organisation="Étude") for n in range(1, 4)))
    with engine.begin() as connection:
        written = connection.execute(select(paper_names).order_by(*paper_names.primary_key)).all()
        paper_names.drop(connection)
        connection.execute(text("UPDATE alembic_version SET version_num = '0016'"))
        command.upgrade(migration_config(connection), "0017")
        found = connection.execute(select(paper_names).order_by(*paper_names.primary_key)).all()
    assert found == written != []
