"""What decided about one subscriber and a day, or would. Nothing is stored."""

from dataclasses import replace
from datetime import date, datetime, timedelta

from digest.deliver.edition_messages import planned_digest
from digest.ledger.last_runs import Job
from digest.ledger.ledger import Ledger
from digest.ledger.provider_queues import ALL
from digest.model.digests import Digest, Edition
from digest.model.timetable import DueInterval, Frozen, Timetable
from digest.monitoring.why import Journey, Offer, Times, Why
from digest.plan.planning import Due, Planning, reader_of
from digest.settings.settings import Settings
from subscribers.due_times import last_due, local_day, next_mail
from subscribers.model import PersonFile, Subscriber

# As many editions as it takes to know whose times one of them is for: those beside it.
_BESIDE = 3
_DAY = timedelta(days=1)


class Explaining:
    """Explains by the same parts that plan."""

    def __init__(self, settings: Settings, ledger: Ledger, planning: Planning) -> None:
        self._settings = settings
        self._ledger = ledger
        self._planning = planning
        self._timetable = Timetable(settings.run_at, settings.timezone)

    def explain(self, person: PersonFile, day: date, now: datetime) -> Why:
        """What decided about somebody and the edition of a day, or would if it were made now.

        The papers are those of their delivery if there is one, else what they would get.
        """
        who = person.subscriber
        edition = self._ledger.editions.on(day)
        due = self._due(who, day)
        times = Times(due, next_mail(who.preferences, now))
        if edition is None and day < self._timetable.day_of(now):
            return Why(person, day, now, times, instead=self._ledger.editions.first_after(day))
        local = local_day(who.preferences, due) if due else day
        offer = self._offer(edition, Due(who, local), day)
        known = self._ledger.papers.facts_of(each.paper for each in person.ratings)
        ranker = self._planning.ranker(offer.edition, known)
        reader = reader_of(who.topics, who.preferences, person.ratings)
        journey = self._journey(edition, who) if edition else None
        chosen = self._chosen(edition, journey, who) if edition and journey else None
        return Why(
            person=person,
            day=day,
            now=now,
            times=times,
            offer=offer,
            topics=tuple(ranker.fits(reader)),
            digest=chosen or ranker.digest(reader),
            is_chosen=chosen is not None,
            journey=journey,
            decided_at=self._ledger.last_runs.last(Job.PLANNED),
            is_long_ago=edition is not None and self._ledger.editions.gone(edition) > 0,
        )

    def _due(self, who: Subscriber, day: date) -> datetime | None:
        """When somebody is due for the edition of a day, made or not; none if they are not."""
        beside = self._ledger.editions.calendar(_BESIDE, until=day + _DAY)
        if day not in {each.day for each in beside}:
            coming = Frozen(0, day, self._timetable.edition_at(day))
            beside = [coming, *(each for each in beside if each.day > day)]
        its = next(each for each in self._timetable.intervals(beside) if each.edition.day == day)
        return _last_due_in(its, who)

    def _offer(self, edition: Edition | None, due: Due, day: date) -> Offer:
        its = edition or self._coming(day)
        [new_since] = self._planning.new_since(its, [due])
        new = self._ledger.editions.since(its, new_since)
        if edition is None:
            new = replace(new, candidates=(*new.candidates, *its.candidates))
            to_be_made_at = self._timetable.edition_at(day)
            return Offer(new, len(its.candidates), new_since, to_be_made_at=to_be_made_at)
        made_at = self._ledger.editions.made_at(edition)
        return Offer(new, len(its.candidates), new_since, made_at)

    def _coming(self, day: date) -> Edition:
        first = self._ledger.editions.first_day_for(day, self._settings.lookback_days)
        return self._ledger.editions.coming(day, first)

    def _journey(self, edition: Edition, who: Subscriber) -> Journey | None:
        report = self._ledger.deliveries.report(edition, who.id)
        if report is None:
            return None
        its = {ALL, report.delivery.provider}
        patience = timedelta(hours=self._settings.stale_after_hours)
        planned_at = report.planned_at or self._ledger.editions.made_at(edition)
        return Journey(
            report=report,
            attempts=tuple(self._ledger.outcomes.attempts(report.delivery)),
            came_back=tuple(self._ledger.bounces.of(report.delivery)),
            pauses=tuple(
                each for each in self._ledger.provider_queues.paused() if each.provider in its
            ),
            given_up_at=planned_at + patience,
        )

    def _chosen(self, edition: Edition, journey: Journey, who: Subscriber) -> Digest | None:
        """What was chosen for a delivery; none if nothing was."""
        papers = self._ledger.editions.papers_of(edition)
        delivery = journey.report.delivery
        digest = planned_digest(self._ledger, delivery, edition, papers, who)
        return digest if digest.picks else None


def _last_due_in(interval: DueInterval, who: Subscriber) -> datetime | None:
    moment = last_due(who.preferences, interval.ends - timedelta.resolution)
    return moment if moment >= interval.begins else None
