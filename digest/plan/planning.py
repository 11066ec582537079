"""Plan who is due and what each of them gets: a row each, in ranges of people."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

from digest.ledger.deliveries import Plan
from digest.ledger.last_runs import Job
from digest.ledger.ledger import Ledger
from digest.model.deliveries import Had
from digest.model.digests import Digest, Edition, Pick, SkipReason
from digest.model.papers import Facts
from digest.model.timetable import DueInterval, Frozen, Timetable
from digest.plan.announcing import RANGE, Announcing
from digest.plan.due import DueTime, due_since, latest_due, who_is_due, with_mail_on
from digest.plan.edition_planner import Due, EditionPlanner, reader_of
from digest.plan.first import first_due, latest_edition, who_is_new, without_late_ones
from digest.plan.mail_domains import LookUp, Providers
from digest.rank.ranker import Ranker
from digest.rank.readers import Limits
from digest.rank.reference_corpus import Embed, ReferenceCorpus
from digest.settings.settings import Settings
from subscribers.model import Consent, MailSchedule
from subscribers.preferences import Preferences, Strictness
from subscribers.store.registry import Registry
from subscribers.topics import TopicFilter

# How many editions are looked at: more than are still sent, however late (see _oldest).
CALENDAR = 10
NO_PREFERENCES = Preferences()
Prepare = Callable[[int, Sequence[tuple[str | None, Sequence[Pick]]], datetime], None]


def nothing() -> None:
    """Do nothing between two ranges of people."""


class Planning:
    """Plans deliveries. The caller must hold the planning lock (see ledger.locks).

    ``look_up`` asks the DNS who takes the mail of domains, if that may be done. ``prepare`` is
    called before rows are written, with the edition, and the locale and picks of each reader: it
    may make them wait for a while. ``language_of`` tells the language of a reader's locale.
    """

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        registry: Registry,
        corpus: Callable[[], ReferenceCorpus],
        embed: Embed | None,
        look_up: LookUp | None,
        prepare: Prepare | None = None,
        language_of: Callable[[str | None], str] = str,
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._registry = registry
        self._corpus = corpus
        self._embed = embed
        self._prepare = prepare
        self._providers = Providers(ledger.mail_domains, look_up)
        self.announcing = Announcing(ledger, registry, self._providers, language_of)
        self._timetable = Timetable(settings.run_at, settings.timezone)

    def today(
        self, edition: Edition, now: datetime, between: Callable[[], None] = nothing
    ) -> set[int]:
        """Plan what everybody with mail on the edition's day gets, or why nothing.

        ``between`` is called when the deliveries of some people are there, and others are to come.
        Returns the ids of the editions that were planned for.
        """
        a_pass = self._begin(now)
        for among in self._ranges(between):
            schedules = self._registry.overview.mail_schedules(among)
            counted = with_mail_on(schedules, edition.day)
            has_row = self._ledger.deliveries.planned(edition.id, among)
            due = [
                Due(person, edition.day)
                for person in self._registry.everybody(Consent.CONFIRMED, among)
                if person.preferences.wants_mail_on(edition.day) and person.id not in has_row
            ]
            a_pass.plan(edition.id, due, counted)
        return a_pass.end()

    def latest(self, now: datetime) -> Frozen | None:
        """Return the edition that somebody who confirms now gets at once; None if there is none."""
        if not self._settings.first_digest:
            return None
        return latest_edition(self._ledger.editions.calendar(1, with_papers=True), now)

    def newcomers(self, now: datetime) -> dict[Frozen, set[int]]:
        """Return who gets a first digest now, by the edition: those who have just confirmed."""
        if not self._settings.first_digest:
            return {}
        confirmed, made, had = self._of_newcomers(now)
        return first_due(confirmed, made, had)

    def first(self, now: datetime) -> tuple[set[int], set[int]]:
        """Plan the latest edition for those who have just confirmed, whatever their own times.

        Returns the ids of the editions that were planned for, and of the people for whom there was
        nothing in it.
        """
        if not self._settings.first_digest:
            return set(), set()
        confirmed, made, had = self._of_newcomers(now)
        due, empty_handed = first_due(confirmed, made, had), set[int]()
        counted = {its: who_is_new(confirmed, made, had, its) for its in made} if confirmed else {}
        a_pass = self._begin(now)
        for its in made:
            people = [Due(one, its.day) for one in self._registry.some(due.get(its, ()))]
            a_pass.plan(its.id, people, counted.get(its, set()))
            empty_handed |= self._ledger.deliveries.skipped(its.id, due.get(its, ()))
        return a_pass.end(), empty_handed

    def _of_newcomers(self, now: datetime) -> tuple[dict[int, datetime], list[Frozen], list[Had]]:
        """Return who has just confirmed and when, the editions with papers, and what they had."""
        confirmed = self._registry.overview.confirmed_by_link(self._oldest(now))
        if not confirmed:  # nearly always, because this is asked every few seconds
            return {}, [], []
        made = self._ledger.editions.calendar(CALENDAR, with_papers=True)
        return confirmed, made, self._ledger.deliveries.had(confirmed)

    def due(self, now: datetime, between: Callable[[], None] = nothing) -> set[int]:
        """Plan for everybody whose own time has come, if the edition it is for is made.

        They are planned for late, too, as long as the edition is still sent; older due times are
        recorded as missed. After a standstill a person gets one digest, with all that is new to
        them. ``between`` and what is returned are as with ``today``.
        """
        intervals = self._timetable.intervals(self._ledger.editions.calendar(CALENDAR))
        if not intervals:
            return set()
        oldest, latest = self._oldest(now), intervals[-1]
        decided = self._ledger.last_runs.last(Job.PLANNED)
        confirmed: dict[int, datetime] = {}
        if not self._settings.first_digest:
            confirmed = self._registry.overview.confirmed_by_link(oldest)
        # Planning has stood still, or the latest interval has ended since the last time.
        missed_since = None
        if decided and (decided < max(oldest, latest.begins) or decided < latest.ends <= now):
            missed_since = decided
        a_pass = self._begin(now)
        for among in self._ranges(between):
            schedules = self._registry.overview.mail_schedules(among)
            schedules = without_late_ones(schedules, confirmed, now) if confirmed else schedules
            in_time = [
                due_time
                for due_time in latest_due(schedules, intervals, now)
                if due_time.moment > oldest
            ]
            if missed_since:
                seen = {(due_time.preferences, due_time.moment) for due_time in in_time}
                passed = due_since(schedules, intervals, missed_since, now)
                missed = [due for due in passed if (due.preferences, due.moment) not in seen]
                self._record_missed(a_pass, _by_interval(missed))
            self._plan_in_time(a_pass, intervals, schedules, _by_interval(in_time), among)
        touched = a_pass.end()
        self._ledger.last_runs.reach(Job.PLANNED, min(now, latest.ends))
        return touched

    def _plan_in_time(
        self,
        a_pass: "_Pass",
        intervals: Sequence[DueInterval],
        schedules: Sequence[MailSchedule],
        in_time: Mapping[DueInterval, Sequence[DueTime]],
        among: range,
    ) -> None:
        """Plan for people of a range whose due times are not too long ago."""
        oldest = self._oldest(a_pass.now)
        # With a row of this edition or a newer one: they get none of an older edition.
        has_row: set[int] = set()
        for interval in reversed(intervals):
            if interval.ends <= oldest:
                break
            counted = who_is_due(schedules, interval, oldest, a_pass.now)
            due_times = in_time.get(interval, [])
            if not counted and not due_times:
                continue
            has_row |= self._ledger.deliveries.planned(interval.edition.id, among, for_good=True)
            due = [person for due_time in due_times for person in self._due(due_time, has_row)]
            a_pass.plan(interval.edition.id, due, counted - has_row)

    def _oldest(self, now: datetime) -> datetime:
        """Return the moment before which a due time is too old: nothing is sent for it."""
        stale = now - timedelta(hours=self._settings.stale_after_hours)
        return max(stale, self._ledger.instances.sends_from() or stale)

    def _record_missed(
        self, a_pass: "_Pass", missed: Mapping[DueInterval, Sequence[DueTime]]
    ) -> None:
        sends_from = self._ledger.instances.sends_from()
        for interval, due_times in missed.items():
            people = frozenset[int]().union(*(due_time.people for due_time in due_times))
            has_row = self._ledger.deliveries.planned(interval.edition.id, people)
            plans = []
            for due_time in due_times:
                # The operator has said that these may have been sent.
                is_dropped = sends_from and due_time.moment <= sends_from
                why = SkipReason.DROPPED if is_dropped else SkipReason.MISSED
                for due in self._due(due_time, has_row):
                    reason = SkipReason.PAUSED if due.is_paused else why
                    plans.append(Plan(due.person.id, skipped=reason))
            a_pass.write(interval.edition.id, plans, people - has_row)

    def _due(self, due_time: DueTime, but: Collection[int]) -> list[Due]:
        """Return the people of a due time as they are now, without some."""
        wanted = due_time.people.difference(but)
        if not wanted:  # nearly always, because this is asked each minute
            return []
        day = due_time.day
        return [Due(person, day) for person in self._registry.some(wanted)]

    def planner(self, edition: Edition) -> EditionPlanner:
        """Return what decides about an edition."""
        return EditionPlanner(self._ledger, self._registry, self._providers, self.ranker, edition)

    def _begin(self, now: datetime) -> "_Pass":
        return _Pass(self._ledger, self.planner, now, self._prepare)

    def _ranges(self, between: Callable[[], None]) -> Iterator[range]:
        for number, among in enumerate(self._registry.overview.ranges(RANGE)):
            if number:
                between()
            yield among

    def draft(
        self, day: date, topics: tuple[TopicFilter, ...], preferences: Preferences = NO_PREFERENCES
    ) -> Digest | None:
        """Return the digest of a day for somebody with these preferences; None if it is empty."""
        return self.ranker_on(day).digest(reader_of(topics, preferences))

    def ranker_on(self, day: date) -> Ranker:
        """Return the ranker of a day's edition or, if there is none, of what it would hold."""
        edition = self._ledger.editions.on(day)
        if edition is None or not edition.candidates:
            first = self._ledger.editions.first_day_for(day, self._settings.lookback_days)
            edition = self._ledger.editions.draft(day, first)
        return self.ranker(edition, {})

    def ranker(self, edition: Edition, known: Mapping[str, Facts]) -> Ranker:
        """Return the ranker of an edition; ``known`` are the papers that readers have rated."""
        return Ranker(edition, self._corpus(), self._limits, known, self._embed)

    @property
    def _limits(self) -> Limits:
        return Limits(
            for_you=self._settings.max_for_you,
            trending=self._settings.max_trending,
            strictness=Strictness(self._settings.strictness),
            rising=self._settings.max_rising,
        )


class _Pass:
    """A pass of planning: of each edition, who plans it, and how many are due.

    These are counted from the people, in each range apart from what is planned there: whoever has a
    row when the pass begins, and whoever is counted and has none then. A pass that was broken off
    is done again, and finds what it has left.
    """

    def __init__(
        self,
        ledger: Ledger,
        planner: Callable[[Edition], EditionPlanner],
        now: datetime,
        prepare: Prepare | None,
    ) -> None:
        self.now = now
        self._prepare = prepare
        self._ledger = ledger
        self._planner = planner
        self._planners: dict[int, EditionPlanner] = {}
        self._due: dict[int, int | None] = {}
        for edition_id in ledger.deliveries.being_planned():  # it was broken off
            self._due[edition_id] = ledger.deliveries.begin_planning(edition_id, now)

    def plan(self, edition_id: int, due: Sequence[Due], counted: Collection[int]) -> None:
        """Plan for some people who are due for an edition; ``counted`` are their ids."""
        if not due and not counted:
            return
        if edition_id not in self._planners:
            edition = self._ledger.editions.get(edition_id)
            self._planners[edition_id] = self._planner(edition)
        planner = self._planners[edition_id]
        plans = [*planner.plans(due, self.now)]
        if self._prepare:
            self._prepare(edition_id, planner.digests(due, plans), self.now)
        self.write(edition_id, plans, counted)

    def write(self, edition_id: int, plans: Sequence[Plan], counted: Collection[int]) -> None:
        """Write down what was planned, or missed."""
        deliveries = self._ledger.deliveries
        if edition_id not in self._due:
            self._due[edition_id] = deliveries.begin_planning(edition_id, self.now)
        due = self._due[edition_id]
        if due is None:
            return
        self._due[edition_id] = due + len(set(counted) - deliveries.planned(edition_id, counted))
        deliveries.plan(edition_id, plans, self.now)

    def end(self) -> set[int]:
        """Store how many are due; return the ids of the editions that were planned for."""
        for edition_id, due in self._due.items():
            self._ledger.deliveries.end_planning(edition_id, due)
        return set(self._due)


def _by_interval(due_times: Iterable[DueTime]) -> dict[DueInterval, list[DueTime]]:
    found: dict[DueInterval, list[DueTime]] = {}
    for due_time in due_times:
        found.setdefault(due_time.interval, []).append(due_time)
    return found
