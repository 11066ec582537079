"""The settings of the checks, and the baseline of mail clients."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

# Email, client, slugs of caniemail.com in order.
Baseline = Mapping[str, Mapping[str, list[str]]]

SHIPPED = Path(__file__).with_name("baseline.json")
OWN = "baseline.json"  # in an operator's folder of templates


@lru_cache(maxsize=1)
def shipped_baseline() -> Baseline:
    """Return the baseline of the built-in templates, also used for operators' own."""
    return read_baseline(SHIPPED)


def read_baseline(path: Path) -> Baseline:
    read: Baseline = json.loads(path.read_text(encoding="utf-8"))
    return read


def write_baseline(baseline: Baseline, path: Path = SHIPPED) -> None:
    path.write_text(json.dumps(baseline, indent=1) + "\n", encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Rules:
    """The limits of the checks.

    ``allowed_hosts`` is None if links may lead anywhere; a host includes its subdomains. Sizes are
    in octets of UTF-8, for each part: Gmail cuts HTML off at about 102 KB.
    """

    allowed_hosts: frozenset[str] | None = None
    warn_at: int = 90_000
    refuse_at: int = 100_000
    baseline: Baseline = field(default_factory=shipped_baseline)
