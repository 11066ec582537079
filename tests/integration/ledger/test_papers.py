"""Papers in the ledger: what a collection keeps, and what it finds again."""

from datetime import timedelta

import pytest
from sqlalchemy import event, func, select

from digest.collect.merge import keys_of, merge
from digest.ledger.ledger import Ledger
from digest.ledger.papers import current_signals
from digest.ledger.tables import listings, observations, papers
from digest.model.papers import Facts, KnownPaper, MergedPaper, Sighting, Signals
from tests.support import NOW, TODAY, make_sighting


def absorb(ledger: Ledger, *sightings: Sighting) -> list[MergedPaper]:
    return ledger.papers.absorb(keys_of(sightings), lambda known: merge(known, sightings))


def known(ledger: Ledger, *sightings: Sighting) -> list[KnownPaper]:
    """What the ledger finds under the keys of sightings; nothing is changed."""
    found: list[KnownPaper] = []

    def look(papers: list[KnownPaper]) -> list[MergedPaper]:
        found.extend(papers)
        return []

    ledger.papers.absorb(keys_of(sightings), look)
    return found


def count(ledger: Ledger, table) -> int:
    with ledger.engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def signals(ledger: Ledger, *paper_ids: int) -> dict[int, Signals]:
    with ledger.engine.connect() as connection:
        return dict(current_signals(connection, paper_ids))


def test_every_fact_comes_back_as_it_was_given(ledger):
    sighting = make_sighting(
        summary="One sentence.",
        published_on=TODAY - timedelta(days=40),
        organisation="Étude & Söhne",
        keywords=("graphs", "naïve Bayes"),
        categories=("cs.CL", "stat.ML"),
        author_count=50,
        code_url="https://example.org/code",
        project_url="https://example.org/",
        signals=Signals(3, 0, None),
    )
    [new] = absorb(ledger, sighting)
    assert new.is_new
    [found] = known(ledger, sighting)
    assert found.facts == sighting.facts
    assert found.signals == {"huggingface": Signals(3, 0, None)}
    assert [(listing.source, listing.day) for listing in found.listings] == [("huggingface", TODAY)]


def test_a_paper_with_nothing_but_a_title_comes_back(ledger):
    facts = Facts(title="Only a title")
    absorb(ledger, Sighting("arxiv", NOW, None, facts))
    [found] = known(ledger, Sighting("arxiv", NOW, None, facts))
    assert (found.facts, found.signals, found.listings) == (facts, {}, frozenset())


def test_the_same_collection_twice_changes_nothing(ledger):
    sightings = [make_sighting(n) for n in range(1, 4)]
    absorb(ledger, *sightings)
    before = [count(ledger, table) for table in (papers, listings, observations)]
    again = absorb(ledger, *sightings)
    assert [count(ledger, table) for table in (papers, listings, observations)] == before
    assert before == [3, 3, 3]
    assert not any(paper.is_new or paper.is_updated for paper in again)


def test_a_second_source_adds_to_the_paper_and_takes_nothing_away(ledger):
    absorb(ledger, make_sighting(signals=Signals(upvotes=5)))
    other = make_sighting(
        source="arxiv",
        seen_at=NOW + timedelta(hours=1),
        abstract="",
        categories=("cs.CL",),
        signals=Signals(comments=2),
    )
    [merged] = absorb(ledger, other)
    assert merged.is_updated
    [found] = known(ledger, other)
    assert found.facts.abstract == make_sighting().facts.abstract
    assert found.facts.categories == ("cs.CL",)
    assert found.signals == {"huggingface": Signals(upvotes=5), "arxiv": Signals(comments=2)}
    assert signals(ledger, found.id) == {found.id: Signals(upvotes=5, comments=2)}
    assert count(ledger, papers) == 1


def test_counts_are_those_observed_last_in_whatever_order_they_were_stored(ledger):
    absorb(ledger, make_sighting(upvotes=9, seen_at=NOW + timedelta(hours=2)))
    absorb(ledger, make_sighting(upvotes=4, seen_at=NOW))
    [found] = known(ledger, make_sighting())
    assert signals(ledger, found.id)[found.id] == Signals(upvotes=9)
    assert count(ledger, observations) == 2


def test_a_title_that_gets_an_arxiv_id_stays_one_paper(ledger):
    [before] = absorb(ledger, make_sighting(arxiv_id=""))
    [after] = absorb(ledger, make_sighting())
    assert before.key.startswith("title:")
    assert after.key != before.key
    assert after.known_id is not None
    assert count(ledger, papers) == 1
    assert known(ledger, make_sighting())[0].key == after.key


def test_two_arxiv_ids_with_one_title_are_two_papers(ledger):
    absorb(ledger, make_sighting(1, title="Same"), make_sighting(2, title="Same"))
    assert count(ledger, papers) == 2
    assert len(known(ledger, make_sighting(1, title="Same"))) == 2


def test_more_papers_than_one_query_takes(ledger):
    sightings = [make_sighting(n) for n in range(1, 602)]
    assert sum(paper.is_new for paper in absorb(ledger, *sightings)) == 601
    assert sum(paper.is_new for paper in absorb(ledger, *sightings)) == 0
    assert len(known(ledger, *sightings)) == 601


def test_a_collection_that_fails_half_way_keeps_nothing(ledger):
    good = merge([], [make_sighting(1)])

    with pytest.raises(AttributeError):
        ledger.papers.absorb(keys_of([]), lambda _: [*good, None])
    assert count(ledger, papers) == 0


def test_the_latest_day_is_that_of_the_latest_listing(ledger):
    assert ledger.papers.latest_day() is None
    absorb(
        ledger,
        make_sighting(1, listed_on=TODAY - timedelta(days=1)),
        make_sighting(2, listed_on=TODAY),
        make_sighting(3, listed_on=None),
    )
    assert ledger.papers.latest_day() == TODAY


def test_many_papers_are_saved_in_blocks_so_that_nobody_waits_for_all_of_them(ledger):
    saved: list[int] = [0]

    def commit(_connection):
        saved.append(0)

    def execute(_connection, _cursor, statement, *_):
        saved[-1] += statement.startswith("INSERT INTO papers")

    event.listen(ledger.engine, "commit", commit)
    event.listen(ledger.engine, "after_cursor_execute", execute)
    merged = absorb(ledger, *(make_sighting(n) for n in range(450)))
    assert (len(merged), count(ledger, papers), sum(saved)) == (450, 450, 450)
    assert max(saved) <= 200


def test_a_collection_that_was_broken_off_between_two_blocks_is_completed_by_the_next(ledger):
    def stop(_seconds):
        raise RuntimeError("the process ends")

    sightings = [make_sighting(n, upvotes=n) for n in range(450)]
    with pytest.raises(RuntimeError, match="the process ends"):
        absorb(Ledger(ledger.engine, sleep=stop), *sightings)
    assert count(ledger, papers) == 200
    merged = absorb(ledger, *sightings)
    assert [paper.is_new for paper in merged].count(True) == 250
    assert {count(ledger, table) for table in (papers, listings, observations)} == {450}
