"""Check what a language model has written, which is hostile text like any other. Pure.

What passes is one line of plain text, without links. All else is dropped, with a verdict that says
why: a sentence that may be wrong is worse than the beginning of the abstract.
"""

import re
import unicodedata
from dataclasses import dataclass

from digest.model.summaries import Reply, Summary, Verdict
from digest.model.text import LONGEST_TITLE, clean
from digest.rank.topic_language import is_language
from digest.summaries.chat import Prompt
from digest.summaries.refusals import refusals

LONGEST_SENTENCE = 360  # characters, as many as an email shows of one
_FEWEST = 15  # octets of letters
_ECHOED = 8  # words in a row that only the instructions have

_THOUGHT = re.compile(r"<(think|thinking|reasoning)>.*?(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z!][^<>]*>")
_FENCE = re.compile(r"```\w*|`")
_MARKDOWN_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()]*\)")
_MARKS = re.compile(
    r"(?m)^\s*(?:#{1,6}|[-*+>]|\d{1,2}[.)])\s+|\*\*|__|(?<!\w)[*_](?=\w)|(?<=\w)[*_](?!\w)"
)
_LINK = re.compile(
    r"(?:\w+://|www\.|mailto:)\S*"
    r"|\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    r"|\b(?:[\w-]+\.)+(?:com|org|net|edu|gov|io|ai|app|dev|co|info|biz|xyz|top|site|online|shop|link"
    r"|click|me|ly|gg|eu|uk|de|fr|es|ru|cn|jp|in)\b(?:/\S*)?",
    re.IGNORECASE,
)
_LABEL = re.compile(r"(?im)^\W*(SENTENCE|TITLE)\W*?[:\uff1a]\s*")
_NUMBER = re.compile(r"\d+(?:[.,'\u2019\u00a0\u202f\u066b\u066c]\d+)*")
_SEPARATOR = re.compile(r"\D")
_WORDS = re.compile(r"\w+")
_IN_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty"
).split()
_SAME = {"half": "50", "twice": "2", "double": "2", "both": "2", "single": "1", "first": "1"}


@dataclass(frozen=True, slots=True)
class Source:
    """Hold what a sentence is about: the title and the abstract of a paper, as they were sent."""

    title: str
    abstract: str


def judge(reply: Reply, source: Source, language: str, prompt: Prompt) -> tuple[Verdict, Summary]:
    """Return whether the sentence in a reply is used, and the sentence as it would be shown."""
    if reply.failure:
        return reply.failure, Summary("")
    written, title = _parts(_without_thought(reply.text))
    text = plain(written, LONGEST_SENTENCE * 2)
    title = plain(title, LONGEST_TITLE)
    return _verdict(text, source, language, prompt), Summary(
        text, title if _is_title(title, source, language) else ""
    )


def plain(text: str, longest: int) -> str:
    """Return a text as one line without markup, links and control characters."""
    text = _MARKDOWN_LINK.sub(r"\1", _FENCE.sub("", text))
    text = _LINK.sub("", _TAG.sub("", _MARKS.sub("", text)))
    # Again, because what is removed may bring together what is none by itself.
    text = _LINK.sub("", _TAG.sub("", clean(text, longest)))
    text = re.sub(r"[<>]", "", text) if _TAG.search(text) else text
    return " ".join(re.sub(r"\(\s*\)|\[\s*\]", "", text).split()).strip("\"'“”„«»「」 ")


def has_foreign_number(text: str, *sources: str) -> bool:
    """Return whether a text has a number that none of the sources has, however it is written."""
    known = set().union(*(_readings_in(source) for source in sources))
    for source in sources:
        for word in _WORDS.findall(source.casefold()):
            known |= {str(_IN_WORDS.index(word))} if word in _IN_WORDS else set()
            known |= {_SAME[word]} if word in _SAME else set()
    return any(not _readings(number) & known for number in _NUMBER.findall(text))


def _without_thought(text: str) -> str:
    return _THOUGHT.sub("", text)


def _parts(text: str) -> tuple[str, str]:
    """Return the sentence and the title in an answer; without labels all of it is the sentence."""
    pieces = _LABEL.split(text)
    said = {label.upper(): words for label, words in zip(pieces[1::2], pieces[2::2], strict=True)}
    if not said:
        return text, ""
    return said.get("SENTENCE", ""), said.get("TITLE", "").strip().partition("\n")[0]


def _verdict(text: str, source: Source, language: str, prompt: Prompt) -> Verdict:
    fails = {
        Verdict.EMPTY: _is_empty(text),
        Verdict.REFUSAL: is_refusal(text),
        Verdict.ECHO: _is_echo(text, source, prompt),
        Verdict.LENGTH: len(text) > LONGEST_SENTENCE,
        Verdict.NUMBER: has_foreign_number(text, source.title, source.abstract),
        Verdict.LANGUAGE: not is_language(text, language),
    }
    return next((verdict for verdict in fails if fails[verdict]), Verdict.USED)


def _is_empty(text: str) -> bool:
    """Return whether there are too few letters for a sentence; one of Chinese stands for three."""
    return sum(len(letter.encode()) for letter in text if letter.isalpha()) < _FEWEST


def is_refusal(text: str) -> bool:
    """Return whether a model refuses, or talks about itself."""
    said = text.casefold().replace("’", "'")
    return any(phrase in said for phrase in refusals())


def _is_echo(text: str, source: Source, prompt: Prompt) -> bool:
    words = _folded(text)
    if words == _folded(source.title):
        return True
    said, of_paper = _folded(prompt.instructions), _runs(_folded(source.abstract))
    return bool((_runs(words) & _runs(said)) - of_paper)


def _is_title(title: str, source: Source, language: str) -> bool:
    """Return whether this can stand beside a title as its translation."""
    return bool(
        title
        and _folded(title) != _folded(source.title)
        and not has_foreign_number(title, source.title)
        and not is_refusal(title)
        and (title.isascii() or is_language(title, language, is_short=True))
    )


def _folded(text: str) -> list[str]:
    return _WORDS.findall(text.casefold())


def _runs(words: list[str]) -> set[tuple[str, ...]]:
    return {tuple(words[start : start + _ECHOED]) for start in range(len(words) - _ECHOED + 1)}


def _readings_in(source: str) -> set[str]:
    """Return the numbers in a text that is written as English is."""
    return set().union(*(_readings(number, english=True) for number in _NUMBER.findall(source)))


def _readings(number: str, *, english: bool = False) -> set[str]:
    """Return what a number may mean: groups of three digits are thousands, or it has a point.

    In English 1,200 are many and 1.200 are few; other languages have it the other way round.
    """
    digits = "".join(
        str(unicodedata.digit(letter)) if letter.isdigit() else letter for letter in number
    )
    separators = _SEPARATOR.findall(digits)
    if not separators:
        return {_normal(digits, "")}
    first, *groups = _SEPARATOR.split(digits)
    thousands = {_normal(first + "".join(groups), "")}
    with_point = {_normal(first + "".join(groups[:-1]), groups[-1])}
    are_threes = len(first) <= 3 and all(len(group) == 3 for group in groups)
    if english:
        return thousands if are_threes and separators[-1] != "." else with_point
    return thousands | with_point if are_threes else with_point


def _normal(whole: str, rest: str) -> str:
    whole, rest = whole.lstrip("0") or "0", rest.rstrip("0")
    return f"{whole}.{rest}" if rest else whole
