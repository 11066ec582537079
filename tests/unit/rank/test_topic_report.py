"""What a topic would have matched, and proposals that really help."""

from dataclasses import replace
from datetime import date
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.model.papers import Revision
from digest.rank.matching import Matching
from digest.rank.readers import THRESHOLDS
from digest.rank.topic_report import KEPT, SHOWN, TopicReports
from subscribers.errors import TopicError
from subscribers.preferences import Strictness
from subscribers.topic_reports import Amount, Hint, HintKind
from subscribers.topics import MOST_TOPICS, TopicFilter
from tests.support import TODAY, examples, make_candidate, shipped_background

NORMAL, BROAD = Strictness.NORMAL, Strictness.BROAD
ABOUT = {
    "diffusion models": "Diffusion models denoise images. We train diffusion models that sample images.",
    "multi-agent systems": "Multi-agent systems of agents that talk. A multi-agent benchmark of agents.",
    "text-to-video generation": "Text-to-video generation makes a video from a text. We generate video.",
    "robot manipulation": "A robot arm grasps. Robot manipulation policies of a robot with two arms.",
    "sparse autoencoders": "Sparse autoencoders find features. We read sparse autoencoders' features.",
}
AUTHORS = ["Jane Doe", "Ana Müller", "Kaiming He"]


def paper(number, topic, **facts):
    said = {"title": f"A study of {topic}, part {number}", "abstract": ABOUT[topic]} | facts
    return make_candidate(number, keywords=(topic, f"deep {topic}"), upvotes=number % 7, **said)


@cache
def matching(each=6):
    papers = [
        paper(100 * row + number, topic, authors=(AUTHORS[number % 3],), organisation="DeepMind")
        for row, topic in enumerate(ABOUT)
        for number in range(each)
    ]
    return Matching(shipped_background(), papers)


def report(topic, strictness=NORMAL, among=None):
    reports = TopicReports(among or matching(), TODAY)
    (found,) = reports.of([TopicFilter.parse(topic)], strictness)
    return found


def hint(topic, kind, **how):
    return next((hint for hint in report(topic, **how).hints if hint.kind is kind), None)


def test_a_report_has_the_papers_that_match_and_the_three_best():
    found = report("sparse autoencoders")
    assert (found.papers, found.of, found.until) == (6, 30, TODAY)
    assert found.amount is Amount.SOME
    assert len(found.best) == SHOWN
    assert all("sparse autoencoders" in best.title for best in found.best)
    assert found.at[Strictness.STRICT] <= found.at[NORMAL] <= found.at[BROAD]
    assert (found.hints, found.language) == ((), "")


def test_a_topic_that_does_well_is_left_alone_and_one_that_no_paper_is_about_has_no_proposal():
    assert report("robot manipulation").hints == ()
    alien = report("apple pie")
    assert (alien.papers, alien.amount, alien.best, alien.hints) == (0, Amount.NONE, (), ())


@pytest.mark.parametrize(
    ("typed", "kind", "proposed"),
    [
        ("diffuison modles", HintKind.SPELLING, "diffusion models"),
        ("spasre autoencodrs", HintKind.SPELLING, "sparse autoencoders"),
        ("texttovideo", HintKind.FORM, "text-to-video"),
        ("sparse autoencoders for dentists", HintKind.BROADER, "sparse autoencoders"),
        ('"sparse autoencoders" author:"Nobody Else"', HintKind.CONDITIONS, "sparse autoencoders"),
        ('author:"Jane Dow"', HintKind.NAME, 'author:"Jane Doe"'),
        ('author:"Ana Mueler"', HintKind.NAME, 'author:"Ana Müller"'),
        ('org:"Depmind"', HintKind.NAME, 'org:"DeepMind"'),
    ],
)
def test_what_is_likely_meant_is_proposed_with_how_many_papers_it_matches(typed, kind, proposed):
    found = hint(typed, kind)
    assert found is not None
    assert found == Hint(kind, proposed, report(proposed).papers)
    assert found.papers > report(typed).papers


def test_of_too_many_papers_a_narrower_topic_or_a_stricter_match_is_proposed():
    many = [paper(number, "diffusion models") for number in range(60)]
    few = [
        paper(100 + number, "diffusion models", title=f"Video diffusion models {number}")
        for number in range(8)
    ]
    few = [
        replace(one, facts=replace(one.facts, keywords=("video diffusion models",))) for one in few
    ]
    rest = [paper(200 + number, "robot manipulation") for number in range(40)]
    among = Matching(shipped_background(), [*many, *few, *rest])
    found = report("diffusion models", among=among)
    assert found.amount is Amount.FLOOD
    for proposal in found.hints:
        assert proposal.papers <= found.papers * 0.6
        assert proposal.kind in (HintKind.NARROWER, HintKind.STRICTNESS)


class Scored:
    """Matching as ``scores`` say, which has a row for each text; what it lacks matches nothing."""

    def __init__(self, scores, many):
        self.corpus, self.scores = shipped_background(), scores
        self.candidates = [
            make_candidate(number, title=f"Paper {number}") for number in range(many)
        ]
        self.standing = np.zeros(many, np.float32)
        self.papers = matching().corpus.read(self.corpus.matrix([{}] * many))
        self.asked = []

    def match(self, topics, least):
        self.asked += [topic.text for topic in topics]
        none = [0.0] * len(self.candidates)
        rows = [self.scores.get(topic.text, none) for topic in topics]
        return SimpleNamespace(scores=np.array(rows, np.float32).reshape(len(rows), len(none)))


@given(st.lists(st.floats(0, 1, width=32), min_size=40, max_size=40), st.sampled_from(Strictness))
def test_numbers_are_those_of_the_scores_and_a_strictness_is_proposed_where_it_helps(
    scores, strictness
):
    found = report("robots", strictness, Scored({"robots": scores}, len(scores)))
    levels = {level: sum(score >= least for score in scores) for level, least in EXACT.items()}
    assert dict(found.at) == levels
    assert found.papers == levels[strictness]
    assert len(found.best) == min(SHOWN, found.papers)
    best = sorted(range(len(scores)), key=lambda n: (-np.float32(scores[n]), n))[: len(found.best)]
    assert [scores[int(b.title.split()[1])] for b in found.best] == [scores[n] for n in best]
    for proposal in found.hints:
        assert proposal.papers == levels[Strictness(proposal.proposed)]
        assert (proposal.papers < found.papers) == (found.amount is Amount.FLOOD)
        assert proposal.papers != found.papers
    if found.amount is Amount.SOME:
        assert not found.hints
    if found.papers == 0 and 3 <= levels[BROAD] < 30:
        assert found.hints


EXACT = {level: np.float32(least) for level, least in THRESHOLDS.items()}


@settings(max_examples=examples(100))
@given(
    st.lists(
        st.sampled_from([*ABOUT, "apple", "pie", "for", "spasre", "modles", "agents", "LLM", "in"]),
        min_size=1,
        max_size=4,
    ).map(" ".join),
    st.sampled_from(Strictness),
)
def test_every_proposal_of_any_topic_matches_more_papers_or_fewer_of_too_many(words, strictness):
    found = report(words, strictness)
    for proposal in found.hints:
        if proposal.kind is HintKind.STRICTNESS:
            again = report(words, Strictness(proposal.proposed))
        else:
            again = report(proposal.proposed, strictness)
        assert again.papers == proposal.papers
        if found.amount is Amount.FLOOD:
            assert again.papers < found.papers
        else:
            assert again.papers > found.papers


@given(st.text(min_size=1, max_size=60))
@settings(max_examples=examples(100), deadline=None)
def test_any_topic_has_a_report(typed):
    try:
        topic = TopicFilter.parse(typed)
    except TopicError:
        return
    (found,) = TopicReports(matching(1), TODAY).of([topic], NORMAL)
    assert found.topic == topic.text


def test_a_topic_in_another_language_says_so_and_proposes_nothing():
    found = report("maschinelles Lernen")
    assert (found.language, found.hints) == ("de", ())


def test_only_what_hardly_matches_is_asked_for_its_language():
    among = Scored({"maschinelles Lernen": [0.9] * 4}, 4)
    assert report("maschinelles Lernen", among=among).language == ""


def test_conditions_alone_are_said_to_be_conditions():
    found = report('author:"Nobody Else"')
    assert (found.only_restricts, found.amount) == (True, Amount.NONE)
    assert not report("agents cat:cs.CL").only_restricts


def test_withdrawn_papers_are_counted_nowhere():
    papers = [paper(number, "sparse autoencoders") for number in range(4)]
    gone = replace(papers[0], facts=replace(papers[0].facts, revision=Revision.WITHDRAWN))
    found = report("sparse autoencoders", among=Matching(shipped_background(), [gone, *papers[1:]]))
    assert found.papers == 3
    assert gone.facts.title not in [best.title for best in found.best]


def test_without_papers_there_is_nothing_to_report():
    empty = Matching(shipped_background(), ())
    assert TopicReports(empty, TODAY).of([TopicFilter("robots")], NORMAL) == []


def test_a_topic_is_matched_once_and_so_many_are_reported_on_at_a_time():
    among = Scored({f"topic {n}": [0.9] * 5 for n in range(30)}, 5)
    reports = TopicReports(among, date(2026, 2, 20))
    topics = [TopicFilter(f"topic {n}") for n in range(30)]
    first = reports.of(topics, NORMAL)
    assert len(first) == MOST_TOPICS
    asked = list(among.asked)
    assert reports.of(topics, NORMAL) == first
    assert among.asked == asked


def test_what_is_kept_is_bounded():
    among = Scored({}, 1)
    reports = TopicReports(among, TODAY)
    reports._made = {(str(n), NORMAL): None for n in range(KEPT)}
    reports.of([TopicFilter("robots")], NORMAL)
    assert len(reports._made) == 1


def test_another_name_is_proposed_only_if_it_has_more_papers():
    papers = [paper(1, "sparse autoencoders", authors=("Ada Lovelacy",))]
    papers += [paper(2 + n, "diffusion models", authors=("Ada Lovelace",)) for n in range(2)]
    among = Matching(shipped_background(), papers)
    assert [hint.proposed for hint in report('author:"Ada Lovelacy"', among=among).hints] == [
        'author:"Ada Lovelace"'
    ]
    assert report('author:"Ada Lovelace"', among=among).hints == ()
