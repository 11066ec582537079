"""Keep the papers collected lately, read and ready to be matched with topics."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from threading import Lock

from digest.ledger.ledger import Ledger
from digest.rank.matching import Matching
from digest.rank.reference_corpus import Embed, ReferenceCorpus


@dataclass(frozen=True, eq=False)
class Recent:
    """The papers of some days, the last of which is ``until``, and what they were read from."""

    corpus: ReferenceCorpus
    state: tuple[int, ...]
    until: date | None  # None: nothing was collected yet
    matching: Matching


class RecentPapers:
    """The papers of one ledger from ``reach`` before the last day that anything was collected for.

    To read thousands of papers takes seconds, and to match them with a topic hundredths of one. So
    they are kept until others are collected; while one thread reads these, others use what is kept.
    """

    def __init__(
        self,
        ledger: Ledger,
        corpus: Callable[[], ReferenceCorpus],
        embed: Embed | None,
        reach: timedelta,
    ) -> None:
        self._ledger = ledger
        self._corpus = corpus
        self._embed = embed
        self._reach = reach
        self._reading = Lock()
        self._kept: Recent | None = None

    def current(self) -> tuple[Recent, bool]:
        """Return the papers, and whether no others were collected since."""
        kept, corpus, state = self._kept, self._corpus(), self._ledger.papers.state()
        if kept and kept.corpus is corpus and kept.state == state:
            return kept, True
        if not self._reading.acquire(blocking=kept is None) and kept:
            return kept, False
        try:
            if self._kept is None or self._kept is kept:  # else another thread has read meanwhile
                self._kept = self._read(corpus, state)
            return self._kept, True
        finally:
            self._reading.release()

    def _read(self, corpus: ReferenceCorpus, state: tuple[int, ...]) -> Recent:
        latest = self._ledger.papers.latest_day()
        editions = self._ledger.editions
        papers = editions.draft(latest, self._before(latest)).candidates if latest else ()
        matching = Matching(corpus, papers, embed=self._embed)
        matching.papers  # noqa: B018  read now
        return Recent(corpus, state, latest, matching)

    def _before(self, latest: date) -> date:
        return date.min if latest - date.min < self._reach else latest - self._reach
