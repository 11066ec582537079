"""Ask sources for papers of the past, for a reference corpus. Nothing is stored."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from digest.collect.merge import key_of
from digest.collect.source import Source
from digest.errors import SourceError
from digest.model.papers import Facts, Harvest, Rejection
from digest.model.progress import Progress, silent

_DAY = timedelta(days=1)


@dataclass
class Past:
    """Papers with an abstract by canonical id; and why sources gave no more, by their names."""

    papers: dict[str, Facts] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def add(self, harvest: Harvest) -> None:
        for sighting in harvest.sightings:
            facts = sighting.facts
            if facts.abstract:
                key = key_of(facts)
                before = self.papers.get(key)
                self.papers[key] = before.then(facts) if before else facts


def past_papers(
    sources: Iterable[Source], now: datetime, weeks: int, most: int, progress: Progress = silent
) -> Past:
    """Return the papers of the last weeks, the latest first, until there are ``most``.

    A source that fails is not asked for earlier weeks.
    """
    past = Past()
    asked: Sequence[Source] = list(sources)
    for week in range(weeks):
        progress(len(past.papers), most)
        if len(past.papers) >= most:
            break
        last = now.date() - week * 7 * _DAY
        days = [last - number * _DAY for number in range(6, -1, -1)]
        for source in asked:
            try:
                for harvest in source.collect(days, now):
                    past.add(harvest)
                    for rejection in filter(_is_of_day, harvest.rejected):
                        past.failures[source.name] = rejection.why
            except SourceError as error:
                past.failures[source.name] = str(error)
        asked = [source for source in asked if source.name not in past.failures]
    progress(most, most)
    return past


def _is_of_day(rejection: Rejection) -> bool:
    return rejection.day is not None
