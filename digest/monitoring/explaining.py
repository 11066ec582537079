"""Explain what decided about one subscriber and a day, or would. Nothing is stored."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

from digest.deliver.edition_messages import planned_digest
from digest.ledger.deliveries import ANNOUNCED_FOR
from digest.ledger.last_runs import Job
from digest.ledger.ledger import Ledger
from digest.ledger.provider_queues import ALL
from digest.model.announcements import Mailing
from digest.model.digests import Digest, Edition
from digest.model.timetable import Frozen, Timetable
from digest.monitoring.why import Journey, Offer, PastAnnouncement, Why
from digest.plan.edition_planner import Due, given_facts, reader_of
from digest.plan.planning import Planning
from digest.settings.settings import Settings
from subscribers.due_times import last_due, local_day, next_mail
from subscribers.model import CONFIRM_LINK, Consent, PersonFile, Subscriber, Verdict

# As many editions as it takes to know whose times one of them is for: the one before, and after.
_NEIGHBOURS = 3
_ANNOUNCEMENTS = 5
_DAY = timedelta(days=1)


def explain(
    settings: Settings,
    ledger: Ledger,
    planning: Planning,
    person: PersonFile,
    day: date,
    now: datetime,
) -> Why:
    """Return what decided about a person and a day's edition, or would if it were made now.

    It asks the same parts that plan. The papers are those of the person's delivery if there is one,
    else what they would get.
    """
    who = person.subscriber
    timetable = Timetable(settings.run_at, settings.timezone)
    edition = ledger.editions.on(day)
    due = _due(ledger, timetable, who, day)
    may_be_mailed = who.consent is Consent.CONFIRMED and person.suppression is None
    verdicts = [rating.verdict for rating in person.ratings]
    why = Why(
        address=who.address,
        consent=who.consent,
        consent_since=who.since,
        suppression=person.suppression,
        preferences=who.preferences,
        likes=verdicts.count(Verdict.LIKE),
        mutes=verdicts.count(Verdict.MUTE),
        own=len(person.papers),
        day=day,
        at=now,
        due=due,
        next=next_mail(who.preferences, now) if may_be_mailed else None,
        announcements=tuple(_announcements(settings, ledger, who)),
    )
    if edition is None and day < timetable.day_of(now):
        return replace(why, instead=ledger.editions.first_after(day))
    its = edition or _coming(settings, ledger, day, after=day - _DAY)
    local = local_day(who.preferences, due) if due else day
    [new_since] = planning.planner(its).new_since([Due(who, local)])
    if edition:
        new = ledger.editions.since(edition, new_since)
    else:
        new = _coming(settings, ledger, day, after=new_since)
    shown = ledger.deliveries.shown(new, [who.id])
    known = ledger.papers.facts_of(
        [rating.paper for rating in person.ratings] + [own.paper for own in person.papers]
    )
    given = given_facts(person.papers, known)
    known |= given
    ranker = planning.ranker(new, known)
    reader = reader_of(
        who.topics, who.preferences, person.ratings, shown.get(who.id, ()), tuple(given)
    )
    delivery = _journey(settings, ledger, edition, who) if edition else None
    chosen = _chosen(ledger, edition, delivery, who) if edition and delivery else None
    return replace(
        why,
        edition=Offer(
            papers=len(its.candidates),
            new=len(new.candidates),
            new_since=new_since,
            missing=new.missing,
            made_at=ledger.editions.made_at(edition) if edition else None,
            to_be_made_at=None if edition else timetable.edition_at(day),
        ),
        topics=tuple(ranker.fits(reader)),
        digest=chosen or ranker.digest(reader),
        is_chosen=chosen is not None,
        delivery=delivery,
        first_since=_first_since(ledger, edition, person, delivery),
        planned_up_to=ledger.last_runs.last(Job.PLANNED),
        is_long_ago=edition is not None and ledger.editions.gone(edition) > 0,
    )


def _first_since(
    ledger: Ledger, edition: Edition | None, person: PersonFile, delivery: Journey | None
) -> datetime | None:
    """Return when somebody confirmed whose delivery was planned at once for that; else None."""
    by_link = [evidence.at for evidence in person.evidence if evidence.source == CONFIRM_LINK]
    if not by_link or edition is None or delivery is None or delivery.report.planned_at is None:
        return None
    made_at, confirmed = ledger.editions.made_at(edition), max(by_link)
    return confirmed if made_at <= confirmed <= delivery.report.planned_at else None


def _due(ledger: Ledger, timetable: Timetable, who: Subscriber, day: date) -> datetime | None:
    """Return when somebody is due for the edition of a day, made or not; None if they are not."""
    editions = ledger.editions.calendar(_NEIGHBOURS, until=day + _DAY)
    if day not in {edition.day for edition in editions}:
        coming = Frozen(0, day, timetable.edition_at(day))
        editions = [coming, *(edition for edition in editions if edition.day > day)]
    intervals = timetable.intervals(editions)
    its = next(interval for interval in intervals if interval.edition.day == day)
    moment = last_due(who.preferences, its.ends - timedelta.resolution)
    return moment if moment >= its.begins else None


def _coming(settings: Settings, ledger: Ledger, day: date, after: date) -> Edition:
    first = ledger.editions.first_day_for(day, settings.lookback_days)
    return ledger.editions.coming(day, first, settings.rising_days, after)


def _announcements(
    settings: Settings, ledger: Ledger, who: Subscriber
) -> Iterator[PastAnnouncement]:
    for announcement in ledger.announcements.of(who.id, _ANNOUNCEMENTS):
        if journey := _journey(settings, ledger, announcement, who):
            yield PastAnnouncement(announcement, journey)


def _journey(
    settings: Settings, ledger: Ledger, edition: Mailing, who: Subscriber
) -> Journey | None:
    report = ledger.deliveries.report(edition, who.id)
    if report is None:
        return None
    its = {ALL, report.delivery.provider}
    planned_at = report.planned_at or ledger.editions.made_at(edition)
    is_digest = isinstance(edition, Edition)
    return Journey(
        report=report,
        attempts=tuple(ledger.outcomes.attempts(report.delivery)),
        came_back=tuple(ledger.bounces.of(report.delivery)),
        pauses=tuple(pause for pause in ledger.provider_queues.paused() if pause.provider in its),
        given_up_at=planned_at
        + (timedelta(hours=settings.stale_after_hours) if is_digest else ANNOUNCED_FOR),
    )


def _chosen(ledger: Ledger, edition: Edition, journey: Journey, who: Subscriber) -> Digest | None:
    """Return what was chosen for a delivery; None if nothing was."""
    digest = planned_digest(ledger, journey.report.delivery, edition, who)
    return digest if digest.picks else None
