"""Examine whether each source answers in its form. What it answers is not stored."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from digest.collect.source import Source
from digest.doctor.diagnosis import Area, Diagnosis
from digest.errors import DigestError
from digest.model.papers import Harvest

AREA = Area("sources")
NOT_EXAMINED = AREA.unknown("They were not asked.", "Run this without --offline.")
_WHAT_TO_DO = "Check its address, and the network; docs/sources.md says what each source needs."
_TWO_DAYS = (timedelta(days=1), timedelta())  # the current one may be empty until noon


def examine_sources(sources: Callable[[], Sequence[Source]], now: datetime) -> Iterator[Diagnosis]:
    """Ask each source for what a collection would ask for."""
    try:
        found = sources()
    except DigestError as error:  # one is not installed, or not set
        yield AREA.problem(f"{error}.", "Correct DIGEST_SOURCES.")
        return
    days = [now.date() - before for before in _TWO_DAYS]
    for source in found:
        try:
            harvest = sum(source.collect(days, now), Harvest())
        except DigestError as error:
            yield AREA.problem(f"{source.name} does not answer: {error}.", _WHAT_TO_DO)
        except Exception as error:  # noqa: BLE001  a plug-in may raise anything
            yield AREA.problem(f"{source.name} has a fault of its own: {error!r}.", _WHAT_TO_DO)
        else:
            yield judge_answer(source.name, harvest)


def judge_answer(name: str, harvest: Harvest) -> Diagnosis:
    """Judge what a source gave for two days."""
    failed = next((rejection for rejection in harvest.rejected if rejection.day), None)
    if failed:
        return AREA.problem(f"{name} does not answer: {failed.why}.", _WHAT_TO_DO)
    count, unread = len(harvest.sightings), len(harvest.rejected)
    if unread > count:
        first = harvest.rejected[0]
        what = f"{name}: {unread} of {count + unread} papers cannot be read ({first.why})."
        return AREA.problem(what, "Its form has changed, or it is another service.")
    return AREA.good(f"{name} answers; papers of two days: {count}.")
