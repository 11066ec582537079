"""Pack the picks of a digest into a text, so that a delivery is one row. Pure.

A text has a line for each pick: a JSON list of the paper's number, the first letter of the section
and, if the paper matches, the score and its reason: topic, words, ``liked`` and ``followed``,
without the empty ones at the end. Many digests have the same lines: these are made and read once.
"""

import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from digest.model.digests import Candidate, Match, Pick, Reason, Section

_SECTIONS = {section.value[0]: section for section in Section}
_NUMBERS = re.compile(r"^\[(\d+)", re.MULTILINE)
_NO_REASON: list[Any] = ["", (), "", ""]
_LINES = 1 << 16  # that are remembered: those of an edition with some hundred topics

_encode = json.JSONEncoder(separators=(",", ":")).encode


class PackedPick(NamedTuple):
    """A pick as it is stored: with the number of its paper."""

    paper_id: int
    section: Section
    match: Match | None = None


def pack(picks: Iterable[Pick]) -> str:
    """Return picks as a text, in their order; "" for none."""
    return "\n".join([line_of(pick.candidate.paper_id, pick.section, pick.match) for pick in picks])


@lru_cache(_LINES)
def line_of(paper_id: int, section: Section, match: Match | None) -> str:
    """Return the line of one pick."""
    values: list[object] = [paper_id, section[0]]
    if match:
        its = match.reason
        reason = [its.topic, its.words, its.liked, its.followed]
        while reason and not reason[-1]:
            reason.pop()
        values += [match.score, *reason]
    return _encode(values)


def unpack(text: str) -> list[PackedPick]:
    """Return the picks in a text, in their order."""
    return [_pick_of(line) for line in text.splitlines()]


@lru_cache(_LINES)
def _pick_of(line: str) -> PackedPick:
    values: list[Any] = json.loads(line)
    paper_id, letter, *match_of = values
    if not match_of:
        return PackedPick(paper_id, _SECTIONS[letter])
    score, *reason = match_of
    topic, words, liked, followed = [*reason, *_NO_REASON[len(reason) :]]
    match = Match(score, Reason(topic, tuple(words), liked, followed))
    return PackedPick(paper_id, _SECTIONS[letter], match)


def picks_of(text: str, papers: Mapping[int, Candidate]) -> tuple[Pick, ...]:
    """Return the picks in a text; ``papers`` has those of ``numbers_in``, by number."""
    return tuple(Pick(section, papers[number], match) for number, section, match in unpack(text))


def numbers_in(texts: Iterable[str]) -> set[int]:
    """Return the numbers of all papers in some texts."""
    return {int(number) for text in texts for number in _NUMBERS.findall(text)}


def pattern_of(paper_ids: Iterable[int]) -> str:
    """Return a regular expression that is in a text if it has one of some papers.

    A topic may look like it: look at what is found.
    """
    return rf"\[({'|'.join(map(str, sorted(paper_ids)))}),"
