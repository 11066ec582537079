"""What a topic would have matched lately, as values: pages, commands and the API tell it. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from subscribers.preferences import Strictness


class Amount(StrEnum):
    """How many papers a topic matches, as a reader would see it."""

    NONE = "none"
    FEW = "few"
    SOME = "some"
    FLOOD = "flood"


class HintKind(StrEnum):
    """The kinds of changes that are proposed for a topic."""

    SPELLING = "spelling"
    NAME = "name"  # of a person or an organisation
    FORM = "form"  # words written together or apart, the long form of an abbreviation
    BROADER = "broader"  # fewer words, or a more common one
    NARROWER = "narrower"  # more words
    CONDITIONS = "conditions"  # without fields, quotation marks and the like
    STRICTNESS = "strictness"
    TRANSLATION = "translation"  # by a language model, into the language of papers


@dataclass(frozen=True, slots=True)
class Hint:
    """A proposal, and how many papers match with it: a topic or, if so said, a strictness."""

    kind: HintKind
    proposed: str
    papers: int


@dataclass(frozen=True, slots=True)
class BestPaper:
    """A paper that matches; ``key`` is its canonical id."""

    key: str
    title: str


@dataclass(frozen=True, slots=True)
class TopicReport:
    """What a topic would have matched among the papers ``of`` the days that end with ``until``.

    ``papers`` is how many match at ``strictness``, ``at`` how many at each. ``best`` are those that
    match best. ``language`` is the code of the topic's language if the papers do not use it.
    ``only_restricts``: it asks for nothing but conditions, such as an author.
    """

    topic: str
    strictness: Strictness
    papers: int
    of: int
    until: date
    amount: Amount
    at: Mapping[Strictness, int] = field(default_factory=dict)
    best: tuple[BestPaper, ...] = ()
    hints: tuple[Hint, ...] = ()
    language: str = ""
    only_restricts: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return a record for programs, as the API and the command line write it."""
        return asdict(self) | {"until": self.until.isoformat()}
