"""Collecting: from what the sources say to what the ledger keeps, and a record of it."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path

import structlog

from digest.collect.file import files_in, read_file
from digest.collect.merge import keys_of, merge
from digest.collect.source import Source
from digest.errors import SourceError
from digest.ledger.history import FILES, Collection
from digest.ledger.ledger import Ledger
from digest.ledger.locks import advisory_lock
from digest.model.papers import Collected, Harvest, MergedPaper, Rejection
from digest.model.progress import Progress, silent

log = structlog.get_logger()


class Collector:
    """``day_of`` is the operator's day of a moment, by which a collection is recorded."""

    def __init__(
        self,
        ledger: Ledger,
        sources: Callable[[], Sequence[Source]],
        day_of: Callable[[datetime], date],
    ) -> None:
        self._ledger = ledger
        self._sources = sources
        self._day_of = day_of

    def collect(
        self, days: Sequence[date], now: datetime, progress: Progress = silent
    ) -> Collected:
        """Ask every source for some days. One that fails is told among the rejected."""
        gathered = []
        sources = self._sources()
        for number, source in enumerate(sources):
            progress(number, len(sources))
            harvest = Harvest()
            try:
                for part in source.collect(days, now):
                    harvest += part
            except SourceError as error:
                log.error("a source failed", source=source.name, why=str(error))
                harvest += Harvest(rejected=(Rejection.of_source(source.name, str(error)),))
            gathered.append((source.name, harvest))
        progress(len(sources), len(sources))
        return self._keep_and_record(gathered, now)

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
        """Keep what was gathered, all at once, and write down what each source gave of it."""
        harvest = sum((given for _, given in gathered), Harvest())
        merged = self._merge(harvest)
        for source, given in gathered:
            keys, titles = keys_of(given.sightings)
            papers = [paper for paper in merged if paper.key in keys or paper.title_key in titles]
            self._ledger.history.record_collection(
                Collection.of(source, given, _collected(papers, given), self._day_of(now), now)
            )
        return _collected(merged, harvest)

    def _merge(self, harvest: Harvest) -> list[MergedPaper]:
        with advisory_lock(self._ledger.engine, "collection"):
            return self._ledger.papers.absorb(
                *keys_of(harvest.sightings), lambda known: merge(known, harvest.sightings)
            )


def _collected(merged: Sequence[MergedPaper], harvest: Harvest) -> Collected:
    return Collected(
        papers=len(merged),
        new=sum(paper.is_new for paper in merged),
        updated=sum(paper.is_updated for paper in merged),
        rejected=harvest.rejected,
    )
