"""Rank papers for topics, both given as JSON lines, for `digest rank`. Pure.

A paper is ``{"id", "title", "abstract", "upvotes", "keywords", "categories", "authors",
"published"}``, of which only the first two must be there; a topic ``{"id", "filter", "likes"}``, of
which the filter or the likes may be missing.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

import numpy as np

from digest.model.digests import Candidate, Reason
from digest.model.papers import Facts, Rejection, Signals
from digest.model.text import LONGEST_ABSTRACT, LONGEST_NAME, LONGEST_TITLE, clean, clean_url
from digest.rank.matching import Matching, Topic
from digest.rank.reference_corpus import Embed, ReferenceCorpus
from subscribers.errors import TopicError
from subscribers.topics import TopicFilter

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class NamedTopic:
    """A topic with its id."""

    id: str
    topic: Topic


def read_papers(lines: Iterable[str], file: str) -> tuple[list[Candidate], list[Rejection]]:
    """Return the papers of a file; of two with the same id the later one."""
    read, rejected = _read(lines, file, _paper)
    # In the order of their ids, so that the order of the lines changes nothing.
    by_key = {paper.key: paper for paper in read}
    return [by_key[key] for key in sorted(by_key)], rejected


def read_topics(lines: Iterable[str], file: str) -> tuple[list[NamedTopic], list[Rejection]]:
    """Return the topics of a file, in its order."""
    return _read(lines, file, _topic)


def rank(
    topics: Sequence[NamedTopic],
    papers: Sequence[Candidate],
    corpus: ReferenceCorpus,
    known: Mapping[str, Facts],
    threshold: float,
    *,
    everything: bool = False,
    embed: Embed | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield a record for each topic: the papers that reach a score and why, best first.

    With ``everything`` the others follow, without a reason. ``known`` has the papers that may be
    liked, by id.
    """
    matched = Matching(corpus, papers, known, embed).match([topic.topic for topic in topics])
    for row, topic in enumerate(topics):
        scores = matched.scores[row]
        order = np.lexsort((-matched.matching.standing, -scores)).tolist()
        fitting = [number for number in order if scores[number] >= threshold]
        ranking = [
            _ranked(papers[n], scores[n], reason_text(matched.reason(row, n))) for n in fitting
        ]
        if everything:
            ranking += [_ranked(papers[n], scores[n], "") for n in order[len(fitting) :]]
        yield {"topic": topic.id, "ranking": ranking}


def reason_text(reason: Reason) -> str:
    """Return a reason in a line: ``"agents": tool, planning``, or the title of a liked paper."""
    if reason.liked:
        return f'like "{reason.liked}"'
    words = ", ".join(reason.words)
    return f'"{reason.topic}"' + (f": {words}" if words else "")


def _ranked(paper: Candidate, score: float, reason: str) -> dict[str, Any]:
    return {"id": paper.key, "score": round(float(score), 6), "reason": reason}


def _paper(record: Mapping[str, Any], number: int) -> Candidate:
    published = record.get("published")
    facts = Facts(
        title=clean(record.get("title"), LONGEST_TITLE),
        abstract=clean(record.get("abstract"), LONGEST_ABSTRACT),
        authors=_names(record, "authors"),
        keywords=_names(record, "keywords"),
        categories=_names(record, "categories"),
        published_on=date.fromisoformat(str(published)[:10]) if published else None,
        code_url=clean_url(record.get("code")),
        organisation=clean(record.get("organisation"), LONGEST_NAME),
    )
    counts = {name: _count(record, name) for name in ("upvotes", "comments", "stars")}
    listed_on = facts.published_on or date.min
    return Candidate(number, _id(record), facts, Signals(**counts), listed_on)


def _topic(record: Mapping[str, Any], _number: int) -> NamedTopic:
    typed, likes = str(record.get("filter") or ""), record.get("likes") or []
    if not isinstance(likes, list) or not (typed or likes):
        raise ValueError("expected a filter, or a list of likes")
    text = TopicFilter.parse(typed).text if typed else ""
    return NamedTopic(_id(record), Topic(text, tuple(dict.fromkeys(map(str, likes)))))


def _id(record: Mapping[str, Any]) -> str:
    found = record.get("id")
    if not isinstance(found, str | int) or not str(found):
        raise ValueError("expected an id")
    str(found).encode()  # half a surrogate pair cannot be printed: a UnicodeError is a ValueError
    return str(found)


def _names(record: Mapping[str, Any], name: str) -> tuple[str, ...]:
    values = record.get(name) or []
    if not isinstance(values, list):
        raise TypeError(f"{name}: expected a list")
    return tuple(filter(None, (clean(value, LONGEST_NAME) for value in values)))


def _count(record: Mapping[str, Any], name: str) -> int | None:
    value = record.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _read(
    lines: Iterable[str], file: str, read: Callable[[Mapping[str, Any], int], T]
) -> tuple[list[T], list[Rejection]]:
    found: list[T] = []
    rejected = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            if not isinstance(record, dict):
                raise TypeError("not a JSON object")
            found.append(read(record, number))
        except json.JSONDecodeError:
            rejected.append(Rejection(file, f"line {number}", "not JSON"))
        except (ValueError, TypeError, RecursionError, TopicError) as error:
            rejected.append(Rejection(file, f"line {number}", str(error)))
    return found, rejected
