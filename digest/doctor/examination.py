"""One look at everything."""

from collections.abc import Callable, Sequence
from datetime import datetime

from dns.resolver import Resolver

from digest.checks.finding import Finding as Check
from digest.doctor import templates
from digest.doctor.clock import examine_zones, judge_date
from digest.doctor.database import examine_database, examine_disk, examine_guard
from digest.doctor.dns import examine_dns, not_asked
from digest.doctor.finding import Finding, in_order
from digest.doctor.outlets import examine_outlet
from digest.doctor.settings import judge_settings
from digest.errors import DigestError
from digest.settings.settings import Settings


def examine(
    settings: Settings,
    now: datetime,
    checks: Callable[[], Sequence[Check]],
    resolver: Callable[[], Resolver | None],
    *,
    offline: bool,
) -> list[Finding]:
    """Every finding, the worst last. ``checks`` are those of the templates.

    With ``offline``, neither the relay nor the DNS is asked; the database is, wherever it is.
    """
    return in_order(
        [
            *judge_settings(settings),
            *examine_database(settings.database, now),
            *examine_guard(settings.database, settings.home),
            examine_disk(settings.home),
            judge_date(now),
            examine_zones(now),
            _examine_templates(checks),
            *examine_outlet(settings, now, offline=offline),
            *([not_asked()] if offline else examine_dns(settings, resolver())),
        ]
    )


def _examine_templates(checks: Callable[[], Sequence[Check]]) -> Finding:
    try:
        return templates.judge_templates(checks())
    except DigestError as error:
        return templates.AREA.problem(f"They cannot be checked: {error}.", "Mend that first.")
