"""What a source is, and how one is found.

A source is a plug-in: a function in the entry-point group ``digest.sources`` that takes the
settings and a web client and returns a Source. The two built in are found the same way.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from importlib.metadata import entry_points
from typing import Protocol

from digest.collect.http import Http
from digest.errors import SourceError
from digest.model.papers import Harvest
from digest.settings.settings import Settings

GROUP = "digest.sources"


class Source(Protocol):
    """Where papers come from."""

    name: str

    def collect(self, days: Sequence[date], now: datetime) -> Iterator[Harvest]:
        """What the source listed on some days, as seen ``now``, part by part.

        A source that only knows today gives that, with each entry's own day. Raises SourceError
        when the source cannot be reached or answers something else than papers; the parts that
        came before are kept.
        """
        ...


def find_sources(names: Sequence[str], settings: Settings, http: Http) -> list[Source]:
    """The named sources, in order. Raises SourceError naming one that does not exist or load."""
    installed = {point.name: point for point in entry_points(group=GROUP)}
    sources = []
    for name in names:
        if name not in installed:
            known = ", ".join(sorted(installed)) or "none"
            raise SourceError(f"there is no source {name!r}; installed are: {known}")
        try:
            factory: Callable[[Settings, Http], Source] = installed[name].load()
        except Exception as error:
            raise SourceError(f"the source {name!r} cannot be loaded: {error}") from error
        sources.append(factory(settings, http))
    return sources
