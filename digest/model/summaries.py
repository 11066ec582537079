"""Sentences on papers by a language model: what was asked, what came, and whether it is used."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What became of a request to the model."""

    USED = "used"
    # Something came, and is dropped: the same request would bring the same.
    EMPTY = "empty"
    REFUSAL = "refusal"
    ECHO = "echo"
    LANGUAGE = "wrong-language"
    NUMBER = "foreign-number"
    LENGTH = "too-long"
    CUT_OFF = "cut-off"
    # Nothing that could be read: it is asked for again, a few times.
    NO_ANSWER = "no-answer"
    UNREADABLE = "unreadable"
    DECLINED = "declined"  # by a status such as 401 or 404


FAILURES = frozenset({Verdict.NO_ANSWER, Verdict.UNREADABLE, Verdict.DECLINED})

WORDS = {
    Verdict.USED: "used",
    Verdict.EMPTY: "dropped: nothing is left of it",
    Verdict.REFUSAL: "dropped: the model refuses, or talks about itself",
    Verdict.ECHO: "dropped: it repeats the request or the title",
    Verdict.LANGUAGE: "dropped: it is in another language",
    Verdict.NUMBER: "dropped: it has a number that the abstract does not have",
    Verdict.LENGTH: "dropped: it is too long",
    Verdict.CUT_OFF: "dropped: the model was cut off",
    Verdict.NO_ANSWER: "failed: no answer in time",
    Verdict.UNREADABLE: "failed: the answer cannot be read",
    Verdict.DECLINED: "failed: the server declines the request",
}


@dataclass(frozen=True, slots=True)
class Summary:
    """What a model says of a paper in one language, and the title in it; empty if there is none."""

    text: str
    title: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens that were sent to a model, and that it answered."""

    sent: int = 0
    answered: int = 0

    def __add__(self, other: "Tokens") -> "Tokens":
        return Tokens(self.sent + other.sent, self.answered + other.answered)

    @property
    def total(self) -> int:
        return self.sent + self.answered

    def cost(self, prices: tuple[float, float]) -> float:
        """Return what they cost, by the prices of a million of each."""
        return (self.sent * prices[0] + self.answered * prices[1]) / 1_000_000


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one request: ``text`` as it came, or a ``failure`` and its ``detail``."""

    text: str = ""
    tokens: Tokens = Tokens()
    failure: Verdict | None = None
    detail: str = ""


# A paper, by its number in the ledger, and the code of a language.
Wanted = tuple[int, str]
