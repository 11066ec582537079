"""The papers that a reader named as their own, or as what they like to read. Pure.

Papers like these are chosen for them at once. A paper is named by its canonical id; most are not
in the database, so what is known of them is kept with the reader.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from subscribers.sentences import Sentence

MOST_OWN_PAPERS = 200
LONGEST_TITLE = 500
LONGEST_ABSTRACT = 3_000


@dataclass(frozen=True, slots=True)
class OwnPaper:
    """A paper that a reader named. Where it has no title yet, it is to be looked up."""

    paper: str
    title: str
    abstract: str
    at: datetime


@dataclass(frozen=True, slots=True)
class GivenPapers:
    """What somebody gave: papers, which of them the database has, and what is left out."""

    papers: tuple[OwnPaper, ...] = ()
    known: frozenset[str] = frozenset()
    left_out: tuple[Sentence, ...] = ()

    @property
    def by_title(self) -> int:
        """Return how many papers are known by what was given alone."""
        return sum(bool(own.title) for own in self.papers if own.paper not in self.known)

    @property
    def to_look_up(self) -> int:
        return sum(not own.title for own in self.papers if own.paper not in self.known)


# Reads the papers in a text or a file, as of a moment.
ReadPapers = Callable[[str | bytes, datetime], GivenPapers]


def together(read: Sequence[GivenPapers]) -> GivenPapers:
    """Return what was read of several texts as if of one."""
    papers, _ = joined((), [own for given in read for own in given.papers])
    return GivenPapers(
        tuple(papers),
        frozenset(paper for given in read for paper in given.known),
        tuple(fault for given in read for fault in given.left_out),
    )


def joined(before: Iterable[OwnPaper], new: Sequence[OwnPaper]) -> tuple[list[OwnPaper], int]:
    """Return papers with new ones, and how many of the new ones are too many.

    What is known of a paper replaces what was known before only if it has a title.
    """
    papers = {own.paper: own for own in before}
    too_many = 0
    for own in new:
        if own.paper not in papers and len(papers) >= MOST_OWN_PAPERS:
            too_many += 1
        elif own.title or own.paper not in papers:
            papers[own.paper] = own
    return list(papers.values()), too_many
