"""The templates: how many findings `digest templates check` has. Pure."""

from collections.abc import Sequence

from digest.checks.finding import Finding as Check
from digest.checks.finding import Level as CheckLevel
from digest.doctor.finding import Area, Finding

AREA = Area("templates")
_WHAT_TO_DO = "digest templates check says what and where."


def judge_templates(checks: Sequence[Check]) -> Finding:
    errors = _count(checks, CheckLevel.ERROR)
    warnings = _count(checks, CheckLevel.WARNING)
    if errors:
        return AREA.problem(f"Their check finds {_named(errors, 'error')}.", _WHAT_TO_DO)
    if warnings:
        return AREA.advice(f"Their check finds {_named(warnings, 'warning')}.", _WHAT_TO_DO)
    return AREA.good("Their check finds nothing that is wrong.")


def _count(checks: Sequence[Check], level: CheckLevel) -> int:
    return sum(each.level is level for each in checks)


def _named(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"
