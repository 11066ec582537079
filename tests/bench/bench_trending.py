"""Measure which votes foretell the best of a day and week: `python -m tests.bench.bench_trending FOLDER`.

FOLDER has `upvotes_until_2025-12.jsonl`: votes of papers of Hugging Face at several times. A paper is
listed when it is first seen. The first table ranks the papers of a day, or of a week, by what is known
at some moment, and compares the first ten with the ten that have most votes in the end. The second one
lives through a quarter: what a daily and a weekly reader without topics are shown, and how many of each
week's final ten are among it.
"""

import json
import sys
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from math import log2
from pathlib import Path
from statistics import mean, median

from digest.model.rising import LEAST_GAIN, MOST_RISERS, RISING_DAYS, Growth, late_risers

SERIES = "upvotes_until_2025-12.jsonl"
BEGIN, END = date(2025, 5, 19), date(2025, 12, 8)  # where the series has most observations
QUARTER = date(2025, 9, 8), date(2025, 12, 8)  # Mondays
TEN = 10
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
EDITION = time(8, tzinfo=UTC)


@dataclass(frozen=True)
class Paper:
    """A paper and its votes at some moments, the first of which is when it was listed."""

    id: int
    moments: tuple[datetime, ...]
    votes: tuple[int, ...]

    @property
    def day(self) -> date:
        """The day of the first edition that can list it."""
        first = self.moments[0]
        return first.date() + (DAY if first > edition_at(first.date()) else timedelta())

    @property
    def final(self) -> int:
        return self.votes[-1]

    def at(self, moment: datetime) -> int:
        """Return the votes as known at a moment; 0 before it is listed."""
        return self.votes[seen - 1] if (seen := bisect_right(self.moments, moment)) else 0

    def age(self, moment: datetime) -> timedelta:
        return moment - self.moments[0]


def edition_at(day: date) -> datetime:
    return datetime.combine(day, EDITION)


def read(folder: Path) -> list[Paper]:
    """Return the papers of the series, but those that were not looked at for two days."""
    seen: dict[str, list[tuple[datetime, int]]] = defaultdict(list)
    for line in (folder / SERIES).read_text(encoding="utf-8").splitlines():
        told = json.loads(line)
        seen[told["id"]].append((datetime.fromisoformat(told["t"]), told["upvotes"]))
    papers = []
    for number, told in enumerate(seen.values()):
        moments, votes = zip(*sorted(told), strict=True)
        if moments[-1] - moments[0] > 2 * DAY and BEGIN <= moments[0].date() < END:
            papers.append(Paper(number, moments, votes))
    return papers


# ---- what foretells the best -------------------------------------------------------------------

Score = Callable[[Paper, datetime], float]


def growth_by_age(papers: Iterable[Paper]) -> Callable[[timedelta], float]:
    """Return how many times its votes a paper of an age usually has in the end."""
    ratios: dict[int, list[float]] = defaultdict(list)
    for paper in papers:
        for moment, votes in zip(paper.moments, paper.votes, strict=True):
            ratios[paper.age(moment) // (12 * HOUR)].append((paper.final + 1) / (votes + 1))
    usual = {age: median(found) for age, found in ratios.items() if len(found) >= TEN}
    return lambda age: usual.get(age // (12 * HOUR), 1.0)


def scores(papers: Sequence[Paper]) -> dict[str, Score]:
    growth = growth_by_age(papers)
    return {
        "votes now": lambda paper, now: paper.at(now),
        "votes an hour of age": lambda paper, now: paper.at(now) / (paper.age(now) / HOUR + 2),
        "gain over 24 hours": lambda paper, now: paper.at(now) - paper.at(now - DAY),
        "votes, times the usual growth from its age on": lambda paper, now: (
            paper.at(now) * growth(paper.age(now))
        ),
    }


def overlap(chosen: Iterable[int], best: Iterable[int]) -> float:
    return len({*chosen} & {*best}) / len({*best})


def ndcg(ranked: Sequence[Paper]) -> float:
    """Return how good the first ten places are; a paper is worth the log of its final votes."""

    def worth(papers: Sequence[Paper]) -> float:
        return sum(log2(1 + paper.final) / log2(2 + n) for n, paper in enumerate(papers[:TEN]))

    return worth(ranked) / worth(best_of(ranked, len(ranked)))


def best_of(papers: Iterable[Paper], most: int = TEN) -> list[Paper]:
    return sorted(papers, key=lambda paper: (-paper.final, paper.id))[:most]


def foretold(cohorts: Mapping[date, list[Paper]], score: Score, after: timedelta) -> str:
    """Return how well a score ranks each cohort at a time after its day: overlap and nDCG."""
    overlaps, gains = [], []
    for day, papers in cohorts.items():
        if len(papers) > 2 * TEN:
            now = edition_at(day) + after
            ranked = sorted(papers, key=lambda paper: (-score(paper, now), paper.id))
            overlaps.append(overlap(ids(ranked[:TEN]), ids(best_of(papers))))
            gains.append(ndcg(ranked))
    return f"{mean(overlaps):.2f} / {mean(gains):.3f}"


def ids(papers: Iterable[Paper]) -> list[int]:
    return [paper.id for paper in papers]


def monday_of(day: date) -> date:
    return day - day.weekday() * DAY


def by(papers: Iterable[Paper], key: Callable[[Paper], date]) -> dict[date, list[Paper]]:
    found: dict[date, list[Paper]] = defaultdict(list)
    for paper in papers:
        found[key(paper)].append(paper)
    return found


def print_forecasts(papers: Sequence[Paper]) -> None:
    days, weeks = (
        by(papers, lambda paper: paper.day),
        by(papers, lambda paper: monday_of(paper.day)),
    )
    moments = [("day, at once", days, timedelta())]
    moments += [(f"day, {n} later", days, n * DAY) for n in (1, 2, 4)]
    moments += [("week, its Monday", weeks, 7 * DAY), ("week, 3 days later", weeks, 10 * DAY)]
    print(f"{len(papers)} papers; overlap with the final ten / nDCG@10\n")
    print("| |", " | ".join(name for name, _, _ in moments), "|")
    print("|---|" + "---|" * len(moments))
    for name, score in scores(papers).items():
        cells = (foretold(cohorts, score, after) for _, cohorts, after in moments)
        print(f"| {name} |", " | ".join(cells), "|")


# ---- a quarter ---------------------------------------------------------------------------------

Choose = Callable[[list[Growth], datetime], set[int]]


def lived(
    papers: Sequence[Paper], choose: Choose, days_of_week: set[int], most: int, most_rising: int
) -> tuple[dict[date, set[int]], int]:
    """Return what a reader of some weekdays is shown of each week's papers, and the longest email.

    The rule is that of the product: the papers listed since their last email by today's votes, and,
    of the late risers that ``choose`` gives, those that they were not shown.
    """
    by_id = {paper.id: paper for paper in papers}
    listed = by(papers, lambda paper: paper.day)
    shown: Counter[int] = Counter()
    weeks: dict[date, set[int]] = defaultdict(set)
    longest, pool = 0, []
    for n in range((QUARTER[1] - QUARTER[0]).days + 1):
        day = QUARTER[0] + n * DAY
        now = edition_at(day)
        pool += listed[day]
        if day.weekday() not in days_of_week or not pool:
            continue
        earlier = [paper for d in range(1, RISING_DAYS + 1) for paper in listed[day - d * DAY]]
        growths = [
            Growth(paper.id, paper.day, paper.at(edition_at(paper.day)), paper.at(now))
            for paper in earlier
        ]
        gains = {growth.paper_id: growth.gain for growth in growths}
        risers = choose(growths, now) - shown.keys() - {*ids(pool)} if most_rising else set()
        rising = sorted(risers, key=lambda number: (-gains[number], number))
        rising = rising[: min(most_rising, most // 2)]
        trending = sorted(pool, key=lambda paper: (-paper.at(now), paper.id))
        mail = [*ids(trending[: most - len(rising)]), *rising]
        shown.update(mail)
        longest = max(longest, len(mail))
        for number in mail:
            weeks[monday_of(by_id[number].day)].add(number)
        pool = []
    assert max(shown.values()) == 1, "a paper was shown twice"
    return weeks, longest


def first_votes(papers: Sequence[Paper]) -> list[Paper]:
    """Return papers that keep the votes of the edition that lists them, as it was before."""
    return [
        Paper(paper.id, paper.moments[:1], (paper.at(edition_at(paper.day)),)) for paper in papers
    ]


def rules(papers: Sequence[Paper]) -> dict[str, Choose]:
    by_id = {paper.id: paper for paper in papers}
    usual = growth_by_age(papers)

    def gain_of_a_day(growths: list[Growth], now: datetime) -> set[int]:
        return first_by(growths, lambda growth: growth.now - by_id[growth.paper_id].at(now - DAY))

    def above_expectation(growths: list[Growth], now: datetime) -> set[int]:
        """The gain above what a paper of its votes usually has at this age."""

        def surprise(growth: Growth) -> float:
            paper = by_id[growth.paper_id]
            first, age = paper.age(edition_at(paper.day)), paper.age(now)
            return growth.now - growth.before * usual(first) / usual(age)

        return first_by(growths, surprise)

    def gain_of_others(growths: list[Growth], _: datetime) -> set[int]:
        """The gain, without those that stood first in nearly every email."""
        days: dict[date, list[Growth]] = defaultdict(list)
        for growth in sorted(growths, key=lambda growth: -growth.before):
            days[growth.day].append(growth)
        return late_risers(growth for growths in days.values() for growth in growths[5:])

    return {
        "none": lambda growths, now: set(),
        "gain over 24 hours": gain_of_a_day,
        "gain over expectation": above_expectation,
        "gain, but the first five of each edition": gain_of_others,
        "**gain since it was listed**": lambda growths, _: late_risers(growths),
    }


def first_by(growths: Iterable[Growth], score: Callable[[Growth], float]) -> set[int]:
    risen = [growth for growth in growths if growth.gain >= LEAST_GAIN]
    risen.sort(key=lambda growth: (-score(growth), growth.paper_id))
    return {growth.paper_id for growth in risen[:MOST_RISERS]}


def print_quarter(papers: Sequence[Paper]) -> None:
    weeks = by(papers, lambda paper: monday_of(paper.day))
    best = {
        monday: ids(best_of(found))
        for monday, found in weeks.items()
        if QUARTER[0] <= monday < QUARTER[1] - 14 * DAY and len(found) > 2 * TEN
    }

    def shared(shown: Mapping[date, set[int]]) -> float:
        return mean(overlap(shown.get(monday, ()), ten) for monday, ten in best.items())

    every_day = set(range(7))
    print(f"\n{len(best)} weeks; share of each week's final ten that a reader was shown\n")
    print("| late risers | daily, 10 papers | daily, 5 papers | weekly, 10 papers |")
    print("|---|---|---|---|")
    old = first_votes(papers)
    readers = [(every_day, 10), (every_day, 5), ({0}, 10)]
    cells = [shared(lived(old, rules(papers)["none"], days, most, 0)[0]) for days, most in readers]
    print("| first votes only (as before) |", " | ".join(f"{cell:.2f}" for cell in cells), "|")
    for name, choose in rules(papers).items():
        cells = []
        for days, most in readers:
            shown, longest = lived(papers, choose, days, most, 3)
            assert longest <= most, "an email is longer than asked for"
            cells.append(shared(shown))
        print(f"| {name} |", " | ".join(f"{cell:.2f}" for cell in cells), "|")


def main(folder: Path) -> None:
    papers = read(folder)
    print_forecasts(papers)
    print_quarter(papers)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
