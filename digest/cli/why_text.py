"""`digest why` as a person reads it: each step, a line or more."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from digest.ledger.provider_queues import name_of
from digest.model.deliveries import DeliveryState
from digest.model.digests import Pick
from digest.model.wording import STATES, because
from digest.monitoring.why import Journey, Offer, Why
from digest.rank.ranker import ENOUGH_RATINGS
from subscribers.model import Consent, Verdict

_WAITS = (DeliveryState.PENDING, DeliveryState.DEFERRED)
_Moment = Callable[[datetime], str]


def why_lines(why: Why, zone: ZoneInfo) -> list[str]:
    """The steps in order; moments are told in the operator's zone, and where due in both."""

    def moment(at: datetime) -> str:
        return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"

    return [
        *_person(why),
        *_due(why, zone),
        *_ratings(why),
        *_edition(why, moment),
        *_papers(why),
        *_delivery(why, moment),
        *_next(why, zone),
    ]


# ---- who, and when ---------------------------------------------------------------------------


def _person(why: Why) -> Iterator[str]:
    who, wishes = why.person.subscriber, why.person.subscriber.preferences
    yield (
        f"{who.address}: {who.consent} since {who.since:%Y-%m-%d}, "
        f"mail at {wishes.at:%H:%M} ({wishes.timezone}) {wishes.how_often}"
    )
    if block := why.person.suppression:
        yield f"blocked since {block.at:%Y-%m-%d}: {block.reason}"
    if wishes.is_paused_on(why.day):
        yield f"paused until {wishes.paused_until}"
    if not wishes.wants_mail_on(why.day):
        yield f"{why.day:%A} is none of their days"


def _due(why: Why, zone: ZoneInfo) -> Iterator[str]:
    due = why.times.due
    if due is None:
        yield "due for it: no"
        return
    came_later = ", before they came" if due < why.person.subscriber.since else ""
    yield f"due for it: {_both(why, due, zone)}{came_later}"


def _both(why: Why, at: datetime, zone: ZoneInfo) -> str:
    """A moment by the subscriber's clock, and by the operator's."""
    theirs = ZoneInfo(why.person.subscriber.preferences.timezone)
    said = f"{at.astimezone(theirs):%A %Y-%m-%d %H:%M} {theirs.key}"
    is_same = theirs.key == zone.key
    return said if is_same else f"{said} ({at.astimezone(zone):%Y-%m-%d %H:%M} {zone.key})"


def _ratings(why: Why) -> Iterator[str]:
    likes, mutes = why.ratings[Verdict.LIKE], why.ratings[Verdict.MUTE]
    if likes:
        yield f"liked papers: {likes}, {_effect(likes, 'which count as a topic')}"
    if mutes:
        yield f"muted papers: {mutes}, {_effect(mutes, 'which push papers like them back')}"


def _effect(count: int, what: str) -> str:
    return what if count >= ENOUGH_RATINGS else f"too few to count yet ({ENOUGH_RATINGS} do)"


# ---- what there was --------------------------------------------------------------------------


def _edition(why: Why, moment: _Moment) -> Iterator[str]:
    if why.offer is None:
        yield f"there is no edition of {why.day}" + (
            f"; the next is that of {why.instead}" if why.instead else ""
        )
        return
    yield f"edition of {why.day}: {_made(why.offer, why.now, moment)}"
    if missing := why.offer.edition.missing:
        yield f"it lacks what had failed when it was made: {', '.join(missing)}"
    new = len(why.offer.edition.candidates)
    if new != why.offer.papers or why.offer.new_since != why.day - timedelta(days=1):
        yield f"new to them: {new} papers, of the editions after {why.offer.new_since}"
    for each in why.topics:
        best = f"; best {each.score:.2f} {each.best}" if each.best else ""
        yield f"  {each.topic}: {each.fitting} fit{best}"


def _made(offer: Offer, now: datetime, moment: _Moment) -> str:
    if offer.made_at:
        return f"{offer.papers} papers, made {moment(offer.made_at)}"
    assert offer.to_be_made_at
    when = "late since" if offer.to_be_made_at < now else "to be made"
    return f"not made yet, {when} {moment(offer.to_be_made_at)}; {offer.papers} papers so far"


def _papers(why: Why) -> Iterator[str]:
    if why.offer is None:
        return
    if why.digest is None:
        yield "nothing in it for them"
        return
    yield "chosen for them:" if why.is_chosen else "what they would get, as things are now:"
    for number, pick in enumerate(why.digest.picks, 1):
        yield f"  {number}. [{pick.section}] {pick.candidate.facts.title}{_reason(pick)}"


def _reason(pick: Pick) -> str:
    if pick.match is None:
        return ""
    reason = pick.match.reason
    said = reason.liked or ", ".join(reason.words)
    return f"  {pick.match.score:.2f} {reason.topic or 'likes'}: {said}"


# ---- what became of it -----------------------------------------------------------------------


def _delivery(why: Why, moment: _Moment) -> Iterator[str]:
    if why.journey:
        yield from _journey(why.journey, moment)
    else:
        yield f"delivery: none{_why_none(why, moment)}"


def _why_none(why: Why, moment: _Moment) -> str:
    if why.offer is None:
        return ""
    if why.offer.made_at is None:
        return " yet: there is no edition"
    if why.is_long_ago:
        return ", or no longer kept (DIGEST_KEEP_DELIVERIES_DAYS)"
    if why.person.subscriber.consent is not Consent.CONFIRMED:
        return f": they are {why.person.subscriber.consent}"
    return _why_not_planned(why.times.due, why, moment)


def _why_not_planned(due: datetime | None, why: Why, moment: _Moment) -> str:
    if due is None:
        return ": it is not for them"
    if due > why.now:
        return " yet: it is planned when they are due"
    if why.decided_at and why.decided_at >= due:
        return " was planned when they were due"
    looked = f"looked last {moment(why.decided_at)}" if why.decided_at else "has not looked yet"
    return f" yet: the schedule {looked}"


def _journey(journey: Journey, moment: _Moment) -> Iterator[str]:
    report = journey.report
    because_of = f": {because(report)}" if report.reason else ""
    yield f"delivery {report.delivery.id}: {STATES[report.state]}{because_of}"
    if report.planned_at:
        yield f"  {moment(report.planned_at)} planned"
    for each in journey.attempts:
        reply = " ".join(filter(None, (str(each.code or ""), each.text)))
        yield f"  {moment(each.at)} {each.outcome}: {reply}"
    if not journey.attempts and report.changed_at != report.planned_at:
        yield f"  {moment(report.changed_at)} {report.state}"
    for back in journey.came_back:
        told = " ".join(filter(None, (back.bounce.status, back.bounce.text)))
        yield f"  {moment(back.at)} came back, {back.bounce.kind}: {told}"
    if report.state in _WAITS:
        yield from _waiting(journey, moment)


def _waiting(journey: Journey, moment: _Moment) -> Iterator[str]:
    for pause in journey.pauses:
        yield (
            f"  waits: no mail goes to {name_of(pause.provider)} since {moment(pause.since)}: "
            f"{pause.why} (digest deliveries resume)"
        )
    if again := journey.report.next_attempt_at:
        yield f"  to be tried again from {moment(again)} on"
    if journey.given_up_at:
        yield f"  to be given up {moment(journey.given_up_at)}"


def _next(why: Why, zone: ZoneInfo) -> Iterator[str]:
    if why.may_be_mailed:
        yield f"next digest: {_both(why, why.times.next, zone)}"
    elif why.person.suppression:
        yield "next digest: none while the address is blocked"
    else:
        yield f"next digest: none while they are {why.person.subscriber.consent}"
