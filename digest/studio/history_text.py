"""Word the pages about the past. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from urllib.parse import urlencode

from digest.compose.language import ENGLISH
from digest.model.deliveries import DeliveryState
from digest.model.digests import Section
from digest.model.wording import STATES, because, length, parts, reason

# The CSS class of a delivery in this state.
TONES = {
    DeliveryState.ACCEPTED: "good",
    DeliveryState.REFUSED: "bad",
    DeliveryState.SUPPRESSED: "bad",
    DeliveryState.UNCERTAIN: "warn",
    DeliveryState.DEFERRED: "warn",
    DeliveryState.SENDING: "warn",
}
SECTIONS = {Section.FOR_YOU: "for you", Section.TRENDING: "trending", Section.RISING: "rising"}


@dataclass(frozen=True, slots=True)
class Pager:
    """A page of a long list, with the addresses of the pages before and after it."""

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
    """Return the functions and words that the templates use; moments are shown in ``zone``."""

    def moment(at: datetime) -> str:
        return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"

    return {
        "zone": str(zone),
        "moment": moment,
        "long_date": ENGLISH.long_date,
        "length": length,
        "reason": reason,
        "because": because,
        "parts": parts,
        "states_said": STATES,
        "tones": TONES,
        "sections": SECTIONS,
    }
