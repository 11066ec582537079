"""How well a paper fits a topic filter, and why. Pure and deterministic.

The score is ``coverage ** 2 * strength``: the part of the topic's words that the paper has at all,
squared so that half a topic is far less than half a match, times a strength: the mean over the
places where the words were found (a title says what a paper is about, an abstract what it
mentions). Words that stand side by side, as in the topic, are worth more than that; words that are
merely scattered over the text are worth less.
"""

from dataclasses import dataclass

from digest.model import Candidate, Facts, Match, Place, Reason
from digest.rank.words import contains_run, stems
from subscribers.topics import TopicFilter

_STRENGTH = {Place.TITLE: 1.0, Place.KEYWORDS: 0.7, Place.ABSTRACT: 0.5}
_AS_A_PHRASE = 0.2  # more
_SCATTERED = 0.6  # times


@dataclass(frozen=True)
class Text:
    """A paper's stems, place by place, the strongest first."""

    places: dict[Place, list[str]]

    def has_all(self, wanted: set[str]) -> bool:
        """Whether every stem stands somewhere."""
        return wanted <= {word for words in self.places.values() for word in words}

    @classmethod
    def of(cls, facts: Facts) -> "Text":
        # The summary is the source's sentence about the abstract, so it counts as that.
        # A full stop keeps the end of one text from making a phrase with the start of the next.
        return cls(
            {
                Place.TITLE: stems(facts.title),
                Place.KEYWORDS: _apart(facts.keywords),
                Place.ABSTRACT: _apart((facts.summary, facts.abstract)),
            }
        )


def _apart(texts: tuple[str, ...]) -> list[str]:
    return [stem for text in texts for stem in (*stems(text), ".")]


class Matcher:
    """Matches topics against one pool; each paper's text is read once for all topics."""

    def __init__(self, candidates: tuple[Candidate, ...]) -> None:
        self._texts = [(candidate, Text.of(candidate.facts)) for candidate in candidates]
        self._mentioning: dict[TopicFilter, set[int]] = {}
        self._found: dict[TopicFilter, dict[int, Match]] = {}

    def mentioning(self, topic: TopicFilter) -> set[int]:
        """The ids of the candidates that have all words of a topic, wherever they stand."""
        if topic not in self._mentioning:
            wanted = set(stems(topic.text))
            self._mentioning[topic] = {
                each.paper_id for each, text in self._texts if wanted and text.has_all(wanted)
            }
        return self._mentioning[topic]

    def matches(self, topic: TopicFilter) -> dict[int, Match]:
        """Every candidate with a score above 0, by its id. Asked twice, it is computed once."""
        # By the text as typed, not by its folded case: the reason repeats it to its reader.
        if topic not in self._found:
            wanted = stems(topic.text)
            scored = ((each, match(topic, wanted, text)) for each, text in self._texts)
            self._found[topic] = {each.paper_id: found for each, found in scored if found}
        return self._found[topic]


def match(topic: TopicFilter, wanted: list[str], text: Text) -> Match | None:
    """The match of a topic, whose stems are ``wanted``, with a paper; none if no word is there."""
    distinct = set(wanted)
    place_of = {
        word: next((place for place, words in text.places.items() if word in words), None)
        for word in distinct
    }
    places = [place for place in place_of.values() if place]
    if not places:
        return None
    strength = sum(_STRENGTH[place] for place in places) / len(places)
    phrase_in = next(
        (place for place, words in text.places.items() if contains_run(words, wanted)), None
    )
    if len(wanted) > 1:
        as_phrase = _STRENGTH[phrase_in] + _AS_A_PHRASE if phrase_in else 0.0
        strength = min(1.0, max(strength * _SCATTERED, as_phrase))
    score = (len(places) / len(distinct)) ** 2 * strength
    # The reader is told the weakest place among the words: all of them stand there or higher up.
    weakest = phrase_in or min(places, key=lambda place: _STRENGTH[place])
    return Match(score, Reason(topic.text, weakest))
