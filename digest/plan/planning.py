"""Planning: who is due, and what each of them gets; a row each, before any mail."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain

from digest.ledger.deliveries import Plan
from digest.ledger.last_runs import Job
from digest.ledger.ledger import Ledger
from digest.model.digests import Digest, Edition, SkipReason
from digest.model.papers import Facts
from digest.model.timetable import DueInterval, Timetable
from digest.plan.due import DueTime, due_since, latest_due, who_is_due, with_mail_on
from digest.plan.mail_domains import LookUp, Providers
from digest.rank.ranker import Limits, Ranker, Reader
from digest.rank.reference_corpus import Embed, ReferenceCorpus
from digest.settings.settings import Settings
from subscribers.model import Consent, Rating, Subscriber, Verdict
from subscribers.preferences import Preferences, Strictness
from subscribers.store.registry import Registry
from subscribers.topics import TopicFilter

# Editions that are looked at: each reader has a day, or a time, a week.
CALENDAR = 10
NO_PREFERENCES = Preferences()
# As far back as it is looked for what somebody has had; two of their weeks.
REACH = timedelta(days=15)


@dataclass(frozen=True, slots=True)
class Due:
    """Somebody who is to get a digest, and the day that it is for them."""

    person: Subscriber
    day: date

    @property
    def span(self) -> timedelta:
        """How long it is since the last of their days."""
        return self.day - self.person.preferences.day_before(self.day)

    @property
    def is_paused(self) -> bool:
        return self.person.preferences.is_paused_on(self.day)


class Planning:
    """Plans deliveries. Only to be asked by whoever holds the ledger (see ledger.locks).

    ``look_up`` asks the DNS who takes the mail of domains, if that may be done.
    """

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        registry: Registry,
        corpus: Callable[[], ReferenceCorpus],
        embed: Embed | None,
        look_up: LookUp | None,
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._registry = registry
        self._corpus = corpus
        self._embed = embed
        self._providers = Providers(ledger.mail_domains, look_up)
        self._timetable = Timetable(settings.run_at, settings.timezone)

    def today(self, edition: Edition, now: datetime) -> set[int]:
        """Plan what everybody with mail on the edition's day gets, or why nothing.

        Returns the ids of the editions that were planned for.
        """
        has_row = self._ledger.deliveries.planned(edition.id)
        counted = with_mail_on(self._registry.overview.mail_schedules(), edition.day)
        today = [
            Due(person, edition.day)
            for person in self._registry.everybody(Consent.CONFIRMED)
            if person.preferences.wants_mail_on(edition.day) and person.id not in has_row
        ]
        self._plan(edition, today, counted, now)
        return {edition.id}

    def due(self, now: datetime) -> set[int]:
        """Plan for everybody whose own time has come, if the edition it is for is made.

        Late, too, for as long as editions are sent; what is older is recorded as missed. After a
        standstill that is one digest, with all that is new to them. Returns the ids of the editions
        that were planned for.
        """
        intervals = self._timetable.intervals(self._ledger.editions.calendar(CALENDAR))
        if not intervals:
            return set()
        schedules = self._registry.overview.mail_schedules()
        oldest = self._oldest(now)
        in_time = [
            due_time
            for due_time in latest_due(schedules, intervals, now)
            if due_time.moment > oldest
        ]
        decided = self._ledger.last_runs.last(Job.PLANNED)
        latest = intervals[-1]
        # Nobody has looked for a while; or what the latest is for is over since the last look.
        missed: list[DueTime] = []
        if decided and (decided < max(oldest, latest.begins) or decided < latest.ends <= now):
            seen = {(due_time.preferences, due_time.moment) for due_time in in_time}
            passed = due_since(schedules, intervals, decided, now)
            missed = [due for due in passed if (due.preferences, due.moment) not in seen]
        touched = self._record_missed(_by_interval(missed), now)
        planned = _by_interval(in_time)
        has_row: set[int] = (
            set()
        )  # of this edition or a newer one: who has that gets none before it
        for interval in reversed(intervals):
            if interval.ends <= oldest:
                break
            counted = who_is_due(schedules, interval, oldest, now)
            due_times = planned.get(interval, [])
            if not counted and not due_times:
                continue
            has_row |= self._ledger.deliveries.planned(interval.edition.id, for_good=True)
            due = [person for due_time in due_times for person in self._due(due_time, has_row)]
            counted -= has_row
            if due or counted:
                self._plan(self._ledger.editions.get(interval.edition.id), due, counted, now)
                touched.add(interval.edition.id)
        self._ledger.last_runs.reach(Job.PLANNED, min(now, latest.ends))
        return touched

    def _oldest(self, now: datetime) -> datetime:
        """Return the moment before which nothing that was due is sent any longer."""
        stale = now - timedelta(hours=self._settings.stale_after_hours)
        return max(stale, self._ledger.instances.sends_from() or stale)

    def _record_missed(
        self, missed: Mapping[DueInterval, Sequence[DueTime]], now: datetime
    ) -> set[int]:
        sends_from = self._ledger.instances.sends_from()
        for interval, due_times in missed.items():
            has_row = self._ledger.deliveries.planned(interval.edition.id)
            counted: set[int] = set()
            plans = []
            for due_time in due_times:
                counted |= due_time.people - has_row
                # The operator has said of those that they may have been sent.
                is_dropped = sends_from and due_time.moment <= sends_from
                why = SkipReason.DROPPED if is_dropped else SkipReason.MISSED
                for due in self._due(due_time, has_row):
                    reason = SkipReason.PAUSED if due.is_paused else why
                    plans.append(Plan(due.person.id, skipped=reason))
            self._ledger.deliveries.plan(interval.edition.id, plans, now, counted)
        return {interval.edition.id for interval in missed}

    def _due(self, due_time: DueTime, but: Collection[int]) -> list[Due]:
        """Return those who are due at a time, as they are now, but for some."""
        wanted = due_time.people.difference(but)
        if not wanted:  # as it is with nearly all, each minute
            return []
        day = due_time.day
        return [Due(person, day) for person in self._registry.some(wanted)]

    def _plan(
        self, edition: Edition, due: Sequence[Due], counted: Collection[int], now: datetime
    ) -> None:
        """Write a row for each who is due, before any mail; ``counted`` are their ids."""
        paused = [Plan(one.person.id, skipped=SkipReason.PAUSED) for one in due if one.is_paused]
        others = [one for one in due if not one.is_paused]
        plans = chain(paused, self._plans(edition, others, now))
        self._ledger.deliveries.plan(edition.id, plans, now, counted)

    def _plans(self, edition: Edition, due: Sequence[Due], now: datetime) -> Iterator[Plan]:
        """What each of these is to get of an edition, or why nothing."""
        ratings = self._registry.ratings.of_everybody() if due else {}
        known = self._ledger.papers.facts_of(
            rating.paper for one in due for rating in ratings.get(one.person.id, ())
        )
        providers = self._providers.of((one.person.address for one in due), now)
        for pool, together in self.by_pool(edition, due):
            if not pool.candidates:
                for one in together:
                    yield _nothing(one, SkipReason.NO_PAPERS, providers[one.person.address])
                continue
            readers = [
                reader_of(person.topics, person.preferences, ratings.get(person.id, ()))
                for person in (one.person for one in together)
            ]
            digests = self.ranker(pool, known).digests(readers)
            for one, digest in zip(together, digests, strict=True):
                provider = providers[one.person.address]
                if digest:
                    yield Plan(one.person.id, digest.picks, provider)
                else:
                    yield _nothing(one, SkipReason.NOTHING_MATCHED, provider)

    def draft(
        self, day: date, topics: tuple[TopicFilter, ...], preferences: Preferences = NO_PREFERENCES
    ) -> Digest | None:
        """Return the digest of a day for somebody with these preferences; None if it is empty.

        From the day's edition if there is one, else from what it would hold. Nothing is stored.
        """
        edition = self._ledger.editions.on(day)
        if edition is None or not edition.candidates:
            first = self._ledger.editions.first_day_for(day, self._settings.lookback_days)
            edition = self._ledger.editions.draft(day, first)
        return self.ranker(edition, {}).digest(reader_of(topics, preferences))

    def by_pool(self, edition: Edition, due: Sequence[Due]) -> Iterator[tuple[Edition, list[Due]]]:
        """The edition as it is for these people, with those for whom it is so.

        It has the papers of all editions since the last that they have had: who reads once a week
        gets the best of the week. Who is new gets those since the last of their days.
        """
        for day, together in sorted(self.new_since(edition, due).items(), reverse=True):
            yield self._ledger.editions.since(edition, day), together

    def new_since(self, edition: Edition, due: Sequence[Due]) -> dict[date, list[Due]]:
        """After which day the papers of editions are new to these people, by that day."""
        had = self._ledger.deliveries.last_had(
            edition, edition.day - REACH, [one.person.id for one in due]
        )
        by_day: dict[date, list[Due]] = {}
        for one in due:
            by_day.setdefault(had.get(one.person.id, edition.day - one.span), []).append(one)
        return by_day

    def ranker(self, edition: Edition, known: Mapping[str, Facts]) -> Ranker:
        """What ranks the papers of an edition; ``known`` are those that readers think of."""
        return Ranker(edition, self._corpus(), self._limits, known, self._embed)

    @property
    def _limits(self) -> Limits:
        return Limits(
            for_you=self._settings.max_for_you,
            trending=self._settings.max_trending,
            strictness=Strictness(self._settings.strictness),
        )


def _by_interval(due_times: Iterable[DueTime]) -> dict[DueInterval, list[DueTime]]:
    found: dict[DueInterval, list[DueTime]] = {}
    for due_time in due_times:
        found.setdefault(due_time.interval, []).append(due_time)
    return found


def _nothing(one: Due, why: SkipReason, provider: str) -> Plan:
    """No mail for somebody, or a note of that if they want one."""
    if one.person.preferences.note_when_nothing:
        return Plan(one.person.id, provider=provider, note=why)
    return Plan(one.person.id, skipped=why)


def reader_of(
    topics: tuple[TopicFilter, ...], preferences: Preferences, ratings: Sequence[Rating] = ()
) -> Reader:
    """A subscriber as the ranking sees them."""
    said = {
        verdict: tuple(rating.paper for rating in ratings if rating.verdict is verdict)
        for verdict in Verdict
    }
    return Reader(
        topics=topics,
        exclusions=preferences.exclusions,
        least=preferences.min_papers,
        most=preferences.max_papers,
        strictness=preferences.strictness,
        trending=preferences.trending,
        likes=said[Verdict.LIKE],
        mutes=said[Verdict.MUTE],
    )
