"""What the pages about people need."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from digest.ledger.outcomes import Outcomes
from digest.studio.render import Pages
from subscribers.addresses import AddressPolicy
from subscribers.model import PersonFile
from subscribers.own_papers import ReadPapers
from subscribers.store.registry import Registry


@dataclass(frozen=True, slots=True)
class PeopleContext:
    """The parts of the pages about people; ``root`` is the path that they are served under.

    ``why`` says what `digest why` says of a person and a day's edition, by default the latest.
    ``speaks`` tells whether email can be in a language.
    """

    registry: Registry
    outcomes: Outcomes
    pages: Pages
    clock: Callable[[], datetime]
    zone: ZoneInfo
    address_policy: AddressPolicy
    read_papers: ReadPapers
    speaks: Callable[[str], bool]
    why: Callable[[PersonFile, date | None, datetime], Iterable[str]]
    root: str = ""

    @property
    def today(self) -> date:
        """Return the day that it is in the operator's time zone."""
        return self.clock().astimezone(self.zone).date()
