"""How the pages about what happened say it: moments, lengths of time, states and reasons. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from urllib.parse import urlencode

from digest.compose.view import long_date
from digest.model.deliveries import Balance, DeliveryReport, DeliveryState
from digest.model.digests import Section, SkipReason
from digest.studio.plots import in_words

# What became of a delivery, in the order it is told: name, and class of its colour.
STATES = {
    DeliveryState.ACCEPTED: "accepted by the mail server",
    DeliveryState.PENDING: "waiting to be sent",
    DeliveryState.SENDING: "being sent, or broken off while sending",
    DeliveryState.DEFERRED: "put off by the mail server; will be tried again",
    DeliveryState.REFUSED: "refused by the mail server",
    DeliveryState.SUPPRESSED: "not sent: there is a block on the address",
    DeliveryState.SKIPPED: "not sent",
    DeliveryState.UNCERTAIN: "sent, but the answer never came; not sent again by itself",
}
TONES = {
    DeliveryState.ACCEPTED: "good",
    DeliveryState.REFUSED: "bad",
    DeliveryState.SUPPRESSED: "bad",
    DeliveryState.UNCERTAIN: "warn",
    DeliveryState.DEFERRED: "warn",
    DeliveryState.SENDING: "warn",
}
REASONS = {
    SkipReason.NO_PAPERS: "there were no papers",
    SkipReason.NOTHING_MATCHED: "nothing matched their topics",
    SkipReason.PAUSED: "they have paused",
    SkipReason.WITHDRAWN: "they unsubscribed before it was sent",
    SkipReason.NOT_CONFIRMED: "they have not confirmed",
    SkipReason.REMOVED: "they were removed",
    SkipReason.NOT_RENDERED: "none of its papers could be rendered",
    SkipReason.TOO_LARGE: "it was too large",
    SkipReason.STALE: "it was too old when it could be sent",
    SkipReason.MISSED: "their time was too long ago when it could be planned",
    SkipReason.DROPPED: "it may have arrived before, and was given up",
}
SECTIONS = {Section.FOR_YOU: "for you", Section.TRENDING: "trending"}


@dataclass(frozen=True, slots=True)
class Pager:
    """Where one is in a long list, and the way to the pages before and after."""

    path: str
    page: int
    has_more: bool
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def before(self) -> str:
        return self._link(self.page - 1) if self.page > 1 else ""

    @property
    def after(self) -> str:
        return self._link(self.page + 1) if self.has_more else ""

    def _link(self, page: int) -> str:
        said = {name: value for name, value in self.query.items() if value}
        return f"{self.path}?{urlencode({**said, 'page': page})}"


def words(zone: tzinfo) -> dict[str, object]:
    """What the templates of these pages say things with; moments are told in a zone."""

    def moment(at: datetime) -> str:
        return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"

    return {
        "zone": str(zone),
        "moment": moment,
        "long_date": long_date,
        "length": length,
        "reason": reason,
        "because": because,
        "parts": parts,
        "states_said": STATES,
        "tones": TONES,
        "sections": SECTIONS,
    }


def length(time: timedelta | None) -> str:
    """A length of time; empty for none."""
    return "" if time is None else in_words(time.total_seconds())


def reason(stored: str) -> str:
    """Why a delivery was skipped, said as a reason; one from another version as it is stored."""
    known = SkipReason(stored) if stored in set(SkipReason) else None
    return REASONS[known] if known else stored.replace("-", " ")


def because(report: DeliveryReport) -> str:
    """Why a delivery was skipped, or what its note tells; empty for a digest."""
    said = reason(report.reason)
    return f"a note that {said}" if report.delivery.note else said


def parts(balance: Balance) -> list[tuple[DeliveryState, int]]:
    """What those due have come to: each state that anybody is in, and how many are."""
    return [
        (state, count)
        for state in STATES
        if state is not DeliveryState.SENDING and (count := getattr(balance, state.value))
    ]
