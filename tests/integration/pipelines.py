"""Pipelines, put together for tests as the application does it."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

from digest.collect.collector import Collector
from digest.collect.source import Source
from digest.ledger.ledger import Ledger
from digest.model.progress import Progress
from digest.model.timetable import Timetable
from digest.monitoring import explaining
from digest.monitoring.why import Why
from digest.pipeline import Deliver, Pipeline
from digest.plan.planning import Planning
from digest.rank.reference_corpus import ReferenceCorpus
from digest.settings.settings import Settings
from subscribers.model import PersonFile
from subscribers.store.registry import Registry
from tests.support import make_corpus


def deliver_nothing(now: datetime, progress: Progress) -> tuple[str, ...]:
    """As if there were no way out, and that were no trouble."""
    return ()


def make_collector(
    settings: Settings, ledger: Ledger, sources: Callable[[], Sequence[Source]] = list
) -> Collector:
    return Collector(ledger, sources, Timetable(settings.run_at, settings.timezone).day_of)


def make_planning(
    settings: Settings,
    ledger: Ledger,
    registry: Registry,
    corpus: Callable[[], ReferenceCorpus] = make_corpus,
) -> Planning:
    return Planning(settings, ledger, registry, corpus, None, None)


def make_pipeline(
    settings: Settings,
    ledger: Ledger,
    registry: Registry,
    sources: Callable[[], Sequence[Source]] = list,
    deliver: Deliver = deliver_nothing,
    corpus: Callable[[], ReferenceCorpus] = make_corpus,
    **clock: Any,
) -> Pipeline:
    collector = make_collector(settings, ledger, sources)
    planning = make_planning(settings, ledger, registry, corpus)
    return Pipeline(settings, ledger, collector, planning, deliver, **clock)


def explain(
    settings: Settings,
    ledger: Ledger,
    registry: Registry,
    person: PersonFile,
    day: date,
    now: datetime,
) -> Why:
    """Return what decided about a subscriber and the edition of a day, or would."""
    planning = make_planning(settings, ledger, registry)
    return explaining.explain(settings, ledger, planning, person, day, now)
