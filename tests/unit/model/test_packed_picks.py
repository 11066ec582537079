"""The picks of a digest as a text: they come back as they were."""

import re
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from digest.model.digests import Candidate, Match, Pick, Reason, Section
from digest.model.packed_picks import numbers_in, pack, pattern_of, picks_of, unpack
from digest.model.papers import Facts, Signals

# Whatever may stand in a topic or title, lone surrogates and line breaks of every kind as well.
texts = st.text(st.characters() | st.sampled_from("\n\r\u2028\x85\x00\ud800[1,"))
reasons = st.builds(Reason, texts, st.lists(texts, max_size=3).map(tuple), texts, texts)
matches = st.builds(Match, st.floats(0, 1), reasons)
papers = st.integers(1, 10**9).map(
    lambda number: Candidate(number, "", Facts(""), Signals(), date.min)
)
picks = st.builds(Pick, st.sampled_from(Section), papers, st.none() | matches)


@given(st.lists(picks).map(tuple))
def test_picks_come_back_as_they_were(picks):
    text = pack(picks)
    by_number = {pick.candidate.paper_id: pick.candidate for pick in picks}
    assert numbers_in([text]) == by_number.keys()
    assert picks_of(text, by_number) == picks
    assert all(re.search(pattern_of([number, 2**40]), text) for number in by_number)
    assert not re.search(pattern_of({2**40}), pack(pick for pick in picks if not pick.match))


def test_the_form_that_databases_hold():
    """A migration must follow if this changes."""
    match = Match(0.7312, Reason("agents", ("tool use",)))
    liked = Match(1.0, Reason("", liked="A “title”"))
    kept = (
        '[12,"f",0.7312,"agents",["tool use"]]\n'
        '[3,"f",1.0,"",[],"A \\u201ctitle\\u201d"]\n'
        '[4,"f",0.5]\n[123,"t"]\n[5,"r"]'
    )
    found = unpack(kept)
    assert found == [
        (12, Section.FOR_YOU, match),
        (3, Section.FOR_YOU, liked),
        (4, Section.FOR_YOU, Match(0.5, Reason(""))),
        (123, Section.TRENDING, None),
        (5, Section.RISING, None),
    ]
    again = [Pick(section, Candidate(number, "", Facts(""), Signals(), date.min), match)
             for number, section, match in found]  # fmt: skip
    assert pack(again) == kept
    assert unpack("") == []
