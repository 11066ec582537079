"""Narrow a search to the papers that are worth ranking, by words alone. Pure.

The ranking reads whole papers, so that it can only be asked of some. What its comparison by words
would add for each word of a topic, and of the papers of the corpus that fit the topic best, is
summed up here for all papers of the index; those with the largest sums are ranked. A restriction
narrows as far as words can tell; the ranking then looks at the papers themselves.
"""

from collections.abc import Callable, Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from digest.rank.abbreviations import OtherForms
from digest.rank.index_words import LEVELS, marked, organisation_word, paired_names, single_names
from digest.rank.names import organisation
from digest.rank.reference_corpus import K1, Ints, ReferenceCorpus
from digest.rank.relevance import Profiles, Query
from digest.rank.topic_words import TopicWords
from digest.rank.words import stems
from subscribers.filters import And, Field, Or, Phrase, Restriction

_MOST_WORDS = 40  # of a topic and its feedback, the strongest
_WEAKEST = 0.02  # of the strongest

Having = Callable[[str], Ints]  # the papers that have a word of the index, by number
Weights = dict[str, float]  # of terms: stems, and pairs with a blank between them


def word_weights(
    query: Query, profiles: Profiles, corpus: ReferenceCorpus
) -> tuple[Weights, set[str]]:
    """Return what terms weigh for a topic, the only one of ``profiles``, and its own stems."""
    row = profiles.word_weights(0)
    weights = {
        corpus.words[column]: float(weight * corpus.idf[column])
        for column, weight in zip(row.indices.tolist(), row.data.tolist(), strict=True)
        if weight > 0
    }
    strongest = max(weights.values(), default=corpus.highest_idf)
    kept = sorted(weights, key=lambda term: (-weights[term], term))[:_MOST_WORDS]
    found = {term: weights[term] for term in kept if weights[term] >= _WEAKEST * strongest}
    # The very words of a topic raise a paper's score, whether the corpus knows them or not.
    topic = TopicWords.of(query.words, corpus)
    own = {stem for concept in topic.concepts for form in concept for stem in form}
    for stem in own:
        found[stem] = max(found.get(stem, 0), strongest if stem not in weights else 0)
    return found, own


def sums(weights: Weights, own: Collection[str], having: Having, many: int) -> NDArray[np.float32]:
    """Return for each of many papers, by number, the sum of the weights of its terms.

    Of the topic's ``own`` words it also counts how often they stand in the paper, as BM25 does.
    """
    total = np.zeros(many, np.float32)
    for term, weight in weights.items():
        words = term.split(" ")
        levels = LEVELS if all(word in own for word in words) else LEVELS[:1]
        before = 0.0
        for level in levels:
            value = level * (K1 + 1) / (level + K1)
            found = _all_of([marked(word, level) for word in words], having)
            total[found] += weight * (value - before)
            before = value
    return total


def allowed(
    restriction: Restriction | None,
    having: Having,
    organisations: Sequence[str],
    others: OtherForms,
) -> Ints | None:
    """Return the papers that a restriction may let in, as far as words tell; None is all."""
    found: Ints | None = None  # of what is negated, a category, a comparison: words do not tell
    match restriction:
        case Phrase(phrase) | Field("title" | "keyword", phrase):
            found = _with_phrase(phrase, having, others)
        case Field("author", name):
            found = _by_author(name, having)
        case Field("org", name):
            theirs = [
                other for other in organisations if organisation(name).is_in(organisation(other))
            ]
            found = _any_of([having(word) for word in sorted(set(map(organisation_word, theirs)))])
        case And(parts) | Or(parts):
            each_part = [allowed(part, having, organisations, others) for part in parts]
            known = [ids for ids in each_part if ids is not None]
            if isinstance(restriction, And):
                found = _intersection(known)
            elif len(known) == len(each_part):
                found = _any_of(known)
    return found


def _with_phrase(phrase: str, having: Having, others: OtherForms) -> Ints | None:
    wanted = stems(phrase)
    if not wanted:
        return None
    forms = [wanted, list(others.get(tuple(wanted), ()))]
    return _any_of([_all_of(form, having) for form in forms if form])


def _by_author(name: str, having: Having) -> Ints:
    """Return the papers of people who may have a name: of two parts they share two."""
    words = set(paired_names(name)) or set(single_names(name))
    return _any_of([having(word) for word in sorted(words)])


def _all_of(words: Sequence[str], having: Having) -> Ints:
    found = _intersection([having(word) for word in words])
    return np.zeros(0, np.int32) if found is None else found


def _intersection(found: Sequence[Ints]) -> Ints | None:
    if not found:
        return None
    common, *rest = sorted(found, key=len)
    for ids in rest:
        common = np.intersect1d(common, ids, assume_unique=True)
    return common


def _any_of(found: Sequence[Ints]) -> Ints:
    return np.unique(np.concatenate(found)) if found else np.zeros(0, np.int32)
