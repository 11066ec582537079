"""A few papers to start from, among recorded ones of 57 days."""

import re
from dataclasses import replace
from datetime import date

import pytest

from digest.cli.make_corpus import read_recorded
from digest.collect.bibliography import read_bibliography
from digest.model.digests import Candidate, Section
from digest.model.identity import paper_key
from digest.model.papers import Signals
from digest.rank.corpora import learn
from digest.rank.ranker import Ranker
from digest.rank.readers import Limits, Reader
from tests.conftest import CORPUS
from tests.support import make_edition

SUBJECTS = {
    "speech": (r"\bspeech|\btts\b|text-to-speech", r"speech|audio|voice|spoken"),
    "robots": (r"\brobot|manipulation|embodied", r"robot|manipulat|embodied|action"),
    "places": (r"gaussian splat|\b3D\b|NeRF", r"3D|splat|view|geometr"),
    "films": (r"video gener|text-to-video", r"video"),
}


@pytest.fixture(scope="module")
def known():
    if not CORPUS.is_dir():
        pytest.skip(f"no corpus at {CORPUS} (set PAPER_DIGEST_CORPUS)")
    return read_recorded([CORPUS / "hf_daily"])


@pytest.fixture(scope="module")
def corpus(known):
    return learn(known)


def on(known, subject, *, loosely=False):
    """The ids of papers on a subject: by their title or, loosely, by their abstract as well."""
    strict, loose = (re.compile(pattern, re.IGNORECASE) for pattern in SUBJECTS[subject])
    return [
        key
        for key, facts in sorted(known.items())
        if strict.search(facts.title)
        or (loosely and loose.search(f"{facts.title} {facts.abstract}"))
    ]


def digest(known, corpus, own):
    """For you, of an edition with all other papers, for somebody who gave these and no topic."""
    text = "\n".join(f"https://arxiv.org/abs/{key.removeprefix('arxiv:')}v2" for key in own)
    given = [
        paper_key(facts.arxiv_id, facts.doi, facts.title)
        for facts in read_bibliography(text).papers
    ]
    assert given == own
    day = [
        Candidate(number, key, facts, Signals(), date(2025, 1, 1))
        for number, (key, facts) in enumerate(sorted(known.items()))
        if key not in own
    ]
    edition = replace(make_edition(*day), day=date(2025, 1, 1))
    ranker = Ranker(edition, corpus, Limits(for_you=300, trending=0), known)
    found = ranker.digest(Reader(own=tuple(given), most=300))
    return [pick for pick in found.picks if pick.section is Section.FOR_YOU]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_five_links_are_enough_to_get_papers_like_them(known, corpus, subject):
    strictly = on(known, subject)
    own, others = strictly[:5], set(strictly[5:])
    picks = digest(known, corpus, own)
    found = {pick.candidate.key for pick in picks}
    assert len(found & others) >= 0.6 * len(others), "most of them are found"
    assert len(found & set(on(known, subject, loosely=True))) >= 0.8 * len(found), "and not others"
    titles = {known[key].title for key in own}
    assert {pick.match.reason.liked for pick in picks} <= titles


def test_papers_on_several_subjects_find_papers_on_each(known, corpus):
    """A profile of all of them together would find hardly any."""
    own = [key for subject in SUBJECTS for key in on(known, subject)[:5]]
    own = list(dict.fromkeys(own))
    found = {pick.candidate.key for pick in digest(known, corpus, own)}
    for subject in SUBJECTS:
        others = set(on(known, subject)) - set(own)
        assert len(found & others) >= 0.45 * len(others), subject
