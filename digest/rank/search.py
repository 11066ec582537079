"""Search all collected papers by topic, for the command line, the public page and feeds.

The full-text index narrows them to those worth ranking (narrowing.py), and the ranking orders
these. What the index has not read yet is ranked as well, the newest first.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from digest.ledger.ledger import Ledger
from digest.model.digests import Candidate, Match, Pick, Section
from digest.model.papers import Signals
from digest.model.search import Found, SearchOrder, SearchQuery
from digest.rank import narrowing
from digest.rank.index_words import VERSION
from digest.rank.matching import Matched, Matching, Topic
from digest.rank.read_papers import ReadPaper, ReadPapers, ready
from digest.rank.readers import THRESHOLDS
from digest.rank.reference_corpus import Embed, Ints, ReferenceCorpus
from digest.rank.relevance import Profiles
from digest.rank.words import stems
from subscribers.filters import And, Comparison, Filter, Not, Or, Restriction

MOST_RANKED = 1000
PAGE = 20  # papers
_MOST_WORDS = 1000  # whose papers are kept in memory


@dataclass(frozen=True, eq=False)
class _Stock:
    """The papers to search at one state of the ledger.

    By the number of a paper, ``days`` has the ordinal of the day that first listed it (0: none did)
    and ``upvotes`` its votes (-1: nobody says).
    """

    state: tuple[int, ...]
    has_index: bool
    reading: int
    days: Ints
    upvotes: Ints
    unread: Ints
    organisations: Sequence[str]

    @property
    def observed(self) -> int:
        """Return the number of the last observation in it."""
        return self.state[1]


class Search:
    """The search in one ledger."""

    def __init__(
        self,
        ledger: Ledger,
        corpus: Callable[[], ReferenceCorpus],
        embed: Embed | None = None,
        most_ranked: int = MOST_RANKED,
    ) -> None:
        self._ledger = ledger
        self._corpus = corpus
        self._embed = embed
        self._most_ranked = most_ranked
        self._read_papers = ReadPapers(ledger.searched, embed)
        self._lock = Lock()
        self._stock: _Stock | None = None
        self._having = lru_cache(_MOST_WORDS)(self._look_up)

    def find(self, query: SearchQuery, start: int = 0, most: int = PAGE) -> Found:
        """Return ``most`` of the papers that fit a query, without the first ``start``."""
        corpus, stock = self._corpus(), self._current()
        topic = Topic(query.topic.text)
        profiles = Matching(corpus, (), embed=self._embed).profiles([topic])
        numbers, is_cut = self._worth_ranking(query, topic, profiles[0], corpus, stock)
        papers = self._read_papers.take(numbers.tolist(), corpus)
        if not papers:
            return Found([], 0)
        candidates = self._candidates(papers, stock, topic.filter)
        matching = Matching(corpus, candidates, embed=self._embed)
        matching.papers = ready(list(papers.values()), corpus)
        threshold = THRESHOLDS[query.strictness]
        matched = matching.match([topic], threshold, profiles)
        fitting = np.flatnonzero(matched.scores[0] >= threshold)
        chosen = np.array(list(papers), np.int32)[fitting]
        keys = [-chosen, -stock.days[chosen], -matched.scores[0][fitting]]  # the last one decides
        if query.order is SearchOrder.NEWEST:
            keys.append(-stock.days[chosen])
        if query.order is SearchOrder.VOTES:
            keys.append(-stock.upvotes[chosen])
        ordered = fitting[np.lexsort(keys)]
        return Found(self._picks(matched, ordered[start : start + most]), len(ordered), is_cut)

    def _worth_ranking(
        self,
        query: SearchQuery,
        topic: Topic,
        profile: Profiles,
        corpus: ReferenceCorpus,
        stock: _Stock,
    ) -> tuple[NDArray[np.intp], bool]:
        """Return the numbers of the papers to rank, and whether there are more."""
        many = len(stock.days)
        is_open = (stock.days >= query.first.toordinal()) & (stock.days <= query.last.toordinal())
        is_open &= stock.days > 0
        may = narrowing.allowed(
            topic.filter.restriction, self._having, stock.organisations, corpus.other_forms
        )
        if may is not None:
            is_let_in = np.zeros(many, np.bool_)
            is_let_in[may] = True
            is_let_in[stock.unread] = True
            is_open &= is_let_in
        weight = stock.upvotes + np.float32(
            2
        )  # of a filter that only restricts, as the ranking does
        if stems(topic.query.words):
            weights, own = narrowing.word_weights(topic.query, profile, corpus)
            weight = narrowing.sums(weights, own, self._having, many)
            weight[stock.unread] = np.inf
        chosen = np.flatnonzero(is_open & (weight > 0))
        if len(chosen) <= self._most_ranked:
            return chosen, False
        heaviest = np.lexsort((-chosen, -weight[chosen]))  # of equals, the newest first
        return np.sort(chosen[heaviest[: self._most_ranked]]), True

    def _candidates(
        self, papers: Mapping[int, ReadPaper], stock: _Stock, asked: Filter
    ) -> list[Candidate]:
        """Return papers as candidates; with other counts than votes only if these are compared."""
        numbers = list(papers)
        days, upvotes = stock.days[numbers].tolist(), stock.upvotes[numbers].tolist()
        if _compares(asked.restriction):
            known = self._ledger.searched.signals(numbers)
            signals = [known.get(number, Signals()) for number in numbers]
        else:
            signals = [Signals(upvotes=None if votes < 0 else votes) for votes in upvotes]
        return [
            Candidate(number, paper.key, paper.facts, its_signals, date.fromordinal(day))
            for (number, paper), its_signals, day in zip(papers.items(), signals, days, strict=True)
        ]

    def _picks(self, matched: Matched, numbers: NDArray[np.intp]) -> list[Pick]:
        """Return papers as they are now, each with the reason that it was found for."""
        keys = [matched.matching.candidates[n].key for n in numbers]
        papers = {paper.key: paper for paper in self._ledger.browsing.find(keys)}
        scores = matched.scores[0]
        return [
            Pick(Section.FOR_YOU, papers[key], Match(float(scores[n]), matched.reason(0, n)))
            for n, key in zip(numbers.tolist(), keys, strict=True)
            if key in papers
        ]

    def _current(self) -> _Stock:
        """Return what there is to search now."""
        with self._lock:
            before, index = self._stock, self._ledger.search_index
            state = (*self._ledger.papers.state(), index.last_reading())
            if before is not None and before.state == state:
                return before
            stock = self._stock = self._read(state, before)
            self._having.cache_clear()
            if before is not None and stock.has_index:
                self._read_papers.forget(index.read_since(before.reading))
            elif before is not None:
                self._read_papers.clear()
            return stock

    def _read(self, state: tuple[int, ...], before: _Stock | None) -> _Stock:
        index, searched = self._ledger.search_index, self._ledger.searched
        first_days = np.array(
            [(number, day.toordinal()) for number, day in searched.first_days()], np.int32
        ).reshape(-1, 2)
        many = int(first_days[:, 0].max(initial=0)) + 1
        days = np.zeros(many, np.int32)
        days[first_days[:, 0]] = first_days[:, 1]
        upvotes = np.full(many, -1, np.int32)
        if before is not None:
            upvotes[: len(before.upvotes)] = before.upvotes
        for number, votes in searched.upvotes(before.observed if before else 0):
            if number < many:
                upvotes[number] = votes
        unread = np.array(index.unread(VERSION, self._most_ranked), np.int32)
        return _Stock(
            state=state,
            has_index=index.exists(),
            reading=index.last_reading(),
            days=days,
            upvotes=upvotes,
            unread=unread[unread < many],
            organisations=searched.organisations(),
        )

    def _look_up(self, word: str) -> Ints:
        """Return the numbers of the papers that have a word of the index."""
        stock = self._stock
        if stock is None or not stock.has_index:
            return np.zeros(0, np.int32)
        numbers = np.sort(np.array(self._ledger.search_index.having(word), np.int32))
        return numbers[numbers < len(stock.days)]  # others came after that was read


def _compares(restriction: Restriction | None) -> bool:
    """Return whether a restriction compares other counts than votes."""
    match restriction:
        case Comparison(name):
            return name != "upvotes"
        case Not(part):
            return _compares(part)
        case And(parts) | Or(parts):
            return any(map(_compares, parts))
    return False
