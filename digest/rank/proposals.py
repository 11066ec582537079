"""Find other topics to propose for one that matches next to nothing, or nearly everything. Pure.

What is found here is only likely: the caller ranks it, and proposes what really helps.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from functools import cached_property
from itertools import combinations_with_replacement, islice, pairwise, product

from digest.rank.matching import Matching
from digest.rank.names import folded
from digest.rank.words import contains_run, pairs_of, stem_of, stems
from subscribers.filters import Field, Restriction

MOST = 9  # topics of each kind

_FAMILIAR = 2  # papers of the corpus that have a word, for it to be spelt right
_SURELY_SPELT = 3  # papers of these that have a spelling, for it to be no slip
_SHORTEST_GUESS = 5  # letters of a word whose spelling is guessed
_MOST_SLIPS = 2  # letters too many or too few
_ALIKE = 0.75  # by difflib's measure; the reader decides
_GUESSES = 3  # for each word
_ALIKE_NAMES = 0.85
_MOST_NAMES = 2000  # that are compared with one
_SHORTEST_PART = 3  # letters of a word that may be two
_KNOWN_PART = 5  # papers of the corpus that have each of the two
_ALONE = 3  # papers of the corpus that have a part of a topic without the rest
_SHARED = 2  # papers that mention a topic's words, and have a keyword in common
_WORD = re.compile(r"[^\W_]+")
_BREAK = re.compile(r"\b(?:in|for|with|on|of|using|by|via|under|and|or)\b|[,;/]", re.IGNORECASE)


class Proposals:
    """Other topics for any topic, by the words and keywords of some papers."""

    def __init__(self, matching: Matching) -> None:
        self._matching = matching
        self._corpus = matching.corpus

    def spellings(self, text: str) -> list[str]:
        """Return a topic with its unknown words as they are likely to be meant."""
        words = list(_WORD.finditer(text))
        likely = [self._likely(word[0]) for word in words]
        found = []
        for chosen in islice(product(*likely), MOST):
            other, end = "", 0
            for word, spelling in zip(words, chosen, strict=True):
                other += text[end : word.start()] + spelling
                end = word.end()
            found.append(other + text[end:])
        return _others(found, text)

    def names(self, restriction: Restriction) -> list[str]:
        """Return conditions with names of people or organisations that a name may be meant as."""
        match restriction:
            case Field("author", name):
                known = self._authors
            case Field("org", name):
                known = self._organisations
            case _:
                return []
        words = folded(name).split()
        sharing = {other for word in words for other in known.get(word[0], ())}
        if not words or len(sharing) > _MOST_NAMES:
            sharing = {other for other in sharing if set(words) & set(folded(other).split())}
        by_folded = {folded(other): other for other in sorted(sharing)[:_MOST_NAMES]}
        alike = get_close_matches(folded(name), by_folded, MOST, _ALIKE_NAMES)
        return [f'{restriction.name}:"{by_folded[other]}"' for other in alike]

    @cached_property
    def _authors(self) -> dict[str, set[str]]:
        """Return the authors of the papers by the first letter of each part of their names."""
        papers = self._matching.candidates
        return _by_letter(author for paper in papers for author in paper.facts.authors)

    @cached_property
    def _organisations(self) -> dict[str, set[str]]:
        return _by_letter(paper.facts.organisation for paper in self._matching.candidates)

    def forms(self, text: str) -> list[str]:
        """Return a topic with words that papers write together, apart or as abbreviations."""
        found = list(self._abbreviated(text))
        words = list(_WORD.finditer(text))
        for first, second in pairwise(words):
            joined = first[0] + second[0]
            if self._corpus.papers_with(stem_of(joined)):
                found.append(text[: first.start()] + joined + text[second.end() :])
        for word in words:
            before, after = text[: word.start()], text[word.end() :]
            found.extend(before + apart + after for apart in self._apart(word[0]))
        return _others(found, text)

    def broader(self, text: str) -> list[str]:
        """Return a topic without some of its words, and what papers with its words are about.

        The more of the words are left, and the better known they are, the earlier it comes.
        """
        parts = sorted(
            {*_runs_of_concepts(text), *self._runs_of_words(text)},
            key=lambda part: (-len(stems(part)), self._corpus.weight_of(stems(part)), part),
        )
        return _others([*parts, *self._keywords(self._mentioning(text), _SHARED)], text)

    def narrower(self, text: str, numbers: Iterable[int]) -> list[str]:
        """Return keywords of the papers of these numbers that say more than a topic does."""
        said = stems(text)
        longer = [
            keyword
            for keyword in self._keywords(numbers, 1)
            if contains_run(stems(keyword), said) and len(stems(keyword)) > len(said)
        ]
        return _others(longer, text)

    # ---- spelling and forms ----

    def _likely(self, word: str) -> list[str]:
        """Return spellings that a word is likely to be meant as, only itself if it is known."""
        stem, typed = stem_of(word), word.lower()
        if not stem or len(word) < _SHORTEST_GUESS or self._corpus.papers_with(stem) >= _FAMILIAR:
            return [word]
        alike = [
            known
            for known in self._spellings.get(typed[0], ())
            if abs(len(known) - len(typed)) <= _MOST_SLIPS
        ]
        # Letters in another order are the commonest slip, and look less alike than they are.
        turned = [known for known in alike if sorted(known) == sorted(typed)]
        close = get_close_matches(typed, alike, _GUESSES, _ALIKE)
        return list(dict.fromkeys([*turned, *close]))[:_GUESSES] or [word]

    @cached_property
    def _spellings(self) -> dict[str, list[str]]:
        """Return the words that some papers have, in lower case, by their first letter."""
        papers_with = Counter(
            word
            for candidate in self._matching.candidates
            for word in set(_WORD.findall(f"{candidate.facts.title} {candidate.facts.abstract}"))
        )
        words = defaultdict(list)
        for word, papers in sorted(papers_with.items()):
            if papers >= _SURELY_SPELT and word.islower():
                words[word[0]].append(word)
        return words

    def _abbreviated(self, text: str) -> Iterator[str]:
        """Yield a topic with an abbreviation in its long form, or the other way round."""
        words = list(_WORD.finditer(text))
        for first, last in combinations_with_replacement(words, 2):
            run = stems(text[first.start() : last.end()])
            if tuple(run) in self._corpus.other_forms:
                for pair in self._corpus.abbreviations.items():
                    for one, other in (pair, pair[::-1]):
                        if stems(one) == run:
                            yield text[: first.start()] + other + text[last.end() :]

    def _apart(self, word: str) -> Iterator[str]:
        """Yield the two words, or the three with "to" between them, that a word may be."""
        for place in range(_SHORTEST_PART, len(word) - _SHORTEST_PART + 1):
            first, second = word[:place], word[place:]
            if self._are_known(first, second):
                yield f"{first}-{second}"
            elif second.startswith("to") and self._are_known(first, second[2:]):
                yield f"{first}-to-{second[2:]}"

    def _are_known(self, *parts: str) -> bool:
        return all(
            len(part) >= _SHORTEST_PART and self._corpus.papers_with(stem_of(part)) >= _KNOWN_PART
            for part in parts
        )

    # ---- fewer words, and keywords ----

    def _runs_of_words(self, text: str) -> Iterator[str]:
        """Yield words of a concept side by side that papers have without the rest of it."""
        for start, end in _concepts(text):
            words = [word for word in _WORD.finditer(text, start, end) if stem_of(word[0])]
            for first, last in combinations_with_replacement(range(len(words)), 2):
                run = text[words[first].start() : words[last].end()]
                if self._stands_alone([stem_of(word[0]) for word in words], first, last):
                    yield run

    def _stands_alone(self, concept: Sequence[str], first: int, last: int) -> bool:
        """Return whether papers have a run of stems without the words before and after it."""
        own = concept[first : last + 1]
        having = set.intersection(*(self._rows(term) for term in pairs_of(own) or own))
        around = pairs_of(concept[max(0, first - 1) : first + 1])
        around += pairs_of(concept[last : last + 2])
        return len(having.difference(*map(self._rows, around))) >= _ALONE

    def _rows(self, term: str) -> set[int]:
        """Return the rows of the corpus's papers that have a term."""
        column = self._corpus.column_of.get(term)
        return set() if column is None else set(self._corpus.papers.with_word(column).tolist())

    def _mentioning(self, text: str) -> list[int]:
        """Return the numbers of the papers that have all words of a topic."""
        columns = [self._corpus.column_of.get(stem) for stem in stems(text)]
        having = [
            set() if column is None else set(self._matching.papers.with_word(column).tolist())
            for column in columns
        ]
        return sorted(set.intersection(*having)) if having else []

    def _keywords(self, numbers: Iterable[int], least: int) -> list[str]:
        """Return the keywords that so many of some papers have, the commonest first."""
        counted = Counter(
            keyword
            for number in numbers
            for keyword in {
                word.casefold() for word in self._matching.candidates[number].facts.keywords
            }
        )
        shared = [keyword for keyword in counted if counted[keyword] >= least]
        return sorted(shared, key=lambda keyword: (-counted[keyword], keyword))


def _concepts(text: str) -> list[tuple[int, int]]:
    """Return the start and end of each part of a text between words such as "for"."""
    breaks = [(found.start(), found.end()) for found in _BREAK.finditer(text)]
    starts = [0, *(end for _, end in breaks)]
    ends = [*(start for start, _ in breaks), len(text)]
    return [(start, end) for start, end in zip(starts, ends, strict=True) if stems(text[start:end])]


def _runs_of_concepts(text: str) -> Iterator[str]:
    """Yield a topic of several concepts without the first or the last of them, or more."""
    for (start, _), (_, end) in combinations_with_replacement(_concepts(text), 2):
        yield text[start:end].strip()


def _others(found: Iterable[str], text: str) -> list[str]:
    """Return the first few that are not the topic itself."""
    return [other for other in dict.fromkeys(found) if stems(other) not in ([], stems(text))][:MOST]


def _by_letter(names: Iterable[str]) -> dict[str, set[str]]:
    by_letter = defaultdict(set)
    for name in set(names):
        for word in folded(name).split():
            by_letter[word[0]].add(name)
    return by_letter
