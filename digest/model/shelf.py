"""Papers in short, to be filtered, sorted and counted before any is read in full. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from digest.model.identity import name_key
from digest.model.papers import Signals

MOST_KEYWORDS = 6  # to filter by
MOST_ORGANISATIONS = 40
MOST_RISING = 5
LEAST_RISE = 5  # votes of a day; fewer are no rise
_COMMON = 2  # papers that a keyword needs, to be more than one paper's own word
_LONGEST_KEYWORD = 40


@dataclass(frozen=True, slots=True)
class Entry:
    """A paper in short; ``risen`` are the upvotes that it gained in the last day."""

    paper_id: int
    listed_on: date
    signals: Signals
    published_on: date | None = None
    organisation: str = ""
    has_code: bool = False
    keywords: tuple[str, ...] = ()
    risen: int = 0


class Order(StrEnum):
    """The orders in which papers are listed."""

    TRENDING = "trending"  # by votes, of which those of the last day count twice
    VOTES = "votes"
    NEWEST = "newest"


@dataclass(frozen=True, slots=True)
class Choice:
    """A choice of papers; an empty field restricts nothing."""

    order: Order = Order.TRENDING
    keyword: str = ""
    organisation: str = ""
    has_code: bool = False

    @property
    def restricts(self) -> bool:
        """Return whether it leaves any paper out."""
        return bool(self.keyword or self.organisation or self.has_code)


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters of a list of papers: names as they are mostly spelt, and how many each has.

    Each counts the papers that are left by the rest of the choice.
    """

    papers: int
    with_code: int
    keywords: list[tuple[str, int]]
    organisations: list[tuple[str, int]]


def chosen(entries: Iterable[Entry], choice: Choice) -> list[Entry]:
    """Return the entries of a choice, in its order."""
    keyword, organisation = folded(choice.keyword), name_key(choice.organisation)
    kept = [
        entry
        for entry in entries
        if (not choice.has_code or entry.has_code)
        and (not choice.organisation or organisation == name_key(entry.organisation) != "")
        and (not choice.keyword or keyword in map(folded, entry.keywords))
    ]
    return sorted(kept, key=_KEYS[choice.order])


def filters(entries: Sequence[Entry], choice: Choice) -> Filters:
    """Return what the papers of a choice may be filtered by."""

    def left_without(**freed: object) -> Sequence[Entry]:
        freer = replace(choice, **freed)  # type: ignore[arg-type]  # a field of Choice
        return chosen(entries, freer) if freer.restricts else entries

    keywords = [entry.keywords for entry in left_without(keyword="")]
    organisations = [(entry.organisation,) for entry in left_without(organisation="")]
    common = _common(keywords, folded, _COMMON)
    short = [(keyword, count) for keyword, count in common if len(keyword) <= _LONGEST_KEYWORD]
    return Filters(
        papers=len(entries),
        with_code=sum(entry.has_code for entry in left_without(has_code=False)),
        keywords=short[:MOST_KEYWORDS],
        organisations=_common(organisations, name_key, 1)[:MOST_ORGANISATIONS],
    )


def rising(entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries that gained most votes in the last day."""
    risen = [entry for entry in entries if entry.risen >= LEAST_RISE]
    return sorted(risen, key=lambda entry: (-entry.risen, entry.paper_id))[:MOST_RISING]


def folded(keyword: str) -> str:
    """Return a keyword as keywords are compared."""
    return " ".join(keyword.casefold().split())


def _common(
    names: Sequence[Sequence[str]], fold: Callable[[str], str], least: int
) -> list[tuple[str, int]]:
    """Count the papers that have each name, given by paper; the commonest first.

    Names that ``fold`` makes the same are one, spelt as most papers spell it.
    """
    spelt = Counter(name for of_paper in names for name in of_paper)
    key_of = {name: fold(name) for name in spelt}
    papers_with = Counter(key for of_paper in names for key in {key_of[name] for name in of_paper})
    spelling = {key_of[name]: name for name, _ in reversed(spelt.most_common())}
    common = [
        (spelling[key], count) for key, count in papers_with.items() if key and count >= least
    ]
    return sorted(common, key=lambda item: (-item[1], item[0].casefold()))


def _votes(entry: Entry) -> tuple[int, ...]:
    counts = (entry.signals.upvotes, entry.signals.comments, entry.signals.stars)
    upvotes, comments, stars = (-1 if count is None else count for count in counts)
    return (-upvotes, -comments, -entry.listed_on.toordinal(), -stars, entry.paper_id)


def _trending(entry: Entry) -> tuple[int, ...]:
    return (-((entry.signals.upvotes or 0) + entry.risen), *_votes(entry))


def _newest(entry: Entry) -> tuple[int, ...]:
    published = entry.published_on.toordinal() if entry.published_on else 0
    return (-entry.listed_on.toordinal(), -published, *_votes(entry))


_KEYS: dict[Order, Callable[[Entry], tuple[int, ...]]] = {
    Order.TRENDING: _trending,
    Order.VOTES: _votes,
    Order.NEWEST: _newest,
}
