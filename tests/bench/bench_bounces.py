"""Measure how many real failure reports are understood: `python -m tests.bench.bench_bounces FOLDER`.

The folder is `bounces` of the corpus (see tests/conftest.py); each miss is printed with what was
expected of it.
"""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from digest.inbound.report import Kind
from digest.inbound.report_reader import read_report

FAILURES = (Kind.HARD, Kind.SOFT)


@dataclass(frozen=True)
class Expected:
    """One mail, and what is known of it: whether each address is dead, if somebody has said so."""

    path: Path
    addresses: dict[str, bool | None]
    is_delay: bool = False
    is_complaint: bool = False


@dataclass
class Score:
    """A count out of a total, and the misses in words."""

    right: int = 0
    of: int = 0
    misses: list[str] = field(default_factory=list)

    def add(self, is_right: bool, miss: str) -> None:
        self.of += 1
        self.right += is_right
        if not is_right:
            self.misses.append(miss)

    @property
    def share(self) -> float:
        return self.right / self.of if self.of else 1.0

    def __str__(self) -> str:
        return f"{self.right} of {self.of} ({self.share:.1%})"


@dataclass
class Figures:
    """``found`` counts mails with every address named, ``alone`` those with nobody else named;
    ``told`` counts addresses.
    """

    found: Score = field(default_factory=Score)
    alone: Score = field(default_factory=Score)
    told: Score = field(default_factory=Score)
    quiet: Score = field(default_factory=Score)


def flufl_set(folder: Path) -> Iterator[Expected]:
    """Its files say of each mail whether the failure is temporary: those are notices of delay."""
    for record in _records(folder / "flufl_expected.jsonl"):
        dead = False if record["temporary"] else None
        yield Expected(
            folder / "flufl" / record["file"],
            dict.fromkeys(map(str.lower, record["addresses"]), dead),
            is_delay=record["temporary"],
        )


def sisimai_set(folder: Path) -> Iterator[Expected]:
    """Its files tell neither delays from failures after them, nor who is hidden in a complaint.

    Mails that the reference did not understand are left out.
    """
    for record in _records(folder / "sisimai_expected.jsonl"):
        path = folder / "sisimai" / record["file"]
        bounces = record["bounces"]
        if not bounces:
            continue
        hidden = "undisclosed-recipient-in-headers@"
        yield Expected(
            path,
            {
                bounce["recipient"].lower(): bounce["hardbounce"]
                for bounce in bounces
                if not bounce["recipient"].startswith(hidden)
            },
            is_delay=_is_delay(path.read_bytes()),
            is_complaint=any(bounce["reason"] == "feedback" for bounce in bounces),
        )


def measure(expectations: Iterator[Expected]) -> Figures:
    figures = Figures()
    for expectation in expectations:
        report = read_report(expectation.path.read_bytes())
        got = {one.address.lower(): one for one in report.recipients}
        said = f"{expectation.path.name}: {report.kind.value} {sorted(got)}"
        if expectation.is_delay or not expectation.addresses:
            figures.quiet.add(not got, said)
            continue
        expected = f"{said}, not {sorted(expectation.addresses)}"
        figures.found.add(expectation.addresses.keys() <= got.keys(), expected)
        figures.alone.add(got.keys() <= expectation.addresses.keys(), expected)
        for address, dead in expectation.addresses.items():
            if dead is not None and address in got and not expectation.is_complaint:
                one = got[address]
                miss = f"{expectation.path.name}: hard={one.is_hard} {one.status} {one.diagnostic[:160]}"
                figures.told.add(one.is_hard == dead, miss)
    return figures


def _records(path: Path) -> Iterator[dict]:
    for line in path.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def _is_delay(content: bytes) -> bool:
    """Return whether the email's own words say so; the record has one word for delay and end."""
    return bool(
        re.search(
            rb"^action: delayed|^subject:.*(?:\bdelayed|\(delay\))", content.lower(), re.MULTILINE
        )
    )


def main(folder: Path) -> None:
    for name, expected in (("flufl", flufl_set(folder)), ("sisimai", sisimai_set(folder))):
        figures = measure(expected)
        for what, score in (
            ("recipients found", figures.found),
            ("nobody else named", figures.alone),
            ("hard or soft as expected", figures.told),
            ("no address where nothing failed", figures.quiet),
        ):
            print(f"{name}: {what}: {score}")
            for miss in score.misses:
                print(f"    {miss}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
