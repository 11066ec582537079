"""What stands in the address of a search, and what it means. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import urlencode

from digest.model.search import SearchOrder, SearchQuery
from subscribers.errors import SubscriberError
from subscribers.sentences import Sentence
from subscribers.topics import LONGEST_TOPIC, TopicFilter

MOST_PAGES = 50
LONGEST_FIELD = 300  # of a field but the topic, which says itself how long it may be
_LONGEST_SHOWN = 2 * LONGEST_TOPIC  # of that one
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER = re.compile(r"[0-9]{1,4}")


class WrongFieldError(SubscriberError):
    """Raised for a field that cannot be read."""


@dataclass(frozen=True, slots=True)
class SearchForm:
    """The fields of a search as they were typed."""

    q: str = ""
    first: str = ""
    last: str = ""
    sort: str = ""
    page: str = ""

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> "SearchForm":
        """Take the fields of a query string, of any length."""
        names = ("from", "until", "sort", "page")
        others = (fields.get(name, "").strip()[:LONGEST_FIELD] for name in names)
        return cls(fields.get("q", "").strip(), *others)

    @property
    def shown(self) -> str:
        """Return what is shown again of the topic: all of one that is not too long."""
        return self.q[:_LONGEST_SHOWN]

    def order_path(self, order: SearchOrder) -> str:
        """Return the path and query of this search in an order."""
        return _path(q=self.q, first=self.first, until=self.last, sort=order)

    def other_path(self, topic: str) -> str:
        """Return the path and query of a search for another topic, in the same days and order."""
        return replace(self, q=topic).page_path(1)

    def page_path(self, page: int) -> str:
        """Return the path and query of a page of this search."""
        of_page = str(page) if page > 1 else ""
        return _path(q=self.q, first=self.first, until=self.last, sort=self.sort, page=of_page)

    def query(self) -> SearchQuery | None:
        """Return what to search for; None for nothing. Raises SubscriberError: what is wrong."""
        first = _day(self.first, Sentence("From")) or date.min
        last = _day(self.last, Sentence("Until")) or date.max
        if first > last:
            raise WrongFieldError("The first day is after the last one.")
        if not self.q:
            return None
        if self.sort and self.sort not in set(SearchOrder):
            raise WrongFieldError(
                "“%(sort)s” is no order. Choose one below the field.", sort=self.sort
            )
        order = SearchOrder(self.sort or SearchOrder.BEST)
        return SearchQuery(TopicFilter.parse(self.q), first, last, order)

    def page_number(self) -> int:
        """Return the number of the page; the first is 1. Raises WrongFieldError."""
        if not self.page:
            return 1
        if not _NUMBER.fullmatch(self.page) or not 1 <= int(self.page) <= MOST_PAGES:
            raise WrongFieldError(
                "“%(page)s” is no page: expected a number from 1 to %(most)s.",
                page=self.page,
                most=MOST_PAGES,
            )
        return int(self.page)


def _path(*, first: str, sort: str, **fields: str) -> str:
    order = "" if sort == SearchOrder.BEST else sort
    query = {"q": fields.pop("q"), "from": first, **fields, "sort": order}
    return f"/search?{urlencode({name: typed for name, typed in query.items() if typed})}"


def _day(typed: str, name: Sentence) -> date | None:
    if not typed:
        return None
    try:
        return date.fromisoformat(typed if _DAY.fullmatch(typed) else "")
    except ValueError:
        raise WrongFieldError(
            "%(field)s: “%(typed)s” is no day. Write it like 2025-12-31.", field=name, typed=typed
        ) from None
