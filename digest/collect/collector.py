"""Collect: from the sources' answers to papers in the ledger, and a record of it."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Thread

import structlog

from digest.collect.file import files_in, read_file
from digest.collect.merge import keys_of, merge
from digest.collect.source import Source
from digest.errors import SourceError, Stopped
from digest.ledger.history import FILES, Collection
from digest.ledger.ledger import Ledger
from digest.ledger.locks import advisory_lock
from digest.model.papers import Collected, Facts, Harvest, MergedPaper, Rejection
from digest.model.progress import Progress, silent

MOST_SECONDS = 600.0  # for a collection; the sources are asked at the same time
LOOK_UP_SECONDS = 60.0  # at most, because an edition may wait for them
MOST_LOOKED_UP = 2000  # papers in one collection
ASK_AGAIN_FOR = timedelta(days=7)  # a day that is not complete
_BLOCK = 250  # sightings that are kept in one transaction
_PAUSE = 0.1  # seconds between two: as often as SQLite lets others look whether they may write

# Fetches the pictures that the papers of some days lack.
CollectPictures = Callable[[Sequence[date], datetime], None]
LookUp = Callable[[Sequence[Facts], datetime], Iterator[Harvest]]

log = structlog.get_logger()


class Collector:
    """The collecting of papers into a ledger.

    ``day_of`` returns the operator's day of a moment, by which a collection is recorded.
    ``look_up`` returns what another service knows of papers, ``pictures`` fetches their pictures;
    ``own_papers`` looks up those that readers named as their own, and keeps them itself.
    ``index`` is called when papers were kept, so that searches find them.
    """

    def __init__(
        self,
        ledger: Ledger,
        sources: Callable[[], Sequence[Source]],
        day_of: Callable[[datetime], date],
        look_up: LookUp | None = None,
        pictures: CollectPictures | None = None,
        most_seconds: float = MOST_SECONDS,
        own_papers: Callable[[datetime], Iterator[Harvest]] | None = None,
        index: Callable[[], object] = lambda: None,
    ) -> None:
        self._ledger = ledger
        self._sources = sources
        self._day_of = day_of
        self._look_up = look_up
        self._pictures = pictures
        self._most_seconds = most_seconds
        self._own_papers = own_papers
        self._index = index

    def collect(
        self,
        days: Sequence[date],
        now: datetime,
        progress: Progress = silent,
        votes_of: Sequence[date] = (),
    ) -> Collected:
        """Ask every source for some days, and for those shortly before that were not complete.

        Sources whose lists change are also asked for the days ``votes_of``, which fail nothing.
        A source that fails, or has not ended in time, is told among the rejected; what it gave
        before is kept. Raises Stopped if asked to stop: then nothing is kept, unless it was asked
        while papers were looked up.
        """
        again = self.incomplete_days(days[0]) if days else []
        until = time.monotonic() + self._most_seconds
        askings = [
            _Asking(
                source.name,
                partial(source.collect, self._wanted([*again, *days], votes_of, source), now),
            )
            for source in self._sources()
        ]
        for asking in askings:
            asking.start()
        gathered = []
        for number, asking in enumerate(askings):
            progress(number, len(askings))
            asking.join(max(0.0, until - time.monotonic()))
            gathered.append((asking.name, asking.harvest(days)))
        progress(len(askings), len(askings))
        collected = self._keep_and_record(gathered, now)
        if self._look_up:
            papers = self._ledger.papers.with_identifiers([*days, *votes_of], MOST_LOOKED_UP)
            self._keep_looked_up(_Asking("look-up", partial(self._look_up, papers, now)))
        if self._pictures:
            self._pictures([*days, *votes_of], now)
        if self._own_papers:
            self._look_up_own(_Asking("own papers", partial(self._own_papers, now)))
        return collected

    def _look_up_own(self, asking: "_Asking") -> None:
        """Let what readers named be looked up. It lists nothing, so nothing of it is merged."""
        asking.start()
        asking.join(min(LOOK_UP_SECONDS, self._most_seconds))
        _, why = asking.given()
        if why:
            log.warning("readers' own papers could not be looked up", why=why)

    def _keep_looked_up(self, asking: "_Asking") -> None:
        """Keep what a service knows of papers; if it fails, they only lack that."""
        asking.start()
        asking.join(min(LOOK_UP_SECONDS, self._most_seconds))
        found, why = asking.given()
        self._merge(found)
        if why or found.rejected:
            log.warning("papers could not be looked up", why=why or found.rejected[0].why)

    def _wanted(
        self, days: Sequence[date], votes_of: Sequence[date], source: Source
    ) -> Sequence[date]:
        """Leave out the days before the last whose list is known, if it does not change."""
        if not getattr(source, "lists_once", False):  # optional, as the next one: see Source
            votes_of = votes_of if getattr(source, "has_votes", True) else ()
            return [*days, *(day for day in votes_of if day not in days)]
        known = self._ledger.papers.listing_days(source.name, days)
        return [day for day in days if day == days[-1] or day not in known]

    def incomplete_days(self, first: date) -> list[date]:
        """Return the days in the week before ``first`` of which a source did not give all."""
        earliest = first - ASK_AGAIN_FOR
        failed = self._ledger.history.incomplete_days(earliest)
        return sorted(day for day in failed if earliest <= day < first)

    def collect_files(
        self, paths: Sequence[Path], day: date | None, now: datetime, progress: Progress = silent
    ) -> Collected:
        """Read files, or folders of them."""
        harvest = Harvest()
        files = files_in(paths)
        for number, path in enumerate(files, 1):
            harvest += read_file(path, day, now)
            progress(number, len(files))
        return self._keep_and_record([(FILES, harvest)], now)

    def keep(self, harvest: Harvest) -> Collected:
        """Merge sightings into the ledger, without a record."""
        return _collected(self._merge(harvest), harvest)

    def _keep_and_record(self, gathered: Sequence[tuple[str, Harvest]], now: datetime) -> Collected:
        """Keep what was gathered, and write down what each source gave of it."""
        harvest = sum((given for _, given in gathered), Harvest())
        merged = self._merge(harvest)
        for source, given in gathered:
            keys = keys_of(given.sightings)
            papers = [
                paper
                for paper in merged
                if paper.key in keys.ids
                or paper.facts.doi in keys.dois
                or paper.title_key in keys.titles
            ]
            self._ledger.history.record_collection(
                Collection.of(source, given, _collected(papers, given), self._day_of(now), now)
            )
        return _collected(merged, harvest)

    def _merge(self, harvest: Harvest) -> list[MergedPaper]:
        """Merge sightings in blocks, so that nobody waits long who wants to write as well."""
        sightings = sorted(harvest.sightings, key=lambda sighting: sighting.seen_at)
        merged = []
        with advisory_lock(self._ledger.engine, "collection"):
            for start in range(0, len(sightings), _BLOCK):
                if start:
                    time.sleep(_PAUSE)
                block = sightings[start : start + _BLOCK]
                merged += self._ledger.papers.absorb(
                    keys_of(block), partial(merge, sightings=block)
                )
            if merged:
                self._index()
        return merged


class _Asking(Thread):
    """A service that is being asked, in a thread of its own: one that never ends is left behind."""

    def __init__(self, name: str, ask: Callable[[], Iterator[Harvest]]) -> None:
        super().__init__(name=name, daemon=True)
        self._ask = ask
        self._parts: list[Harvest] = []
        self._fault: Exception | None = None

    def run(self) -> None:
        try:
            for part in self._ask():
                self._parts.append(part)
        except Exception as error:  # noqa: BLE001  told by the thread that waits
            self._fault = error

    def harvest(self, days: Iterable[date]) -> Harvest:
        """Return what came until now. A fault, or one of ``days`` not complete, is a rejection."""
        harvest, fault = self.given()
        failed = {rejection.day for rejection in harvest.rejected}
        incomplete = [str(day) for day in days if day in failed]
        why = fault or (f"not complete: {', '.join(incomplete)}" if incomplete else "")
        if not why:
            return harvest
        log.error("a source failed", source=self.name, why=why)
        # First, because of very many rejections only the first are kept.
        rejected = (Rejection.of_source(self.name, why), *harvest.rejected)
        return Harvest(harvest.sightings, rejected)

    def given(self) -> tuple[Harvest, str]:
        """Return what came until now, and why there is no more if it failed. Raises Stopped."""
        is_late = self.is_alive()  # before the parts are looked at: it may end in between
        harvest = sum(list(self._parts), Harvest())
        if isinstance(self._fault, Stopped):
            raise self._fault
        if isinstance(self._fault, SourceError):
            return harvest, str(self._fault)
        if self._fault:
            log.error("a source has a fault of its own", source=self.name, exc_info=self._fault)
            return harvest, f"a fault of its own: {self._fault!r}"
        return harvest, "it has not ended in time" if is_late else ""


def _collected(merged: Iterable[MergedPaper], harvest: Harvest) -> Collected:
    """Count papers; one in several blocks may have been new in the first."""
    of_paper: dict[str, list[MergedPaper]] = {}
    for paper in merged:
        of_paper.setdefault(paper.key, []).append(paper)
    new = sum(parts[0].is_new for parts in of_paper.values())
    updated = sum(
        not parts[0].is_new and any(paper.is_updated for paper in parts)
        for parts in of_paper.values()
    )
    days = {sighting.listed_on for sighting in harvest.sightings if sighting.listed_on}
    return Collected(len(of_paper), new, updated, harvest.rejected, tuple(sorted(days)))
