"""`digest doctor`: examine everything that prevents sending, or may.

Each module examines one area. The functions ``judge_…`` are pure: they take values and return
diagnoses, each with what to do about it. The functions ``examine_…`` get these values.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from dns.resolver import Resolver

from digest.checks.finding import Finding, Level
from digest.collect.source import Source
from digest.doctor.clock import examine_zones, judge_date
from digest.doctor.database import Objection, examine_database, examine_disk
from digest.doctor.diagnosis import Area, Diagnosis, in_order
from digest.doctor.dns import NOT_ASKED, examine_dns
from digest.doctor.relay import examine_outlet
from digest.doctor.settings import (
    examine_dotenv,
    is_in_container,
    judge_proxies,
    judge_settings,
)
from digest.doctor.source_answers import NOT_EXAMINED, examine_sources
from digest.errors import DigestError
from digest.settings.settings import Settings

TEMPLATES = Area("templates")
RANKING = Area("ranking")


def examine(
    settings: Settings,
    now: datetime,
    checks: Callable[[], Sequence[Finding]],
    model: Callable[[], str | None],
    objection: Objection,
    resolver: Callable[[], Resolver | None],
    sources: Callable[[], Sequence[Source]],
    *,
    offline: bool,
) -> list[Diagnosis]:
    """Return every diagnosis, the worst last.

    ``checks`` returns the findings about the templates, ``model`` the name of the sentence model.

    With ``offline``, neither the relay nor the DNS nor a source is asked, but the database is.
    """
    return in_order(
        [
            *judge_settings(settings),
            *examine_dotenv(Path(".env")),
            *judge_proxies(settings, in_container=is_in_container()),
            *examine_database(settings.database, now, objection),
            examine_disk(settings.home),
            judge_date(now),
            examine_zones(now),
            _examine_templates(checks),
            # One that may be fetched from the hub is not looked at: that may take an hour.
            *([] if settings.semantic_fetch else [_examine_model(model)]),
            *examine_outlet(settings, now, offline=offline),
            *_examine_dns(settings, resolver, offline=offline),
            *([NOT_EXAMINED] if offline else examine_sources(sources, now)),
        ]
    )


def _examine_dns(
    settings: Settings, resolver: Callable[[], Resolver | None], *, offline: bool
) -> list[Diagnosis]:
    if settings.is_trial:
        return []  # said with the settings
    return [NOT_ASKED] if offline else examine_dns(settings, resolver())


def _examine_templates(checks: Callable[[], Sequence[Finding]]) -> Diagnosis:
    try:
        return judge_templates(checks())
    except DigestError as error:
        return TEMPLATES.problem(f"They cannot be checked: {error}.", "Fix that first.")


def _examine_model(model: Callable[[], str | None]) -> Diagnosis:
    try:
        name = model()
    except DigestError as error:
        return RANKING.problem(
            f"The sentence model cannot be used: {error}.",
            "Install it again with digest model install, or take it away to rank by words.",
        )
    return RANKING.good(f"Papers are ranked by {f'words and by {name}' if name else 'words'}.")


def judge_templates(checks: Sequence[Finding]) -> Diagnosis:
    """Judge how many findings `digest templates check` has."""
    what_to_do = "Run digest templates check: it says what is wrong, and where."
    counts = Counter(finding.level for finding in checks)
    for level, judge in (Level.ERROR, TEMPLATES.problem), (Level.WARNING, TEMPLATES.advice):
        if count := counts[level]:
            plural = "s" * (count != 1)
            return judge(f"Checking them finds {count} {level.value}{plural}.", what_to_do)
    return TEMPLATES.good("Checking them finds nothing wrong.")
