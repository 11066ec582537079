"""What the pages about people are made of: searches in addresses, and changes to many. Pure."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from urllib.parse import urlencode

from subscribers.model import Consent
from subscribers.preferences import parse_date
from subscribers.store.directory import Entry, PeopleSearch, State

LONGEST_ADDRESS = 320
PEOPLE_A_PAGE = 50
MOST_NAMED = 10  # addresses on the page that counts


class Action(StrEnum):
    PAUSE = "pause"
    RESUME = "resume"
    BLOCK = "block"
    UNBLOCK = "unblock"
    REMOVE = "remove"


# What each action does, and what is said when it was done.
EFFECTS = {
    Action.PAUSE: "They get no digest before that day. A pause that they chose is replaced.",
    Action.RESUME: "They get digests again, also those who chose the pause themselves.",
    Action.BLOCK: "No email goes to these addresses until you lift the block.",
    Action.UNBLOCK: "The blocks on these addresses are lifted, whatever they are for.",
    Action.REMOVE: "They are deleted with all data about them, except blocks, for good.",
}
DONE = {
    Action.PAUSE: "paused",
    Action.RESUME: "resumed",
    Action.BLOCK: "blocked",
    Action.UNBLOCK: "unblocked",
    Action.REMOVE: "removed",
}
STATES_SAID = {
    State.CONFIRMED: "confirmed",
    State.WAITING: "waiting to confirm",
    State.LEFT: "left",
    State.BLOCKED: "blocked",
    State.PAUSED: "paused",
}
# The word for a consent, and the CSS class of its tag.
CONSENTS_SAID = {
    Consent.CONFIRMED: ("confirmed", "good"),
    Consent.PENDING: ("waiting", "warn"),
    Consent.WITHDRAWN: ("left", ""),
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """Whom a change is for: some people by their ids, or all that a search matches."""

    search: PeopleSearch
    ids: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A change that an operator asks for; ``until`` is the first day after a pause."""

    action: Action
    until: date | None = None


class ChangeError(Exception):
    """A change of people that cannot be made, said to the operator."""


def read_search(address: str, state: str) -> PeopleSearch:
    """Read a search from a query, without the characters that no database takes."""
    text = "".join(filter(str.isprintable, address.strip()))[:LONGEST_ADDRESS]
    return PeopleSearch(text, State(state) if state in set(State) else None)


def query_of(search: PeopleSearch) -> dict[str, str]:
    """Return the query that ``read_search`` reads."""
    said = {"address": search.address, "state": search.state or ""}
    return {name: text for name, text in said.items() if text}


def address_of(path: str, query: Mapping[str, object]) -> str:
    return f"{path}?{urlencode(query)}" if query else path


def read_change(action: str, until: str, today: date) -> Change:
    """Read a change from a form. Raises ChangeError, or PreferenceError for no date."""
    if action not in set(Action):
        raise ChangeError("choose what to do with them")
    if action != Action.PAUSE:
        return Change(Action(action))
    if not until.strip():
        raise ChangeError("a pause needs a day until which it lasts")
    day = parse_date(until)
    if day <= today:
        raise ChangeError(f"a pause ends after today, but this day is {day}")
    return Change(Action.PAUSE, day)


def mark_of(ids: Sequence[int]) -> str:
    """Return a text that is another one for other people."""
    return hashlib.sha256(",".join(map(str, ids)).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class ListPage:
    """Some people of a long list, newest first, with the addresses of the pages around them."""

    search: PeopleSearch
    entries: Sequence[Entry]
    newer: str
    older: str


def list_page(
    search: PeopleSearch, found: Sequence[Entry], before: int | None, after: int | None
) -> ListPage:
    """Return the page of what was found: one person more than fits tells that there are others.

    ``before`` and ``after`` are the ids that it was asked for by.
    """
    has_more = len(found) > PEOPLE_A_PAGE
    back = after is not None and before is None  # towards the newer ones
    entries = found[-PEOPLE_A_PAGE:] if back else found[:PEOPLE_A_PAGE]
    has_newer = has_more if back else before is not None
    has_older = bool(back) or has_more

    def to(name: str, entry: Entry) -> str:
        return address_of("/subscribers", {**query_of(search), name: entry.subscriber.id})

    return ListPage(
        search,
        entries,
        newer=to("after", entries[0]) if entries and has_newer else "",
        older=to("before", entries[-1]) if entries and has_older else "",
    )
