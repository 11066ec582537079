"""`digest why` as a program gets it. Names are only ever added to this form."""

from datetime import date
from typing import Any

from digest.model.digests import Pick
from digest.monitoring.why import Journey, Offer, Why
from subscribers.model import Verdict


def why_record(why: Why) -> dict[str, Any]:
    """Plain values only; moments in UTC."""
    who = why.person.subscriber
    return {
        "address": who.address,
        "day": why.day.isoformat(),
        "consent": who.consent.value,
        "suppressed": why.person.suppression and why.person.suppression.reason.value,
        "cadence": who.preferences.cadence,
        "at": f"{who.preferences.at:%H:%M}",
        "timezone": who.preferences.timezone,
        "paused_until": _text(who.preferences.paused_until),
        "due": _text(why.times.due),
        "next": _text(why.times.next) if why.may_be_mailed else None,
        "edition": why.offer and _edition(why.offer),
        "instead": _text(why.instead),
        "likes": why.ratings[Verdict.LIKE],
        "mutes": why.ratings[Verdict.MUTE],
        "topics": [
            {
                "topic": each.topic,
                "fitting": each.fitting,
                "best": each.best,
                "score": round(each.score, 4),
            }
            for each in why.topics
        ],
        "papers": [_paper(pick) for pick in (why.digest.picks if why.digest else ())],
        "is_chosen": why.is_chosen,
        "is_long_ago": why.is_long_ago,
        "planned_up_to": _text(why.decided_at),
        "delivery": why.journey and _delivery(why.journey),
    }


def _edition(offer: Offer) -> dict[str, Any]:
    return {
        "papers": offer.papers,
        "missing": list(offer.edition.missing),
        "made_at": _text(offer.made_at),
        "to_be_made_at": _text(offer.to_be_made_at),
        "new_since": _text(offer.new_since),
        "new": len(offer.edition.candidates),
    }


def _paper(pick: Pick) -> dict[str, Any]:
    return {
        "id": pick.candidate.key,
        "title": pick.candidate.facts.title,
        "section": pick.section.value,
        "score": pick.match and round(pick.match.score, 4),
        "topic": pick.match and pick.match.reason.topic,
        "words": pick.match and list(pick.match.reason.words),
        "liked": pick.match and pick.match.reason.liked,
    }


def _delivery(journey: Journey) -> dict[str, Any]:
    report = journey.report
    return {
        "number": report.delivery.id,
        "state": report.state.value,
        "reason": report.reason,
        "is_note": report.delivery.note is not None,
        "last_words": report.last_words,
        "planned_at": _text(report.planned_at),
        "changed_at": _text(report.changed_at),
        "next_attempt_at": _text(report.next_attempt_at),
        "given_up_at": _text(journey.given_up_at),
        "provider": report.delivery.provider,
        "pauses": [each.provider for each in journey.pauses],
        "attempts": [
            {
                "at": _text(each.at),
                "outcome": each.outcome.value,
                "code": each.code,
                "text": each.text,
            }
            for each in journey.attempts
        ],
        "came_back": [
            {
                "at": _text(each.at),
                "kind": each.bounce.kind.value,
                "status": each.bounce.status,
                "text": each.bounce.text,
            }
            for each in journey.came_back
        ],
    }


def _text(value: date | None) -> str | None:
    return value.isoformat() if value else None
