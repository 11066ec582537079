"""The sample on the landing page: today's email for somebody with a few of the suggested topics."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from threading import Lock
from typing import Generic, Protocol, TypeVar

from digest.compose.card import CardView, Shown, card
from digest.compose.language import Language
from digest.ledger.editions import Editions
from digest.model.digests import Digest, Section
from subscribers.tokens import Purpose
from subscribers.topics import TopicFilter, parse_topics

TOPICS = 3
ROWS = 3  # papers after the lead; the email has more

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SampleView:
    """The beginning of an email: how many papers on which topic, the lead, and the next ones."""

    topics: tuple[str, ...]
    counts: tuple[tuple[str, int], ...]
    trending: int
    lead: CardView
    rows: tuple[CardView, ...]


class Draft(Protocol):
    """Make the digest of a day for these topics; None if nothing matches."""

    def __call__(self, day: date, topics: tuple[TopicFilter, ...]) -> Digest | None: ...


def sample_of(
    editions: Editions, draft: Draft, suggestions: Callable[[], Sequence[str]]
) -> Digest | None:
    """Return the latest digest for the first suggestions, or else for no topics."""
    for day, _ in editions.days(1):
        return draft(day, parse_topics(suggestions()[:TOPICS])) or draft(day, ())
    return None


def sample_view(digest: Digest, language: Language, pictures: str | None) -> SampleView:
    """Return how a digest begins. ``pictures`` is what the paths of pictures are added to."""
    first, *others = digest.picks
    per_topic = Counter(
        pick.match.reason.topic for pick in digest.picks if pick.match and pick.match.reason.topic
    )
    return SampleView(
        topics=tuple(topic.text for topic in digest.topics),
        counts=tuple(per_topic.items()),
        trending=sum(pick.section is not Section.FOR_YOU for pick in digest.picks),
        lead=card(first, Shown(language, digest.day, pictures)),
        rows=tuple(card(pick, Shown(language, digest.day)) for pick in others[:ROWS]),
    )


def without_own_links(html: str, base_url: str) -> str:
    """Return an email with a link to subscribe in the place of each that is for its reader."""
    own = rf'(?<=href="){re.escape(base_url)}/(?:{"|".join(Purpose)})/[^"]*'
    return re.sub(own, f"{base_url}/subscribe", html)


class Kept(Generic[T]):
    """A value that takes a while to make, and is kept until its ``state`` changes.

    ``run`` makes it in the background, so that nobody waits for it.
    """

    def __init__(
        self,
        make: Callable[[], T | None],
        state: Callable[[], object],
        run: Callable[[Callable[[], None]], object],
    ) -> None:
        self._make, self._state, self._run = make, state, run
        self._lock = Lock()
        self._begun: object = None  # the state that a value was last begun for
        self._made: object = None
        self._value: T | None = None

    def get(self) -> tuple[T | None, bool]:
        """Return the value, and whether it is current. An old one is better than none."""
        state = self._state()
        with self._lock:
            is_new = state != self._begun
            self._begun = state
        if is_new:
            self._run(lambda: self._renew(state))
        return self._value, self._made == state

    def _renew(self, state: object) -> None:
        value = self._make()
        with self._lock:
            if state == self._begun:
                self._value, self._made = value, state
