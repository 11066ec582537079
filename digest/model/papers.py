"""Papers: sightings by sources, what is known after merging them, and the result of collecting."""

from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from enum import StrEnum
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Signals:
    """Counts as stated by a source. None is "this source does not say", which is not zero."""

    upvotes: int | None = None
    comments: int | None = None
    stars: int | None = None

    def then(self, seen: "Signals") -> "Signals":
        """Return the counts after ``seen``, which replaces what it states."""
        stated = {row.name: getattr(seen, row.name) for row in fields(seen)}
        return replace(self, **{name: n for name, n in stated.items() if n is not None})


class Revision(StrEnum):
    """Tell what a source did later with a paper that it had listed."""

    REPLACED = "replaced"  # by a new version
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts that sources state of a paper. Text is clean (see text.py); empty means not stated.

    ``summary`` is a sentence by the source, ``abstract`` the authors' own. ``author_count`` exceeds
    ``authors`` if a source states only the number. ``page_url`` is the page of the source that
    found the paper first. ``picture_url`` is where a source has a picture; it is fetched once, and
    never shown. ``revision`` says what a source did with the paper since: a Revision, or
    nothing. The last three were looked up: a sentence by Semantic Scholar, where the paper was
    published, and how often it was cited.
    """

    title: str
    arxiv_id: str = ""
    doi: str = ""
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
    picture_url: str = ""
    revision: str = ""
    tldr: str = ""
    venue: str = ""
    citations: int = 0

    def then(self, seen: "Facts") -> "Facts":
        """Return what is known after ``seen``, which replaces only what it states.

        The link stays on the site that it leads to; only to a later version there it may change.
        """
        stated = {row.name: getattr(seen, row.name) for row in fields(seen)}
        if self.page_url and urlsplit(seen.page_url).netloc != urlsplit(self.page_url).netloc:
            del stated["page_url"]
        return replace(self, **{name: value for name, value in stated.items() if value})


@dataclass(frozen=True, slots=True)
class Sighting:
    """An observation of a paper by a source.

    ``listed_on`` is the day on which the source presented it as new; None for a look-up or a new
    version of a paper, which make it eligible for no edition. With ``once`` it is so only if the
    source has listed it on no other day: the source shows papers for weeks, and does not say since
    when.
    """

    source: str
    seen_at: datetime
    listed_on: date | None
    facts: Facts
    signals: Signals = Signals()
    once: bool = False


@dataclass(frozen=True, slots=True)
class Rejection:
    """An entry that could not be read: the file or URL, the place in it, and why."""

    file: str
    where: str
    why: str

    @classmethod
    def of_source(cls, name: str, why: str) -> "Rejection":
        """Return the rejection of a whole source: its remaining parts could not be read."""
        return cls(name, "source", why)

    @classmethod
    def of_day(cls, name: str, day: date, why: str) -> "Rejection":
        """Return the rejection of a day: some or all of it could not be read."""
        return cls(name, f"day {day}", why)

    @property
    def is_of_source(self) -> bool:
        """Return whether a whole source failed."""
        return self.where == "source"

    @property
    def day(self) -> date | None:
        """Return the day that is not complete, if it is about one."""
        kind, _, day = self.where.partition(" ")
        return date.fromisoformat(day) if kind == "day" else None


@dataclass(frozen=True, slots=True)
class Harvest:
    """The result of reading a source: sightings, and the entries that could not be read."""

    sightings: tuple[Sighting, ...] = ()
    rejected: tuple[Rejection, ...] = ()

    def __add__(self, other: "Harvest") -> "Harvest":
        return Harvest(self.sightings + other.sightings, self.rejected + other.rejected)


@dataclass(frozen=True, slots=True)
class Listing:
    """The fact that a source presented a paper as new on a day."""

    source: str
    day: date


@dataclass(frozen=True, slots=True)
class Observation:
    """The counts of a source, from this moment until its next observation."""

    source: str
    seen_at: datetime
    signals: Signals


@dataclass(frozen=True, slots=True)
class Keys:
    """The canonical ids, DOIs and title keys under which some papers may be known."""

    ids: set[str]
    dois: set[str]
    titles: set[str]


@dataclass(frozen=True, slots=True)
class KnownPaper:
    """A paper in the ledger. ``key`` is its canonical id, ``signals`` are by source."""

    id: int
    key: str
    facts: Facts
    signals: dict[str, Signals]
    listings: frozenset[Listing]


@dataclass(frozen=True, slots=True)
class MergedPaper:
    """A paper after a merge, and what is new about it. ``known_id`` is None for a new paper."""

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
class Doubt:
    """The reason to believe that the list of a source is not complete, though it did not fail."""

    source: str
    why: str

    def __str__(self) -> str:
        return f"{self.source}: {self.why}"


@dataclass(frozen=True, slots=True)
class Collected:
    """The result of a collection, in papers; ``listed_on`` are the days they were listed on.

    ``rising`` is how many late risers an edition would have that was made now.
    """

    papers: int = 0
    new: int = 0
    updated: int = 0
    rejected: tuple[Rejection, ...] = ()
    listed_on: tuple[date, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    rising: int = 0

    @property
    def failures(self) -> tuple[str, ...]:
        """Return the sources that failed, each with the reason."""
        failed = (rejection for rejection in self.rejected if rejection.is_of_source)
        return tuple(f"{rejection.file}: {rejection.why}" for rejection in failed)

    @property
    def missing_sources(self) -> tuple[str, ...]:
        """Return the names of the sources that failed, or whose list is in doubt."""
        failed = [rejection.file for rejection in self.rejected if rejection.is_of_source]
        return tuple(dict.fromkeys([*failed, *(doubt.source for doubt in self.doubts)]))
