"""Of papers: what sources say of them, what is known after that, and what a collection came to."""

from dataclasses import dataclass, fields, replace
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Signals:
    """Raw counts. None is "this source does not say", which is not zero."""

    upvotes: int | None = None
    comments: int | None = None
    stars: int | None = None

    def then(self, seen: "Signals") -> "Signals":
        """The counts after ``seen``: what it states, and the rest as it was."""
        stated = {row.name: getattr(seen, row.name) for row in fields(seen)}
        return replace(self, **{name: n for name, n in stated.items() if n is not None})


@dataclass(frozen=True, slots=True)
class Facts:
    """What sources say of a work. Text is clean (see collect.text); empty means not given.

    ``summary`` is one sentence by the source, ``abstract`` the authors' own. ``author_count`` may
    exceed ``authors`` where a source gives only the number. ``page_url`` is the source's page.
    """

    title: str
    arxiv_id: str = ""
    abstract: str = ""
    summary: str = ""
    authors: tuple[str, ...] = ()
    author_count: int = 0
    published_on: date | None = None
    organisation: str = ""
    keywords: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    page_url: str = ""
    code_url: str = ""
    project_url: str = ""

    def then(self, seen: "Facts") -> "Facts":
        """What is known after ``seen``: what it states, and the rest as it was.

        So a source that knows little takes nothing away.
        """
        stated = {row.name: getattr(seen, row.name) for row in fields(seen)}
        return replace(self, **{name: value for name, value in stated.items() if value})


@dataclass(frozen=True, slots=True)
class Sighting:
    """One source's observation of a paper.

    ``listed_on`` is the day the source presented it as new; None for a mere look-up or a new
    version, which make nothing eligible.
    """

    source: str
    seen_at: datetime
    listed_on: date | None
    facts: Facts
    signals: Signals = Signals()


@dataclass(frozen=True, slots=True)
class Rejection:
    """One thing that could not be read: in which file or address, where in it, and why."""

    file: str
    where: str
    why: str

    @classmethod
    def of_source(cls, name: str, why: str) -> "Rejection":
        """A source that failed: its remaining parts could not be read."""
        return cls(name, "source", why)

    @property
    def is_of_source(self) -> bool:
        return self.where == "source"


@dataclass(frozen=True, slots=True)
class Harvest:
    """What one reading of a source gave. Nothing is lost: unreadable entries are listed."""

    sightings: tuple[Sighting, ...] = ()
    rejected: tuple[Rejection, ...] = ()

    def __add__(self, other: "Harvest") -> "Harvest":
        return Harvest(self.sightings + other.sightings, self.rejected + other.rejected)


@dataclass(frozen=True, slots=True)
class Listing:
    """A source presented a paper as new on a day."""

    source: str
    day: date


@dataclass(frozen=True, slots=True)
class Observation:
    """The counts of one source, from this moment until its next observation."""

    source: str
    seen_at: datetime
    signals: Signals


@dataclass(frozen=True, slots=True)
class KnownPaper:
    """A paper as the ledger has it: ``key`` is its canonical id, ``signals`` are by source."""

    id: int
    key: str
    facts: Facts
    signals: dict[str, Signals]
    listings: frozenset[Listing]


@dataclass(frozen=True, slots=True)
class MergedPaper:
    """What the ledger is to hold after a merge: the paper, and what is new about it.

    ``known_id`` is None for a paper not seen before.
    """

    known_id: int | None
    key: str
    title_key: str
    facts: Facts
    first_seen: datetime
    facts_changed: bool
    new_listings: tuple[Listing, ...]
    new_observations: tuple[Observation, ...]

    @property
    def is_new(self) -> bool:
        return self.known_id is None

    @property
    def is_updated(self) -> bool:
        changes = self.facts_changed or self.new_listings or self.new_observations
        return not self.is_new and bool(changes)


@dataclass(frozen=True, slots=True)
class Collected:
    """The balance of a collection, in papers."""

    papers: int = 0
    new: int = 0
    updated: int = 0
    rejected: tuple[Rejection, ...] = ()

    @property
    def failures(self) -> tuple[str, ...]:
        """The sources that failed, and why: more than an entry that cannot be read."""
        failed = (rejection for rejection in self.rejected if rejection.is_of_source)
        return tuple(f"{rejection.file}: {rejection.why}" for rejection in failed)

    @property
    def failed_sources(self) -> tuple[str, ...]:
        return tuple(rejection.file for rejection in self.rejected if rejection.is_of_source)
