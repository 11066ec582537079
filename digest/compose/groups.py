"""Arrange the papers of a digest: one leads, those on a topic stand together. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from digest.model.digests import Pick, Section

_MOST_MEDIUM = 5  # papers of an email that get a text, besides the lead
_MOST_OF_GROUP = 3  # papers of a group that get one
_ORDER = tuple(Section)


class Size(StrEnum):
    """The room that a paper gets: it leads, it has a text, or it is a row of a list."""

    LEAD = "lead"
    MEDIUM = "medium"
    ROW = "row"


@dataclass(frozen=True, slots=True)
class Group:
    """Papers under one heading: those on a topic, or those of a section."""

    papers: tuple[tuple[Pick, Size], ...]

    @property
    def first(self) -> Pick:
        """Return the paper that is like all others in why it is here."""
        return self.papers[0][0]


def arranged(picks: Sequence[Pick]) -> tuple[Group, ...]:
    """Arrange picks in groups: that of the lead first, then by their best papers.

    The lead is the best match; votes decide between papers that match as well. Where something
    matches, papers chosen by votes alone are rows.
    """
    if not picks:
        return ()
    has_match = any(pick.section is Section.FOR_YOU for pick in picks)
    lead = max(picks, key=lambda pick: _rank(pick, has_match))
    groups: dict[tuple[object, ...], list[tuple[Pick, Size]]] = {}
    room = _MOST_MEDIUM
    for pick in (lead, *(pick for pick in picks if pick is not lead)):
        group = groups.setdefault(_key(pick), [])
        size = Size.LEAD if pick is lead else Size.ROW
        is_matching = pick.section is Section.FOR_YOU or not has_match
        if pick is not lead and is_matching and room and len(group) < _MOST_OF_GROUP:
            size, room = Size.MEDIUM, room - 1
        group.append((pick, size))
    in_order = sorted(groups.values(), key=lambda group: _ORDER.index(group[0][0].section))
    return tuple(Group(tuple(group)) for group in in_order)


def _rank(pick: Pick, has_match: bool) -> tuple[bool, float, int]:
    """Return by what the lead is chosen; of equals it is the first."""
    if not has_match or pick.match is None:
        return (False, 0.0, 0)
    return (True, round(pick.match.score, 2), pick.candidate.signals.upvotes or 0)


def _key(pick: Pick) -> tuple[object, ...]:
    """Return what a paper has in common with the others of its group."""
    reason = pick.match.reason if pick.match else None
    kind = (bool(reason.followed), bool(reason.liked), reason.topic) if reason else ()
    return (pick.section, *kind)
