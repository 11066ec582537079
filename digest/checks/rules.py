"""What an operator can set of the checks."""

from dataclasses import dataclass, field

from digest.checks.baseline import Baseline, shipped_baseline


@dataclass(frozen=True, slots=True)
class Rules:
    """``allowed_hosts`` is None where links may lead anywhere; a host includes those below it.

    Sizes are in octets of UTF-8, of either part: Gmail cuts HTML off at about 102 KB.
    """

    allowed_hosts: frozenset[str] | None = None
    warn_at: int = 90_000
    refuse_at: int = 100_000
    baseline: Baseline = field(default_factory=shipped_baseline)
