"""Plan announcements: a row for each reader who was chosen, in ranges of people."""

from collections.abc import Callable, Iterator
from datetime import datetime

from digest.ledger.deliveries import Plan
from digest.ledger.ledger import Ledger
from digest.model.announcements import Announcement, Audience
from digest.model.digests import SkipReason
from digest.plan.mail_domains import Providers
from subscribers.due_times import local_day
from subscribers.model import Consent, Subscriber
from subscribers.store.registry import Registry

RANGE = 5000  # people who are planned for at a time; their rows are one transaction


class Announcing:
    """Plans announcements. The caller must hold the planning lock.

    ``language_of`` tells the language of the emails of a reader with some locale.
    """

    def __init__(
        self,
        ledger: Ledger,
        registry: Registry,
        providers: Providers,
        language_of: Callable[[str | None], str],
    ) -> None:
        self._ledger = ledger
        self._registry = registry
        self._providers = providers
        self._language_of = language_of

    def chosen(self, audience: Audience) -> int:
        """Count whom an announcement for these readers would go to now."""
        return sum(
            len(self._chosen(audience, among)) for among in self._registry.overview.ranges(RANGE)
        )

    def plan(self, now: datetime, between: Callable[[], None]) -> list[Announcement]:
        """Plan for everybody who was chosen and has no row; return what was planned.

        ``between`` is called between two ranges of people. If it raises, or the program ends, the
        next call plans the rest.
        """
        announcements = self._ledger.announcements.being_planned()
        for announcement in announcements:
            self._plan(announcement, now, between)
        return announcements

    def _plan(self, announcement: Announcement, now: datetime, between: Callable[[], None]) -> None:
        deliveries = self._ledger.deliveries
        sends_from = self._ledger.instances.sends_from()
        # A copy of a ledger: who had it of the original is not known here.
        why = SkipReason.DROPPED if sends_from and announcement.at <= sends_from else None
        due = deliveries.begin_planning(announcement.id, now)
        for among in self._registry.overview.ranges(RANGE):
            has_row = deliveries.planned(announcement.id, among)
            counted = self._counted(announcement.draft.audience, among) - has_row
            people = self._chosen(announcement.draft.audience, among)
            plans = self._plans([one for one in people if one.id not in has_row], why, now)
            if due is None or not deliveries.plan(announcement.id, [*plans], now):
                break  # it was stopped
            due += len(counted)
            between()
        deliveries.end_planning(announcement.id, due)

    def _plans(
        self, people: list[Subscriber], why_nobody: SkipReason | None, now: datetime
    ) -> Iterator[Plan]:
        providers = self._providers.of((person.address for person in people), now)
        for person in people:
            paused = person.preferences.is_paused_on(local_day(person.preferences, now))
            skipped = SkipReason.PAUSED if paused else None
            provider = providers[person.address]
            yield Plan(person.id, provider=provider, skipped=why_nobody or skipped)

    def _chosen(self, audience: Audience, among: range) -> list[Subscriber]:
        return [
            person
            for person in self._registry.everybody(Consent.CONFIRMED, among)
            if audience.includes(person, self._language_of(person.preferences.locale))
        ]

    def _counted(self, audience: Audience, among: range) -> set[int]:
        """Return the ids of those who are chosen, read in another way than planning does.

        What counts the people must not share its mistakes with what plans for them.
        """
        schedules = self._registry.overview.mail_schedules(among)
        confirmed = {number for schedule in schedules for number in schedule.people}
        if audience.is_everybody:
            return confirmed
        files = self._registry.some(confirmed)
        return {
            person.id
            for person in files
            if audience.includes(person, self._language_of(person.preferences.locale))
        }
