"""The pages that the studio shows: what is asked for to see each, by a reader who does not exist.

Each page that is shown has a reader of its own, in a database of sample data, so that what one of
them does changes no other page.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import count
from urllib.parse import quote

from subscribers.follows import Follow
from subscribers.model import Subscriber, Verdict
from subscribers.store.registry import Registry
from subscribers.tokens import Purpose, Tokens
from subscribers.topics import parse_topics

TOPICS = ("video generation", "agents")
WRONG = {"address": "nobody", "topics": "video generation"}
_SOON = timedelta(hours=1)
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Ask:
    """A request: a form is sent, if there are ``fields``, or else a page asked for."""

    path: str
    fields: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class SampleData:
    """Where the sample data are, and what they have that pages can be asked for."""

    registry: Registry
    tokens: Tokens
    now: datetime
    day: date
    paper: str
    author: str

    def guest(self, language: str) -> "Guest":
        """Add a reader with a language, who has done all that one can do."""
        registry, number = self.registry, next(_numbers)
        person = registry.add(
            f"reader{number}@example.org", parse_topics(TOPICS), source="sample", now=self.now
        )
        preferences = replace(
            person.preferences, locale=language, follows=(Follow.of("author", self.author),)
        )
        registry.set_preferences(person.public_id, person.topics, preferences)
        registry.ratings.rate(person.id, self.paper, Verdict.LIKE, self.now)
        return Guest(self, person)


@dataclass(frozen=True, slots=True)
class Guest:
    """A reader of the sample data, and the paths of their links."""

    of: SampleData
    person: Subscriber

    def link(self, purpose: Purpose, after: str = "") -> str:
        token = self.of.tokens.make(purpose, self.person.public_id)
        return f"/{purpose}/{token}{after}"

    def passing_link(self, purpose: Purpose) -> str:
        """Return a link of the kind that expires."""
        return self._passing(purpose, self.person.public_id)

    def link_to_new_address(self, address: str) -> str:
        """Ask to use another address; return the link that is mailed there."""
        asked = self.of.registry.address_changes.ask(self.person, address, self.of.now)
        return self._passing(Purpose.ADDRESS, asked.public_id)

    @property
    def other_address(self) -> str:
        return f"new.{self.person.address}"

    def _passing(self, purpose: Purpose, public_id: str) -> str:
        token = self.of.tokens.make_until(purpose, public_id, self.of.now + _SOON)
        return f"/{purpose}/{token}"


Asks = Callable[[Guest], Sequence[Ask]]


def _at(path: str) -> Asks:
    return lambda _: [Ask(path)]


def _own(purpose: Purpose, after: str = "", **fields: str) -> Asks:
    return lambda guest: [Ask(guest.link(purpose, after), fields or None)]


def _join(guest: Guest) -> Ask:
    return Ask("/subscribe", {"address": guest.other_address, "topics": TOPICS[0]})


def _left(guest: Guest) -> Ask:
    return Ask(guest.link(Purpose.UNSUBSCRIBE), {})


def _taken(guest: Guest) -> str:
    return guest.link_to_new_address(guest.of.guest("en").person.address)


# By whom they are for, and by name. The requests lead to a page; the last one shows it.
PAGES: Mapping[str, Mapping[str, Asks]] = {
    "for everybody": {
        "home": _at("/"),
        "day": lambda guest: [Ask(f"/{guest.of.day}")],
        "month": lambda guest: [Ask(f"/{guest.of.day:%Y-%m}")],
        "archive": _at("/archive"),
        "paper": lambda guest: [Ask(f"/paper/{guest.of.paper}")],
        "author": lambda guest: [Ask(f"/author/{quote(guest.of.author)}")],
        "search": _at("/search?q=agents"),
        "search, wrong": _at("/search?q=%22"),
        "feeds": _at("/feeds"),
        "feed": _at("/feed.atom"),
        "privacy": _at("/privacy"),
        "no such page": _at("/nothing"),
    },
    "to join": {
        "sign up": _at("/subscribe"),
        "sign up, wrong": lambda _: [Ask("/subscribe", WRONG)],
        "preview": lambda _: [Ask("/preview", {"topics": "; ".join(TOPICS)})],
        "check your inbox": lambda guest: [_join(guest)],
        "try later": lambda guest: [_join(guest)] * 4,
        "confirm": lambda guest: [Ask(guest.passing_link(Purpose.CONFIRM))],
        "welcome": lambda guest: [Ask(guest.passing_link(Purpose.CONFIRM), {})],
        "bad link": _at("/confirm/x"),
        "ask for a link": _at("/link"),
        "link sent": lambda guest: [Ask("/link", {"address": guest.other_address})],
    },
    "of a reader": {
        "preferences": _own(Purpose.PREFERENCES),
        "preferences, saved": _own(Purpose.PREFERENCES, topics="agents"),
        "preferences, wrong": _own(Purpose.PREFERENCES, topics="agents", timezone="Mars"),
        "preferences, paused": _own(Purpose.PREFERENCES, "/pause", days="7"),
        "opinion": lambda guest: [Ask(guest.link(Purpose.RATING, f"/{guest.of.paper}"))],
        "follow": lambda guest: [
            Ask(guest.link(Purpose.FOLLOW, f"/author/{quote(guest.of.author)}"))
        ],
        "new address": lambda guest: [
            Ask(guest.link(Purpose.PREFERENCES, "/address"), {"address": guest.other_address})
        ],
        "new address, confirm": lambda guest: [Ask(guest.link_to_new_address(guest.other_address))],
        "new address, used": lambda guest: [
            Ask(guest.link_to_new_address(guest.other_address), {})
        ],
        "new address, taken": lambda guest: [Ask(_taken(guest), {})],
        "leave": _own(Purpose.UNSUBSCRIBE),
        "left": lambda guest: [_left(guest)],
        "undo": lambda guest: [_left(guest), Ask(guest.passing_link(Purpose.UNDO))],
        "undone": lambda guest: [_left(guest), Ask(guest.passing_link(Purpose.UNDO), {})],
        "delete": _own(Purpose.PREFERENCES, "/delete"),
        "deleted": lambda guest: [Ask(guest.link(Purpose.PREFERENCES, "/delete"), {})],
    },
}
