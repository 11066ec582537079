"""Why a paper fits a topic, in words that stand in it. Pure."""

from collections.abc import Mapping, Sequence

from digest.model.digests import Candidate, Reason
from digest.rank.words import stem_of, words_of

MOST_WORDS = 3
_LEAST = 3  # letters that a word needs to say anything


def reason(
    topic: str, own: Sequence[str], utility: Mapping[str, float], candidate: Candidate
) -> Reason:
    """The reason for a candidate that fits ``topic``, the filter's text.

    ``utility`` says what each stem adds to the paper's score. Those of the topic's ``own`` come
    first where the paper lacks some of them (else the topic itself says it), then what
    the topic's best papers have in common with this one, all as the paper spells it.
    """
    spelt = _spellings(candidate)
    found = sorted(
        (stem for stem in utility if stem in spelt and len(spelt[stem]) >= _LEAST),
        key=lambda stem: (stem not in own, -utility[stem], stem),
    )
    if set(own) <= spelt.keys():
        found = [stem for stem in found if stem not in own]
    return Reason(topic, tuple(spelt[stem] for stem in found[:MOST_WORDS]))


def _spellings(candidate: Candidate) -> dict[str, str]:
    """How a paper first spells each stem: in its keywords and abstract, or else in its title.

    A title has capitals that say nothing.
    """
    facts = candidate.facts
    spelt: dict[str, str] = {}
    for text in (facts.summary, facts.abstract, *facts.keywords, facts.title):
        for word in words_of(text):
            spelt.setdefault(stem_of(word), word)
    return spelt
