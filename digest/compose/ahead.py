"""Fill sections and cards ahead: once for all readers, with holes for what is a reader's own.

A loop of a template is filled that way if its body uses nothing but the section or the card and
what it has set itself, and prints the values that are a reader's own just as they are, or asks
whether they are there. Many readers have the same section; where each has topics of their own, its
cards are filled ahead nevertheless.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from secrets import token_hex
from typing import Any

from jinja2 import Environment, Template, nodes
from markupsafe import escape

from digest.compose.card import CardView, Way, of_reader
from digest.compose.folding import fold
from digest.compose.view import SectionView

_SHARED = CardView._fields.index("topic")  # fields of a card are the same for all readers
_OWN = CardView._fields[_SHARED:]
_FIELDS = frozenset(CardView._fields)
_NOT_ONLY_OF_CARDS = frozenset(Way._fields)

_OF_SECTIONS = frozenset({"title", "about", "anchor", "cards"})

_MOST = 500  # sections or cards that are kept of a loop; of sections some 12 MB in all
# What readers type stands beside holes, so these have a word in them that nobody can know. In a
# section they stand for the link that is the reader's own; the hole of a card has the number of a
# value, and the width that it is folded at, if it is.
_OURS = token_hex(8)
_OPINIONS = f"\ufdda{_OURS}\ufddb"
_HOLE = re.compile(rf"\ufdda{_OURS}:([0-9]+)(?:,([0-9]+))?\ufddb")
_SENTENCE = re.compile(r"(?:[^%]|%%|%\(\w+\)s)*")  # which prints its values as they are

# What hands on a value to be printed, or asks whether it is there.
_HANDS_ON = (
    *(nodes.And, nodes.CondExpr, nodes.If, nodes.Keyword, nodes.Not, nodes.Or, nodes.Output),
    nodes.With,
)


def compiled(environment: Environment, source: str) -> Template:
    """Compile a template, with the loops filled ahead that allow it."""
    environment.filters = {**environment.filters, "fold": _fold}
    template = _filling_ahead(environment, environment.parse(source))
    template.globals = dict(template.globals)  # copied for each email, and quicker than a ChainMap
    return template


def _filling_ahead(environment: Environment, tree: nodes.Template) -> Template:
    for loop in tree.find_all(nodes.For):  # the outer ones first
        if not isinstance(loop.target, nodes.Name):
            continue
        name = loop.target.name
        if _is_of_section(loop.body, name) or _is_of_card(loop.body, name):
            body = _filling_ahead(environment, nodes.Template(loop.body, lineno=loop.lineno))
            fill = f"filled_ahead_{len(environment.filters)}"
            environment.filters[fill] = FilledAhead(body, name).fill
            loop.body = [_piece_by_piece(name, fill, loop.lineno)]
    tree.set_environment(environment)
    return environment.from_string(tree)


def _piece_by_piece(item: str, fill: str, line: int) -> nodes.Node:
    """Return a statement that prints each piece of a section or a card just as it is."""
    pieces = nodes.Filter(nodes.Name(item, "load"), fill, [], [], None, None)
    piece = nodes.Output([nodes.Name("piece", "load")], lineno=line)
    loop = nodes.For(nodes.Name("piece", "store"), pieces, [piece], [], None, False, lineno=line)
    escaped_already = nodes.Keyword("autoescape", nodes.Const(False))
    return nodes.ScopedEvalContextModifier([escaped_already], [loop], lineno=line)


def _is_of_section(body: list[nodes.Node], section: str) -> bool:
    """Tell whether a body is a section's, and its loops over cards print own values as holes."""
    of_section = _attributes(body, section)
    of_cards = {
        id(loop.iter)
        for loop in nodes.Template(body).find_all(nodes.For)
        if isinstance(loop.target, nodes.Name)
        and loop.test is None
        and _is_of_card(loop.body, loop.target.name)
    }
    cards = [found for found in of_section or () if found.attr == "cards"]
    return (
        of_section is not None
        and bool(cards)
        and all(id(found) in of_cards for found in cards)
        and {found.attr for found in of_section} <= _OF_SECTIONS
        and _uses_only(body, {section})
    )


def _is_of_card(body: list[nodes.Node], card: str) -> bool:
    """Tell whether a body is a card's, and prints the values that are a reader's own, as holes."""
    of_card = _attributes(body, card)
    if of_card is None:
        return False
    attributes = {found.attr for found in of_card}
    printed = {id(node) for statement in body for node in _printed(statement)}
    return (
        attributes <= _FIELDS
        and not attributes <= _NOT_ONLY_OF_CARDS
        and _uses_only(body, {card})
        and all(id(found) in printed for found in of_card if found.attr in _OWN)
    )


def _attributes(body: list[nodes.Node], name: str) -> list[nodes.Getattr] | None:
    """Return where a body uses attributes of what has a name; None if it uses more of it."""
    whole = nodes.Template(body)
    found = [
        found
        for found in whole.find_all(nodes.Getattr)
        if isinstance(found.node, nodes.Name) and found.node.name == name
    ]
    is_bare = sum(used.name == name for used in whole.find_all(nodes.Name)) > len(found)
    return None if is_bare else found


def _uses_only(body: list[nodes.Node], known: set[str]) -> bool:
    """Tell whether a body uses no names but those that are known, or that it has set before."""
    known = set(known)
    for statement in body:
        if isinstance(statement, nodes.With) and not statement.targets:
            if not _uses_only(statement.body, known):
                return False
            continue
        names = list(_names(statement))
        is_set = isinstance(statement, nodes.Assign) and isinstance(statement.target, nodes.Name)
        given = {name.name for name in names if name.ctx != "load"}
        if not known.issuperset(name.name for name in names if name.ctx == "load"):
            return False
        if given and not is_set:
            return False
        known |= given
    return True


def _names(node: nodes.Node) -> Iterator[nodes.Name]:
    """Yield the names in a statement, but for the one that a loop in it gives to each item."""
    its_own = set()
    match node:
        case nodes.Name():
            yield node
        case nodes.For(target=nodes.Name(name=name)):
            its_own = {name, "loop"}
    for child in node.iter_child_nodes():
        yield from (name for name in _names(child) if name.name not in its_own)


def _printed(node: nodes.Node) -> Iterator[nodes.Node]:
    """Yield the values that a statement prints as they are, or asks for."""
    if isinstance(node, _HANDS_ON) or _is_sentence(node) or _is_folded(node):
        for child in node.iter_child_nodes():
            yield from _printed(child)
    else:
        yield node


def _is_sentence(node: nodes.Node) -> bool:
    if not isinstance(node, nodes.Filter) or node.name != "format":
        return False
    text = node.node.node if isinstance(node.node, nodes.Filter) else node.node
    return isinstance(text, nodes.Const) and bool(_SENTENCE.fullmatch(str(text.value)))


def _is_folded(node: nodes.Node) -> bool:
    """Tell whether a value is folded by itself: how a sentence is depends on the values in it."""
    if not isinstance(node, nodes.Filter) or node.name != "fold":
        return False
    is_constant = all(isinstance(argument, nodes.Const) for argument in node.args)
    return is_constant and isinstance(node.node, nodes.Getattr)


def _fold(text: str, width: int) -> str:
    """Fold a text, or tell a hole the width at which to fold what will stand there."""
    if _OPINIONS in text:  # a link, which is never parted
        return text
    hole = _HOLE.fullmatch(text)
    return _hole(f"{hole[1]},{width}") if hole else fold(text, width)


def _hole(what: int | str) -> str:
    return f"\ufdda{_OURS}:{what}\ufddb"


class FilledAhead:
    """Keeps what the body of a loop has made, by all that is in it but own values."""

    def __init__(self, body: Template, name: str) -> None:
        self._body = body
        self._name = name
        self._is_html = body.environment.autoescape
        self._section_texts = lru_cache(_MOST)(self._fill_section)
        self._card_parts = lru_cache(_MOST)(self._fill_card)

    def fill(self, item: object) -> list[str]:
        """Return the pieces of a section or a card as the body prints it.

        What else a loop goes over is filled each time.
        """
        if isinstance(item, SectionView) and item.shared:
            texts = self._section_texts(item.shared, bool(item.opinions))
            link = escape(item.opinions) if self._is_html else item.opinions
            pieces: list[str] = [link] * (2 * len(texts) - 1)
            pieces[::2] = texts
            return pieces
        if isinstance(item, CardView):
            own: Sequence[Any] = item[_SHARED:]
            texts, places = self._card_parts(item[:_SHARED], tuple(map(bool, own)))
            values = [
                _fold(own[number], width) if width else own[number] for number, width in places
            ]
            pieces = [""] * (2 * len(texts) - 1)
            pieces[::2] = texts
            pieces[1::2] = map(escape, values) if self._is_html else values
            return pieces
        return [self._body.render({self._name: item})]

    def _fill_section(self, shared: SectionView, has_opinions: bool) -> Sequence[str]:
        """Return the texts between each two of which a reader's own link stands."""
        link = _OPINIONS if has_opinions else ""
        cards = tuple(of_reader(card, link) for card in shared.cards)
        return self._body.render({self._name: replace(shared, cards=cards)}).split(_OPINIONS)

    def _fill_card(
        self, shared: Sequence[Any], are_there: Sequence[bool]
    ) -> tuple[Sequence[str], Sequence[tuple[int, int]]]:
        """Return texts, and for the places between them the number of an own value, and a width."""
        holes = [_hole(number) if is_there else "" for number, is_there in enumerate(are_there)]
        texts = _HOLE.split(self._body.render({self._name: CardView._make((*shared, *holes))}))
        places = zip(texts[1::3], texts[2::3], strict=True)
        return texts[::3], [(int(number), int(width or 0)) for number, width in places]
