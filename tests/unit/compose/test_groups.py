"""How the papers of a digest are arranged."""

from hypothesis import given
from hypothesis import strategies as st

from digest.compose.groups import Size, arranged
from digest.model.digests import Match, Pick, Reason, Section
from tests.support import make_candidate


def pick(number, topic="", score=0.9, upvotes=3):
    candidate = make_candidate(number, upvotes=upvotes)
    if not topic:
        return Pick(Section.TRENDING, candidate)
    return Pick(Section.FOR_YOU, candidate, Match(score, Reason(topic)))


def test_the_best_match_leads_and_votes_decide_between_equals():
    picks = [pick(1, "a", 0.91), pick(2, "b", 0.97, 3), pick(3, "a", 0.97, 9), pick(4, "", 0, 999)]
    lead = arranged(picks)[0].papers[0]
    assert (lead[0].candidate.paper_id, lead[1]) == (3, Size.LEAD)
    assert [group.first.candidate.paper_id for group in arranged(picks)] == [3, 2, 4]


def test_papers_chosen_by_votes_are_rows_unless_nothing_matches():
    sizes = [size for _, size in arranged([pick(1, "a"), pick(2), pick(3)])[1].papers]
    assert sizes == [Size.ROW, Size.ROW]
    alone = [size for _, size in arranged([pick(n) for n in range(1, 6)])[0].papers]
    assert alone == [Size.LEAD, Size.MEDIUM, Size.MEDIUM, Size.ROW, Size.ROW]


@given(st.lists(st.tuples(st.sampled_from(["", "a", "b", "c"]), st.floats(0, 1)), max_size=30))
def test_every_paper_stands_once_and_one_leads(papers):
    picks = [pick(number, topic, score) for number, (topic, score) in enumerate(papers, 1)]
    shown = [paper for group in arranged(picks) for paper in group.papers]
    assert sorted(p.candidate.paper_id for p, _ in shown) == list(range(1, len(picks) + 1))
    sizes = [size for _, size in shown]
    assert sizes.count(Size.LEAD) == min(1, len(picks))
    assert sizes.count(Size.MEDIUM) <= 5
