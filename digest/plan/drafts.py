"""Digests of past days for whatever topics somebody types on the pages."""

from collections.abc import Callable
from datetime import date

from digest.ledger.ledger import Ledger
from digest.model.digests import Digest
from digest.plan.edition_planner import reader_of
from digest.plan.planning import NO_PREFERENCES
from digest.rank.ranker import Ranker
from subscribers.preferences import Preferences
from subscribers.topics import TopicFilter


class Drafts:
    """The digests that readers would have got.

    To read the papers of a day takes much longer than to rank them. So they are kept until others
    are collected, or another edition is made; the pages ask only for the latest days.
    """

    def __init__(self, ledger: Ledger, ranker_on: Callable[[date], Ranker]) -> None:
        self._ledger = ledger
        self._ranker_on = ranker_on
        self._kept: tuple[object, dict[date, Ranker]] = (None, {})

    def draft(
        self, day: date, topics: tuple[TopicFilter, ...], preferences: Preferences = NO_PREFERENCES
    ) -> Digest | None:
        """Return the digest of a day for these preferences; None if it would be empty."""
        state = (self._ledger.papers.state(), self._ledger.editions.state())
        if state != self._kept[0]:
            self._kept = (state, {})
        rankers = self._kept[1]
        if day not in rankers:
            rankers[day] = self._ranker_on(day)
        return rankers[day].digest(reader_of(topics, preferences))
