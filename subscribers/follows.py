"""What a reader follows: authors and organisations, by name. Pure.

A follow is written as ``author:Yann LeCun`` or ``organisation:Google DeepMind``. Its papers come
first in the reader's digest, whatever the topics say of them.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote

from subscribers.errors import PreferenceError
from subscribers.filters import control_in, fold

LONGEST_NAME = 100
MOST_FOLLOWS = 200


class FollowKind(StrEnum):
    """The kinds of what can be followed."""

    AUTHOR = "author"
    ORGANISATION = "organisation"


_QUOTES = re.compile('["“”„«»]')
_KINDS = {kind.value: kind for kind in FollowKind} | {
    "org": FollowKind.ORGANISATION,
    "organization": FollowKind.ORGANISATION,
}


@dataclass(frozen=True, slots=True)
class Follow:
    """An author or an organisation that a reader follows, under the name that they chose."""

    kind: FollowKind
    name: str

    @classmethod
    def of(cls, kind: str, name: str) -> "Follow":
        """Check a kind and a name. Raises PreferenceError."""
        known = _KINDS.get(kind.strip().casefold())
        if known is None:
            raise PreferenceError("%(kind)s is neither author nor organisation", kind=repr(kind))
        folded = fold(_QUOTES.sub("", name))  # which a topic filter would end at
        if not any(character.isalpha() for character in folded):
            raise PreferenceError("%(typed)s is not a name", typed=repr(name[:LONGEST_NAME]))
        if len(folded) > LONGEST_NAME:
            raise PreferenceError(
                "a name has at most %(most)s characters, but this has %(has)s: %(beginning)s…",
                most=LONGEST_NAME,
                has=len(folded),
                beginning=folded[:40],
            )
        if bad := control_in(folded):
            raise PreferenceError(
                "a name cannot hold the character %(character)s: %(typed)s",
                character=bad,
                typed=repr(folded),
            )
        return cls(known, folded)

    @classmethod
    def parse(cls, typed: str) -> "Follow":
        """Parse a text like ``author:Yann LeCun``. Raises PreferenceError."""
        kind, colon, name = typed.partition(":")
        if not colon:
            raise PreferenceError(
                "%(typed)s is not to be followed: expected one like author:Jane Doe or "
                "organisation:Some Lab",
                typed=repr(typed[:LONGEST_NAME]),
            )
        return cls.of(kind, name)

    @property
    def text(self) -> str:
        return f"{self.kind}:{self.name}"

    @property
    def path(self) -> str:
        """Return the end of the links to the page that follows it."""
        return f"{self.kind}/{quote(self.name, safe='')}"

    @property
    def topic(self) -> str:
        """Return the topic filter for the same papers, for people who have no link of their own."""
        field = "author" if self.kind is FollowKind.AUTHOR else "org"
        return f'{field}:"{self.name}"'


def parse_follows(typed: Iterable[str]) -> tuple[Follow, ...]:
    """Parse follows, in order, without repetitions in other letter case. Raises PreferenceError."""
    follows = {follow.text.casefold(): follow for follow in map(Follow.parse, typed)}
    if len(follows) > MOST_FOLLOWS:
        raise PreferenceError(
            "at most %(most)s can be followed, but these are %(has)s",
            most=MOST_FOLLOWS,
            has=len(follows),
        )
    return tuple(follows.values())
