"""Make values for tests: small, valid, and changed by keyword."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings

from digest.collect.source import Source
from digest.model.digests import Candidate, Edition
from digest.model.papers import Facts, Harvest, Sighting, Signals
from digest.rank.corpora import SHIPPED, learn, load
from digest.rank.reference_corpus import ReferenceCorpus
from digest.settings.reading import read_settings
from digest.settings.settings import Settings

NOW = datetime(2026, 2, 20, 8, 0, tzinfo=UTC)
TODAY = date(2026, 2, 20)

# For tests of what is done with mails, not of how they look: these are made ten times as fast.
PLAIN_TEMPLATES = Path(__file__).parent / "fixtures" / "plain_templates"

SENDING = {
    "from_": "digest@example.org",
    "base_url": "https://digest.example.org",
    "secret": "a secret for tests only and a long one",
    "postal_address": "Paper Digest, 1 Example Street, 0150 Oslo, Norway",
    # In the order in which it was planned; test_delivery_worker.py has many connections.
    "send_connections": "1",
}


def examples(many: int) -> int:
    """Return how many examples Hypothesis tries where the thorough profile tries this many."""
    return max(1, many * hypothesis_settings().max_examples // 100)


def is_thorough() -> bool:
    """Tell whether property tests try all their examples."""
    return examples(100) == 100


def few_of(cases: Iterable[str | tuple[object, ...]], few: int = 5) -> list[Any]:
    """Return cases for pytest, of which all but each fifth are left to the long tests."""
    return [
        pytest.param(
            *(case if isinstance(case, tuple) else (case,)),
            marks=[pytest.mark.long] if number % few else [],
        )
        for number, case in enumerate(cases)
    ]


def make_settings(**fixed: str) -> Settings:
    """Make settings with everything that sending needs; fields are given as text."""
    return read_settings({}, None, **{**SENDING, **fixed})[0]


def make_facts(number: int = 1, **changes: Any) -> Facts:
    facts = Facts(
        title=f"A study of things, part {number}",
        arxiv_id=f"2602.{number:05d}",
        abstract=f"We study thing {number}. It is found to be so. More is said here.",
        authors=("Ada Lovelace", "Grace Hopper"),
        author_count=2,
        page_url=f"https://huggingface.co/papers/2602.{number:05d}",
    )
    return replace(facts, **changes)


def make_sighting(number: int = 1, *, upvotes: int | None = 3, **changes: Any) -> Sighting:
    """Make a sighting by Hugging Face today; fields of Facts can be given by name as well."""
    of_sighting = {"source", "seen_at", "listed_on", "signals"}
    facts = make_facts(number, **{k: v for k, v in changes.items() if k not in of_sighting})
    sighting = Sighting("huggingface", NOW, TODAY, facts, Signals(upvotes=upvotes))
    return replace(sighting, **{k: v for k, v in changes.items() if k in of_sighting})


def make_candidate(number: int = 1, *, upvotes: int | None = 3, **facts: Any) -> Candidate:
    return Candidate(
        number,
        f"arxiv:2602.{number:05d}",
        make_facts(number, **facts),
        Signals(upvotes=upvotes),
        TODAY,
    )


class SleepingClock:
    """A clock in seconds that only sleeping moves; it remembers for how long."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def gather(source: Source, days: Sequence[date], now: datetime) -> Harvest:
    """Return all that a source gives for some days."""
    return sum(source.collect(days, now), Harvest())


def make_edition(*candidates: Candidate) -> Edition:
    return Edition(1, TODAY, candidates)


@cache
def make_corpus() -> ReferenceCorpus:
    """Make a corpus of four dozen invented papers: birds, robots, agents, video, things."""
    lines = (Path(__file__).parent / "fixtures" / "background.txt").read_text(encoding="utf-8")
    papers = [line.split(" | ") for line in lines.splitlines()]
    return learn(
        {
            f"test:{number:02d}": Facts(title, abstract=abstract)
            for number, (title, abstract) in enumerate(papers, 1)
        }
    )


@cache
def shipped_background() -> ReferenceCorpus:
    """Return the corpus that comes with the program."""
    return load(SHIPPED)
