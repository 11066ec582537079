"""Judgements of papers: whether each was relevant to a topic in the eyes of a person who read it.

They are files of JSON lines in a folder:

papers.jsonl      the papers that are ranked, as for `digest rank`; one that has no title is the one
                  that recorded answers have under its id
topics.jsonl      the topics, as for `digest rank`
background.jsonl  the papers of the reference corpus; without it, all recorded ones that are not
                  ranked, and if there are none the ranked ones
judgements.jsonl  {"topic", "paper", "relevant", "weight"}: relevant is 1, 0.5 (partly) or 0, or true
                  or false; weight is how many papers this one was drawn to stand for, by default 1

Papers and topics with a "half" belong to parts that are ranked and measured by themselves: one that
may be looked at while the ranking is made, and one that may not.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from digest.model.digests import Candidate
from digest.model.papers import Facts, Signals
from digest.rank.corpora import learn
from digest.rank.matching import Matching
from digest.rank.rank_files import NamedTopic, read_papers, read_topics
from digest.rank.readers import THRESHOLDS
from digest.rank.reference_corpus import Embed, Floats

Row = dict[str, Any]

_DRAWN = 10_000  # times that topics are drawn anew, for an interval


@dataclass(frozen=True)
class Judged:
    """The topics of one half matched with its papers, and what was said of them."""

    half: str
    matching: Matching
    known: Mapping[str, Facts]
    topics: Sequence[NamedTopic]
    judgements: Sequence[Row]

    @property
    def is_drawn(self) -> bool:
        """Return whether only some papers were judged, which stand for the others."""
        return any("weight" in judgement for judgement in self.judgements)

    def show_accepted(self) -> None:
        """Print how many of the papers that each strictness accepts are relevant, and are found."""
        scores = self.matching.match([topic.topic for topic in self.topics]).scores
        told = [self._told(topic, row) for topic, row in zip(self.topics, scores, strict=True)]
        for strictness, threshold in THRESHOLDS.items():
            sums = np.array([_sums(*one, threshold) for one in told])
            accepted, good, partly, relevant = sums.T
            any_accepted = accepted > 0
            share = good / np.where(any_accepted, accepted, 1)
            lenient = (good + partly) / np.where(any_accepted, accepted, 1)
            print(
                f"{self.half:<8} {strictness:<7} {accepted.sum() / len(told):5.1f} papers a topic;"
                f" relevant {_ratio(good, accepted)},"
                f" or partly {_ratio(good + partly, accepted)};"
                f" mean of topics {_ratio(share, any_accepted)}, {_ratio(lenient, any_accepted)};"
                f" found {_ratio(good, relevant)}"
            )

    def _told(self, topic: NamedTopic, scores: Floats) -> tuple[Floats, Floats, Floats]:
        """Return score, verdict and weight of each paper that was judged for a topic."""
        number_of = {paper.key: n for n, paper in enumerate(self.matching.candidates)}
        rows = [
            (scores[number_of[row["paper"]]], float(row["relevant"]), row.get("weight", 1.0))
            for row in self.judgements
            if row["topic"] == topic.id and row["paper"] in number_of
        ]
        found, verdicts, weights = np.array(rows, np.float32).reshape(-1, 3).T
        return found, verdicts, weights


def read_judged(
    folder: Path, recorded: Mapping[str, Facts], embed: Embed | None = None
) -> Iterator[Judged]:
    """Yield each half of the judgements in a folder; ``recorded`` has papers by their id."""
    papers, topics = _rows(folder, "papers.jsonl"), _rows(folder, "topics.jsonl")
    judgements, others = _rows(folder, "judgements.jsonl"), _rows(folder, "background.jsonl")
    background = {paper.key: paper.facts for paper in _read(others, "background.jsonl")}
    for half in dict.fromkeys(str(row.get("half", "")) for row in papers):
        ranked = _candidates([row for row in papers if row.get("half", "") == half], recorded)
        own = {paper.key: paper.facts for paper in ranked}
        rest = {key: facts for key, facts in recorded.items() if key not in own}
        asked = [json.dumps(row) for row in topics if row.get("half", "") == half]
        yield Judged(
            half,
            Matching(learn(background or rest or own, embed), ranked, own | rest, embed),
            background | rest | own,
            read_topics(asked, "topics.jsonl")[0],
            judgements,
        )


def _candidates(rows: Sequence[Row], recorded: Mapping[str, Facts]) -> list[Candidate]:
    found = _read([row for row in rows if "title" in row], "papers.jsonl")
    missing = [row["id"] for row in rows if "title" not in row]
    if unknown := [key for key in missing if key not in recorded]:
        raise SystemExit(f"{len(unknown)} papers are not recorded there, such as {unknown[0]}")
    named = enumerate(missing, len(found))
    return found + [Candidate(n, key, recorded[key], Signals(), date.min) for n, key in named]


def _read(rows: Sequence[Row], file: str) -> list[Candidate]:
    return read_papers(map(json.dumps, rows), file)[0]


def _rows(folder: Path, name: str) -> list[Row]:
    file = folder / name
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    return [json.loads(line) for line in lines if line.strip()]


def _sums(scores: Floats, verdicts: Floats, weights: Floats, threshold: float) -> list[float]:
    """Return how many papers are accepted, how many of them are relevant, partly so, and all."""
    is_accepted, is_relevant = scores >= threshold, verdicts == 1
    which = (
        is_accepted,
        is_accepted & is_relevant,
        is_accepted & (verdicts > 0) & ~is_relevant,
        is_relevant,
    )
    return [float(weights[mask].sum()) for mask in which]


def _ratio(parts: Floats, wholes: Floats) -> str:
    """Return the ratio of two sums over topics, with the interval of 95 % when topics vary."""
    if not wholes.sum():
        return "-"
    drawn = np.random.default_rng(0).integers(0, len(parts), (_DRAWN, len(parts)))
    below = wholes[drawn].sum(axis=1)
    ratios = parts[drawn].sum(axis=1)[below > 0] / below[below > 0]
    low, high = np.quantile(ratios, [0.025, 0.975])
    return f"{parts.sum() / wholes.sum():.2f} [{low:.2f}, {high:.2f}]"
