"""Sightings become papers, over sources and days."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.collect.merge import keys_of, merge
from digest.model.papers import (
    Facts,
    KnownPaper,
    Listing,
    MergedPaper,
    Observation,
    Sighting,
    Signals,
)
from tests.support import NOW, TODAY, make_facts, make_sighting

LATER = NOW + timedelta(hours=1)
TOMORROW = TODAY + timedelta(days=1)
TITLE = "Ducks on ponds"


def known_as(paper: MergedPaper, number: int = 1, before: KnownPaper | None = None) -> KnownPaper:
    """The paper as the ledger has it after the merge."""
    signals = dict(before.signals) if before else {}
    signals |= {
        new_observation.source: new_observation.signals
        for new_observation in paper.new_observations
    }
    listings = before.listings if before else frozenset()
    return KnownPaper(
        id=paper.known_id or number,
        key=paper.key,
        facts=paper.facts,
        signals=signals,
        listings=listings | frozenset(paper.new_listings),
    )


def only(papers: list[MergedPaper]) -> MergedPaper:
    assert len(papers) == 1
    return papers[0]


def titled(title: str, arxiv: str = "", **changes: object) -> Sighting:
    return make_sighting(1, title=title, arxiv_id=arxiv, **changes)


def test_a_first_sighting_is_a_new_paper():
    paper = only(merge([], [make_sighting(7, upvotes=3)]))
    assert paper == MergedPaper(
        known_id=None,
        key="arxiv:2602.00007",
        title_key="astudyofthingspart7",
        facts=make_facts(7),
        first_seen=NOW,
        facts_changed=False,
        new_listings=(Listing("huggingface", TODAY),),
        new_observations=(Observation("huggingface", NOW, Signals(upvotes=3)),),
    )
    assert paper.is_new
    assert not paper.is_updated


def test_one_id_from_two_sources_is_one_paper():
    paper = only(
        merge([], [make_sighting(1), make_sighting(1, source="arxiv", upvotes=None, title="Other")])
    )
    assert paper.new_listings == (Listing("huggingface", TODAY), Listing("arxiv", TODAY))
    # A source without counts observes none.
    assert [new_observation.source for new_observation in paper.new_observations] == ["huggingface"]


def test_two_ids_are_two_papers_in_the_order_seen():
    papers = merge([], [make_sighting(2), make_sighting(1), make_sighting(2)])
    assert [paper.key for paper in papers] == ["arxiv:2602.00002", "arxiv:2602.00001"]


@pytest.mark.parametrize("id_first", [True, False])
def test_a_title_meets_the_id_of_the_same_title(id_first):
    with_id, without = titled(TITLE, "2602.00009"), titled("DUCKS on ponds!")
    paper = only(merge([], [with_id, without] if id_first else [without, with_id]))
    assert paper.key == "arxiv:2602.00009"
    assert paper.facts.arxiv_id == "2602.00009"


@pytest.mark.parametrize("id_first", [True, False])
def test_a_title_meets_the_id_on_another_day(id_first):
    first, second = titled(TITLE, "2602.00009"), titled(TITLE, listed_on=TOMORROW)
    if not id_first:
        first, second = second, first
    known = known_as(only(merge([], [first])), 42)
    paper = only(merge([known], [second]))
    assert paper.known_id == 42
    assert paper.key == "arxiv:2602.00009"
    # The key is part of what the ledger holds, so taking an id is a change.
    assert paper.facts_changed is not id_first


def test_after_a_title_took_an_id_both_ways_lead_to_it():
    sightings = [titled(TITLE), titled(TITLE, "2602.00009"), titled(TITLE)]
    sightings.append(titled("Renamed", "2602.00009"))
    assert only(merge([], sightings)).facts.title == "Renamed"


def test_two_ids_with_one_title_stay_apart():
    papers = merge([], [titled(TITLE, "2602.00001"), titled(TITLE, "2602.00002")])
    assert [paper.key for paper in papers] == ["arxiv:2602.00001", "arxiv:2602.00002"]


def test_two_known_ids_with_one_title_stay_apart():
    known = [known_as(only(merge([], [titled(TITLE, "2602.00001")])))]
    papers = merge(known, [titled(TITLE, "2602.00002")])
    assert only(papers).is_new


def test_a_title_of_two_ids_belongs_to_neither():
    sightings = [titled(TITLE, "2602.00001"), titled(TITLE, "2602.00002"), titled(TITLE)]
    papers = merge([], sightings)
    assert [paper.key[:6] for paper in papers] == ["arxiv:", "arxiv:", "title:"]


def test_titles_of_signs_do_not_join_papers():
    papers = merge([], [titled("???", "2602.00001"), titled("!!!", "2602.00002")])
    assert len(papers) == 2


def test_the_link_stays_on_the_site_that_found_the_paper_first():
    """Two sources that take turns would change it from one email to the next."""
    pages = "https://a.example/1v1", "https://b.example/1", "", "https://a.example/1v2"
    sightings = [make_sighting(1, source=str(page), page_url=page) for page in pages]
    links = [only(merge([], sightings[:count])).facts.page_url for count in (1, 2, 3, 4)]
    assert links == [pages[0], pages[0], pages[0], pages[3]]
    assert only(merge([], sightings[2:])).facts.page_url == pages[3]


def test_later_sightings_win_whatever_their_order():
    early = make_sighting(1, title="Draft title", upvotes=3)
    late = make_sighting(1, title="Final title", upvotes=9, seen_at=LATER)
    for sightings in ([early, late], [late, early]):
        paper = only(merge([], sightings))
        assert paper.facts.title == "Final title"
        assert paper.first_seen == NOW
        assert [new_observation.signals.upvotes for new_observation in paper.new_observations] == [
            3,
            9,
        ]


def test_of_one_moment_the_last_wins():
    sightings = [make_sighting(1, title="First"), make_sighting(1, title="Second")]
    assert only(merge([], sightings)).facts.title == "Second"


def test_empty_fields_take_nothing_away():
    rich = make_sighting(1, organisation="Pond Lab", keywords=("ducks",), upvotes=3)
    poor = Sighting(
        "arxiv", LATER, None, Facts(title="New title", arxiv_id=rich.facts.arxiv_id), Signals()
    )
    paper = only(merge([], [rich, poor]))
    assert paper.facts == make_facts(
        1, title="New title", organisation="Pond Lab", keywords=("ducks",)
    )
    assert len(paper.new_observations) == 1


def test_a_known_paper_with_new_facts_is_updated():
    known = known_as(only(merge([], [make_sighting(1)])))
    paper = only(merge([known], [make_sighting(1, organisation="Pond Lab")]))
    assert paper.facts_changed
    assert paper.is_updated
    assert not paper.is_new


def test_the_same_again_is_no_update():
    known = known_as(only(merge([], [make_sighting(1)])))
    paper = only(merge([known], [make_sighting(1, seen_at=LATER)]))
    assert not paper.is_new
    assert not paper.is_updated


def test_the_listing_of_another_day_is_an_update():
    known = known_as(only(merge([], [make_sighting(1)])))
    paper = only(merge([known], [make_sighting(1, listed_on=TOMORROW)]))
    assert paper.new_listings == (Listing("huggingface", TOMORROW),)
    assert paper.is_updated
    assert not paper.facts_changed
    assert not paper.new_observations


def test_a_look_up_lists_nothing():
    assert only(merge([], [make_sighting(1, listed_on=None)])).new_listings == ()


@pytest.mark.parametrize("count", [12, 2, 0])
def test_changed_counts_are_observed_fallen_ones_too(count):
    known = known_as(only(merge([], [make_sighting(1, upvotes=3)])))
    paper = only(merge([known], [make_sighting(1, upvotes=count, seen_at=LATER)]))
    assert paper.new_observations == (Observation("huggingface", LATER, Signals(upvotes=count)),)
    assert paper.is_updated


def test_unchanged_and_unsaid_counts_are_not_observed():
    first = make_sighting(1, signals=Signals(upvotes=3, comments=1))
    known = known_as(only(merge([], [first])))
    again = make_sighting(1, signals=Signals(upvotes=3), seen_at=LATER)
    assert only(merge([known], [again])).new_observations == ()


def test_an_observation_keeps_the_counts_it_does_not_state():
    known = known_as(only(merge([], [make_sighting(1, signals=Signals(upvotes=3, comments=1))])))
    seen = make_sighting(1, signals=Signals(upvotes=4), seen_at=LATER)
    (observation,) = only(merge([known], [seen])).new_observations
    assert observation.signals == Signals(upvotes=4, comments=1)


def test_each_source_has_its_own_counts():
    known = known_as(only(merge([], [make_sighting(1, upvotes=3)])))
    paper = only(merge([known], [make_sighting(1, upvotes=3, source="mirror")]))
    assert [new_observation.source for new_observation in paper.new_observations] == ["mirror"]


def test_known_papers_that_nobody_saw_are_not_given():
    known = [known_as(paper) for paper in merge([], [make_sighting(1), make_sighting(2)])]
    assert [paper.key for paper in merge(known, [make_sighting(2)])] == ["arxiv:2602.00002"]


def test_what_the_ledger_is_asked_for():
    keys = keys_of([make_sighting(1), titled(TITLE), make_sighting(2, doi="10.1/a")])
    assert keys.titles == {"astudyofthingspart1", "ducksonponds", "astudyofthingspart2"}
    assert {key.partition(":")[0] for key in keys.ids} == {"arxiv", "title"}
    assert "arxiv:2602.00001" in keys.ids
    assert keys.dois == {"10.1/a"}


# ---- DOIs ---------------------------------------------------------------------------------------


def by_doi(number: int, doi: str = "10.1/a", **changes) -> Sighting:
    return make_sighting(number, arxiv_id="", doi=doi, **changes)


def test_one_doi_is_one_paper_whatever_its_titles():
    [paper] = merge([], [by_doi(1), by_doi(2)])
    assert paper.key == "doi:10.1/a"


def test_a_paper_is_found_by_its_doi_and_takes_the_arxiv_id_as_its_key():
    [known] = merge([], [by_doi(1)])
    [paper] = merge([known_as(known)], [make_sighting(2, doi="10.1/a")])
    assert (paper.known_id, paper.key, paper.facts.doi) == (1, "arxiv:2602.00002", "10.1/a")
    [again] = merge([known_as(paper)], [by_doi(3)])
    assert (again.known_id, again.key) == (1, "arxiv:2602.00002")


def test_a_paper_without_identifier_is_found_by_its_title():
    papers = merge([], [titled(TITLE), by_doi(1, title=TITLE)])
    assert [paper.key for paper in papers] == ["doi:10.1/a"]


def test_papers_with_two_dois_are_two_even_with_one_title():
    papers = merge([], [by_doi(1, title="Editorial"), by_doi(1, "10.1/b", title="Editorial")])
    assert [paper.key for paper in papers] == ["doi:10.1/a", "doi:10.1/b"]


def test_one_doi_does_not_join_two_arxiv_ids():
    papers = merge([], [make_sighting(1, doi="10.1/a"), make_sighting(2, doi="10.1/a")])
    assert [paper.key for paper in papers] == ["arxiv:2602.00001", "arxiv:2602.00002"]


# ---- what a source shows for weeks --------------------------------------------------------------


def test_what_is_listed_once_keeps_its_first_day():
    later = NOW + timedelta(days=1)
    first = replace(make_sighting(1), once=True)
    again = replace(first, seen_at=later, listed_on=later.date())
    assert [len(paper.new_listings) for paper in merge([], [first, again])] == [1]
    [known] = merge([], [first])
    assert merge([known_as(known)], [again])[0].new_listings == ()
    [other] = merge([known_as(known)], [replace(again, source="another")])
    assert other.new_listings == (Listing("another", later.date()),)


# A title here names one work: a title that two ids share is nobody's (see above).
sightings_of_few_papers = st.lists(
    st.builds(
        lambda number, has_id, source, day, organisation: make_sighting(
            number,
            arxiv_id=f"2602.{number:05d}" if has_id else "",
            source=source,
            listed_on=day,
            organisation=organisation,
            # Two counts of one source at one moment would be two observations each time.
            upvotes=number if source == "huggingface" else None,
        ),
        number=st.integers(1, 4),
        has_id=st.booleans(),
        source=st.sampled_from(["huggingface", "arxiv"]),
        day=st.sampled_from([None, TODAY, TOMORROW]),
        organisation=st.sampled_from(["", "Pond Lab", "Lake Lab"]),
    ),
    max_size=12,
)


@given(sightings_of_few_papers)
def test_merging_the_same_twice_changes_nothing_the_second_time(sightings):
    first = merge([], sightings)
    assert len({paper.key for paper in first}) == len(first)
    known = [known_as(paper, number) for number, paper in enumerate(first, 1)]
    second = merge(known, sightings)
    assert [paper.known_id for paper in second] == [each.id for each in known]
    assert not any(paper.is_new or paper.is_updated for paper in second)


@given(sightings_of_few_papers, st.integers(0, 12))
def test_two_batches_end_where_one_does(sightings, cut):
    at_once = {paper.key: known_as(paper) for paper in merge([], sightings)}
    known = {n: known_as(p, n) for n, p in enumerate(merge([], sightings[:cut]), 1)}
    for number, paper in enumerate(merge(known.values(), sightings[cut:]), 100):
        before = known.get(paper.known_id) if paper.known_id else None
        known[paper.known_id or number] = known_as(paper, number, before)
    in_two = {each.key: each for each in known.values()}
    assert len(in_two) == len(known)
    assert {key: (e.facts, e.signals, e.listings) for key, e in in_two.items()} == {
        key: (e.facts, e.signals, e.listings) for key, e in at_once.items()
    }
