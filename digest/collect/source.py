"""The protocol of sources, and how they are found.

A source is a plug-in: a function in the entry-point group ``digest.sources`` that takes the
settings and a web client and returns a Source, or a list of them. Those built in are found the same
way.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Protocol

from digest.errors import SourceError
from digest.model.papers import Harvest
from digest.settings.settings import Settings

if TYPE_CHECKING:
    from digest.collect.http import Http

GROUP = "digest.sources"


class Source(Protocol):
    """A service that lists papers.

    One whose list of a day never changes afterwards may say so by the attribute ``lists_once =
    True``. Then it is not asked again for earlier days that it has listed papers on. One without
    votes may say ``has_votes = False``: then it is not asked for days only to see how votes rise.
    """

    name: str

    def collect(self, days: Sequence[date], now: datetime) -> Iterator[Harvest]:
        """Yield what the source listed on some days, as seen ``now``, part by part.

        A source that only knows today gives that, with each entry's own day. One that is asked for
        each day by itself rejects a day that fails (``Rejection.of_day``) and goes on. Raises
        SourceError if nothing more is to be had; the parts that came before are kept.
        """
        ...


def installed(names: Sequence[str]) -> list[EntryPoint]:
    """Return the plug-ins with these names, in order. Raises SourceError if one is missing."""
    points = {point.name: point for point in entry_points(group=GROUP)}
    for name in names:
        if name not in points:
            known = ", ".join(sorted(points)) or "none"
            raise SourceError(f"there is no source {name!r}; installed are: {known}")
    return [points[name] for name in names]


def find_sources(names: Sequence[str], settings: Settings, http: "Http") -> list[Source]:
    """Return the named sources, in order. Raises SourceError if one is missing or cannot load."""
    sources: list[Source] = []
    for point in installed(names):
        try:
            factory: Callable[[Settings, Http], Source | list[Source]] = point.load()
        except Exception as error:
            raise SourceError(f"the source {point.name!r} cannot be loaded: {error}") from error
        made = factory(settings, http)
        sources += made if isinstance(made, list) else [made]
    return sources
