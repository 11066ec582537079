"""Decide what people get of one edition, some thousand of them at a time."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from digest.ledger.deliveries import Plan
from digest.ledger.ledger import Ledger
from digest.model.digests import Edition, Pick, SkipReason
from digest.model.packed_picks import picks_of
from digest.model.papers import Facts
from digest.plan.mail_domains import Providers
from digest.rank.ranker import Ranker
from digest.rank.readers import Reader
from subscribers.model import Rating, Subscriber, Verdict
from subscribers.own_papers import OwnPaper
from subscribers.preferences import LONGEST_WAIT, Preferences
from subscribers.store.registry import Registry
from subscribers.topics import TopicFilter

# How far back planning looks for the editions that a reader has had: two weeks, or two months.
REACH = timedelta(days=15)
MONTHLY_REACH = timedelta(days=2 * LONGEST_WAIT + 1)
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Due:
    """A subscriber who is due, and the day in their own time zone."""

    person: Subscriber
    day: date

    @property
    def span(self) -> timedelta:
        """Return how long it is since the last of their days."""
        return self.day - self.person.preferences.day_before(self.day)

    @property
    def is_paused(self) -> bool:
        return self.person.preferences.is_paused_on(self.day)


class EditionPlanner:
    """Plans what people get of an edition.

    Whatever is the same for many of them is kept from one group to the next: the papers that are
    new to them, and how these match topics. ``ranker`` makes the ranker of an edition; its second
    argument has the facts of papers that readers have rated or given.
    """

    def __init__(
        self,
        ledger: Ledger,
        registry: Registry,
        providers: Providers,
        ranker: Callable[[Edition, Mapping[str, Facts]], Ranker],
        edition: Edition,
    ) -> None:
        self._ledger = ledger
        self._registry = registry
        self._providers = providers
        self._ranker = ranker
        self._edition = edition
        self._pools: dict[date, Edition] = {}
        self._rankers: dict[date, Ranker] = {}
        self._known: dict[str, Facts] = {}  # of those who are planned for at the moment

    def plans(self, due: Sequence[Due], now: datetime) -> Iterator[Plan]:
        """Plan what each of these people gets of the edition, or why nothing."""
        paused = [one for one in due if one.is_paused]
        yield from (Plan(one.person.id, skipped=SkipReason.PAUSED) for one in paused)
        others = [one for one in due if not one.is_paused] if paused else due
        people = {one.person.id for one in others}
        ratings = self._registry.ratings.of_some(people)
        given = self._read_facts(ratings, self._registry.own_papers.of_some(people))
        providers = self._providers.of((one.person.address for one in others), now)
        for day, together in sorted(self.new_since(others).items(), reverse=True):
            pool = self.pool(day)
            if not pool.candidates:
                for one in together:
                    yield _nothing(one, SkipReason.NO_PAPERS, providers[one.person.address])
                continue
            shown = self._ledger.deliveries.shown(pool, [one.person.id for one in together])
            readers = [
                reader_of(
                    person.topics,
                    person.preferences,
                    ratings.get(person.id, ()),
                    shown.get(person.id, ()),
                    given.get(person.id, ()),
                )
                for person in (one.person for one in together)
            ]
            if day not in self._rankers:
                self._rankers[day] = self._ranker(pool, self._known)
            packed = self._rankers[day].packed(readers)
            for one, picks in zip(together, packed, strict=True):
                provider = providers[one.person.address]
                if picks:
                    yield Plan(one.person.id, picks, provider)
                else:
                    yield _nothing(one, SkipReason.NOTHING_MATCHED, provider)

    def digests(
        self, due: Sequence[Due], plans: Iterable[Plan]
    ) -> list[tuple[str | None, tuple[Pick, ...]]]:
        """Return the locale and the picks of each of these people whose plan has any."""
        locales = {one.person.id: one.person.preferences.locale for one in due}
        papers = {
            candidate.paper_id: candidate
            for pool in self._pools.values()
            for candidate in (*pool.candidates, *pool.rising)
        }
        return [
            (locales[plan.subscriber_id], picks_of(plan.picks, papers))
            for plan in plans
            if plan.picks
        ]

    def pool(self, day: date) -> Edition:
        """Return the edition as it is for readers who had all before a day's, and that day's.

        It has the papers of all editions since, so that a weekly reader gets the best of the week.
        """
        if day not in self._pools:
            self._pools[day] = self._ledger.editions.since(self._edition, day)
        return self._pools[day]

    def new_since(self, due: Sequence[Due]) -> dict[date, list[Due]]:
        """Group people by the day after which the papers of editions are new to them.

        It is that of the last edition that they have had; new people get those since the last of
        their days.
        """
        spans = [one.span for one in due]
        had: dict[int, date] = {}
        for is_rare, reach in ((False, REACH), (True, MONTHLY_REACH)):
            some = [
                one.person.id
                for one, span in zip(due, spans, strict=True)
                if (span > WEEK) is is_rare
            ]
            if some:
                after = self._edition.day - reach
                had |= self._ledger.deliveries.last_had(self._edition, after, some)
        by_day: dict[date, list[Due]] = {}
        for one, span in zip(due, spans, strict=True):
            by_day.setdefault(had.get(one.person.id, self._edition.day - span), []).append(one)
        return by_day

    def _read_facts(
        self, ratings: Mapping[int, Sequence[Rating]], own: Mapping[int, Sequence[OwnPaper]]
    ) -> dict[int, tuple[str, ...]]:
        """Read the facts of papers that people rated or gave; return the keys of the given ones."""
        named = [rating.paper for its in ratings.values() for rating in its]
        named += [paper.paper for its in own.values() for paper in its]
        self._known.clear()
        self._known |= self._ledger.papers.facts_of(named)
        given = {person: given_facts(papers, self._known) for person, papers in own.items()}
        for facts in given.values():
            self._known |= facts
        return {person: tuple(facts) for person, facts in given.items()}


def _nothing(one: Due, why: SkipReason, provider: str) -> Plan:
    """Plan no papers for a person, and a note that says so if they want one."""
    if one.person.preferences.note_when_nothing:
        return Plan(one.person.id, provider=provider, note=why)
    return Plan(one.person.id, skipped=why)


def given_facts(papers: Iterable[OwnPaper], known: Mapping[str, Facts]) -> dict[str, Facts]:
    """Return the facts of a reader's own papers: of the ledger's ``known`` ones, else as given.

    What a reader gives is named by its own words, and not by the canonical id that it is said to
    have: nobody else must be told of their paper by it.
    """
    facts = {}
    for paper in papers:
        if paper.paper in known:
            facts[paper.paper] = known[paper.paper]
        elif paper.title:
            words = hashlib.sha256(f"{paper.title}\n{paper.abstract}".encode()).hexdigest()
            facts[f"given:{words}"] = Facts(paper.title, abstract=paper.abstract)
    return facts


def reader_of(
    topics: tuple[TopicFilter, ...],
    preferences: Preferences,
    ratings: Sequence[Rating] = (),
    shown: Collection[int] = (),
    own: tuple[str, ...] = (),
) -> Reader:
    """Return a subscriber as the ranking sees them; ``own`` are the keys of ``given_facts``."""
    said: dict[Verdict, tuple[str, ...]] = dict.fromkeys(Verdict, ())
    for rating in ratings:
        said[rating.verdict] += (rating.paper,)
    return Reader(
        topics=topics,
        exclusions=preferences.exclusions,
        least=preferences.min_papers,
        most=preferences.max_papers,
        strictness=preferences.strictness,
        trending=preferences.trending,
        likes=said[Verdict.LIKE],
        mutes=said[Verdict.MUTE],
        own=tuple(key for key in own if key not in said[Verdict.MUTE]),
        follows=preferences.follows,
        shown=shown,
    )
