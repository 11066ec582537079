"""Write what `digest why` found, step by step."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from digest.compose.report_words import report_view
from digest.ledger.provider_queues import name_of
from digest.model.deliveries import WAITING
from digest.model.digests import Match
from digest.model.wording import STATES, because
from digest.monitoring.why import Journey, Offer, Why
from digest.rank.readers import ENOUGH_RATINGS
from subscribers.model import Consent
from subscribers.topic_reports import TopicReport

_Moment = Callable[[datetime], str]


def why_lines(why: Why, zone: ZoneInfo) -> Iterator[str]:
    """Yield the steps in order; moments are in the operator's zone, due times in both zones."""

    def moment(at: datetime) -> str:
        return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"

    theirs = ZoneInfo(why.preferences.timezone)

    def both(at: datetime) -> str:
        by_theirs = f"{at.astimezone(theirs):%A %Y-%m-%d %H:%M} {theirs.key}"
        return by_theirs if theirs.key == zone.key else f"{by_theirs} ({moment(at)} {zone.key})"

    yield from _person(why)
    if why.delivery:
        yield "(preferences, topics and ratings as they are now; papers and delivery as recorded)"
    came_later = ", before they subscribed" if why.due and why.due < why.consent_since else ""
    if why.first_since:
        yield f"due for it: at once, because they confirmed at {moment(why.first_since)}"
    else:
        yield f"due for it: {both(why.due)}{came_later}" if why.due else "due for it: no"
    yield from _ratings(why)
    yield from _edition(why, moment)
    yield from _papers(why)
    yield from report_lines(why.reports)
    if why.delivery:
        yield from _journey(why.delivery, moment)
    else:
        yield f"delivery: none{_why_none(why, moment)}"
    for past in why.announcements:
        yield past.announcement.name
        yield from (f"  {line}" for line in _journey(past.delivery, moment))
    if why.next:
        yield f"next digest: {both(why.next)}"
    elif why.suppression:
        yield "next digest: none while the address is blocked"
    else:
        yield f"next digest: none while they are {why.consent}"


# ---- who, and what they said -----------------------------------------------------------------


def _person(why: Why) -> Iterator[str]:
    preferences = why.preferences
    yield (
        f"{why.address}: {why.consent} since {why.consent_since:%Y-%m-%d}, "
        f"mail at {preferences.at:%H:%M} ({preferences.timezone}) {preferences.how_often}"
    )
    if block := why.suppression:
        yield f"blocked since {block.at:%Y-%m-%d}: {block.reason}"
    if preferences.is_paused_on(why.day):
        yield f"paused until {preferences.paused_until}"
    if not preferences.wants_mail_on(why.day):
        yield f"they get no digest on a {why.day:%A}"


def _ratings(why: Why) -> Iterator[str]:
    for what, count, effect in (
        ("liked", why.likes, "which count as a topic"),
        ("muted", why.mutes, "which lower papers like them"),
    ):
        if count:
            too_few = f"too few to count yet ({ENOUGH_RATINGS} do)"
            yield f"{what} papers: {count}, {effect if count >= ENOUGH_RATINGS else too_few}"
    if why.own:
        yield f"papers of their own: {why.own}, which count as a topic"
    if follows := why.preferences.follows:
        yield f"they follow: {', '.join(follow.name for follow in follows)}"


# ---- what there was --------------------------------------------------------------------------


def _edition(why: Why, moment: _Moment) -> Iterator[str]:
    offer = why.edition
    if offer is None:
        instead = f"; the next is that of {why.instead}" if why.instead else ""
        yield f"there is no edition of {why.day}{instead}"
        return
    yield f"edition of {why.day}: {_made(offer, why.at, moment)}"
    if offer.missing:
        yield f"it lacks what had failed when it was made: {', '.join(offer.missing)}"
    if offer.new != offer.papers or offer.new_since != why.day - timedelta(days=1):
        yield f"new to them: {offer.new} papers, of the editions after {offer.new_since}"
    for fit in why.topics:
        best = f"; best {fit.score:.2f} {fit.best}" if fit.best else ""
        yield f"  {fit.topic}: {fit.fitting} fit{best}"


def report_lines(reports: Sequence[TopicReport]) -> Iterator[str]:
    """Yield what topics would have matched lately, as the pages tell readers."""
    if reports:
        yield f"among the {reports[0].of} papers of the 30 days to {reports[0].until}:"
    for report in reports:
        view = report_view(report)
        yield f"  {report.topic}: {view.text}"
        for paper in view.best:
            yield f"    {paper.title}"
        for hint in view.hints:
            yield f"    {hint.text}"


def _made(offer: Offer, now: datetime, moment: _Moment) -> str:
    if offer.made_at:
        return f"{offer.papers} papers, made {moment(offer.made_at)}"
    assert offer.to_be_made_at
    when = "late since" if offer.to_be_made_at < now else "to be made"
    return f"not made yet, {when} {moment(offer.to_be_made_at)}; {offer.papers} papers so far"


def _papers(why: Why) -> Iterator[str]:
    if why.edition is None:
        return
    if why.digest is None:
        yield "no paper in it is for them"
        return
    yield "chosen for them:" if why.is_chosen else "what they would get, as things are now:"
    for number, pick in enumerate(why.digest.picks, 1):
        reason = _reason(pick.match) if pick.match else ""
        yield f"  {number}. [{pick.section}] {pick.candidate.facts.title}{reason}"


def _reason(match: Match) -> str:
    reason = match.reason
    if reason.followed:
        return f"  {match.score:.2f} they follow {reason.followed}"
    said = reason.liked or ", ".join(reason.words)
    return f"  {match.score:.2f} {reason.topic or 'likes'}: {said}"


# ---- what became of it -----------------------------------------------------------------------


def _why_none(why: Why, moment: _Moment) -> str:
    if why.edition is None:
        return ""
    if why.edition.made_at is None:
        return " yet: there is no edition"
    if why.is_long_ago:
        return ", or no longer kept (DIGEST_KEEP_DELIVERIES_DAYS)"
    if why.consent is not Consent.CONFIRMED:
        return f": they are {why.consent}"
    return _why_not_planned(why.due, why, moment)


def _why_not_planned(due: datetime | None, why: Why, moment: _Moment) -> str:
    if due is None:
        return ": it is not for them"
    if due > why.at:
        return " yet: it is planned when they are due"
    if why.planned_up_to is None:
        return " yet: the schedule has not run"
    if why.planned_up_to >= due:
        return ": none was planned when they were due"
    return f" yet: the schedule last ran {moment(why.planned_up_to)}"


def _journey(journey: Journey, moment: _Moment) -> Iterator[str]:
    report = journey.report
    because_of = f": {because(report)}" if report.reason else ""
    yield f"delivery {report.delivery.id}: {STATES[report.state]}{because_of}"
    if report.planned_at:
        yield f"  {moment(report.planned_at)} planned"
    for attempt in journey.attempts:
        yield f"  {moment(attempt.at)} {attempt.outcome}: {_joined(attempt.code, attempt.text)}"
    if not journey.attempts and report.changed_at != report.planned_at:
        yield f"  {moment(report.changed_at)} {report.state}"
    for back in journey.came_back:
        bounce = back.bounce
        said = _joined(bounce.status, bounce.text)
        yield f"  {moment(back.at)} came back, {bounce.kind}: {said}"
    if report.state in WAITING:
        yield from _waiting(journey, moment)


def _joined(code: int | str, text: str) -> str:
    return " ".join(filter(None, (str(code or ""), text)))


def _waiting(journey: Journey, moment: _Moment) -> Iterator[str]:
    for pause in journey.pauses:
        yield (
            f"  waits: sending to {name_of(pause.provider)} is paused since {moment(pause.since)}: "
            f"{pause.why} (digest deliveries resume)"
        )
    if again := journey.report.next_attempt_at:
        yield f"  it is tried again from {moment(again)}"
    yield f"  it is given up at {moment(journey.given_up_at)}"
