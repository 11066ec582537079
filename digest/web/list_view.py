"""What stands around a list of papers: filters, orders, and other pages of it. Pure."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from digest.compose.language import Language
from digest.model.identity import name_key
from digest.model.shelf import Choice, Entry, Filters, Order, folded
from digest.web.period_view import Link

PAPERS_ON_PAGE = 50
_QUOTES = re.compile('["“”„«»]')  # which a topic filter would end at


@dataclass(frozen=True, slots=True)
class Place:
    """A page of papers: its path below the root, the choice, and the order if none is chosen."""

    path: str
    choice: Choice
    usual: Order = Order.TRENDING

    def link(self, **changes: object) -> str:
        """Return the path and query of its first page, or of the same with another choice."""
        choice = replace(self.choice, **changes)  # type: ignore[arg-type]  # fields of Choice
        return self._link(choice, 1)

    def page(self, number: int) -> str:
        """Return the path and query of one of its pages."""
        return self._link(self.choice, number)

    def _link(self, choice: Choice, page: int) -> str:
        fields = {
            "keyword": choice.keyword,
            "organisation": choice.organisation,
            "code": "yes" if choice.has_code else "",
            "sort": choice.order if choice.order is not self.usual else "",
            "page": str(page) if page > 1 else "",
        }
        query = urlencode({name: value for name, value in fields.items() if value})
        return f"{self.path}?{query}" if query else self.path


def read_choice(
    sort: str, keyword: str, organisation: str, code: str, usual: Order = Order.TRENDING
) -> Choice:
    """Read what stands in an address; an unknown order is the usual one."""
    order = Order(sort) if sort in set(Order) else usual
    return Choice(order, keyword.strip(), organisation.strip(), code == "yes")


def chips(place: Place, offered: Filters, language: Language) -> list[Link]:
    """Return the filters for one press each: all, has code, and keywords, each with its papers.

    To press a chosen one takes it back.
    """
    choice = place.choice
    everything = Link(
        language.gettext("All"),
        place.link(keyword="", organisation="", has_code=False),
        number=language.number(offered.papers),
        is_current=not choice.restricts,
    )
    code = Link(
        language.gettext("Has code"),
        place.link(has_code=not choice.has_code),
        number=language.number(offered.with_code),
        is_current=choice.has_code,
    )
    keywords = _toggles(place, "keyword", choice.keyword, offered.keywords, language)
    is_useful = offered.with_code or choice.has_code
    return [everything, *([code] if is_useful else []), *keywords]


def organisations(place: Place, offered: Filters, language: Language) -> list[Link]:
    """Return the organisations to filter by."""
    chosen = place.choice.organisation
    return _toggles(place, "organisation", chosen, offered.organisations, language)


def _toggles(
    place: Place,
    field: str,
    chosen: str,
    offered: Sequence[tuple[str, int]],
    language: Language,
) -> list[Link]:
    fold = folded if field == "keyword" else name_key
    links = []
    for name, count in offered:
        is_chosen = bool(chosen) and fold(name) == fold(chosen)
        path = place.link(**{field: "" if is_chosen else name})
        links.append(Link(name, path, number=language.number(count), is_current=is_chosen))
    if chosen and not any(link.is_current for link in links):
        links.append(Link(chosen, place.link(**{field: ""}), is_current=True))
    return links


def sorts(place: Place, language: Language) -> list[Link]:
    """Return the orders to choose from."""
    names = {
        Order.TRENDING: language.gettext("Trending"),
        Order.VOTES: language.gettext("Votes"),
        Order.NEWEST: language.gettext("Newest"),
    }
    return [
        Link(name, place.link(order=order), is_current=order is place.choice.order)
        for order, name in names.items()
    ]


def pages(place: Place, page: int, found: int, language: Language) -> list[Link]:
    """Return the links to other pages of a list."""
    return page_links(place.page, page, -(-found // PAPERS_ON_PAGE), language)


def page_links(
    path_of: Callable[[int], str], page: int, many: int, language: Language
) -> list[Link]:
    """Return the pages before and after one, and between them where one is; empty if it is all."""
    if many <= 1:
        return []
    here = language.gettext(
        "Page %(page)s of %(many)s", page=language.number(page), many=language.number(many)
    )
    return [
        Link(language.gettext("Previous page"), path_of(page - 1) if page > 1 else ""),
        Link(here, is_current=True),
        Link(language.gettext("Next page"), path_of(page + 1) if page < many else ""),
    ]


def on_page(entries: Sequence[Entry], page: int) -> Sequence[Entry]:
    """Return what stands on a page."""
    return entries[(page - 1) * PAPERS_ON_PAGE : page * PAPERS_ON_PAGE]


def as_topic(choice: Choice) -> str:
    """Return the topic filter for what a choice restricts papers to; empty if it is everything."""
    parts = (
        _field("keyword", choice.keyword),
        _field("org", choice.organisation),
        "code:yes" if choice.has_code else "",
    )
    return " ".join(filter(None, parts))


def feeds(topic: str, language: Language) -> list[Link]:
    """Return the feeds of the papers on a topic, or of all."""
    query = f"?{urlencode({'topic': topic})}" if topic else ""
    return [
        Link(language.gettext("Atom feed"), f"/feed.atom{query}"),
        Link(language.gettext("JSON feed"), f"/feed.json{query}"),
    ]


def _field(name: str, value: str) -> str:
    quoted = _QUOTES.sub(" ", value).strip()
    return f'{name}:"{quoted}"' if quoted else ""
