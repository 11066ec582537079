"""Fill cards ahead: once for all readers who get a paper, with holes for what is a reader's own.

A loop of a template is filled that way if its body uses nothing but the card and what it has set
itself, and prints the values that are a reader's own just as they are, or asks whether they are
there.
"""

import re
from collections.abc import Iterator
from typing import Any

from jinja2 import Environment, Template, nodes
from markupsafe import escape

from digest.compose.card import CardView, Way
from digest.compose.folding import fold

_SHARED = CardView._fields.index("topic")  # fields of a card are the same for all readers
_OWN = CardView._fields[_SHARED:]
_LINK = CardView._fields.index("opinion_url")
_FIELDS = frozenset(CardView._fields)
_NOT_ONLY_OF_CARDS = frozenset(Way._fields)

_MOST = 1000  # cards of a loop that are kept of each kind, some 5 MB
# With the width that it is folded at, if it is; noncharacters of Unicode, as in stages.py.
_HOLE = re.compile("\ufdda([0-9]+)(?:,([0-9]+))?\ufddb")
_SENTENCE = re.compile(r"(?:[^%]|%%|%\(\w+\)s)*")  # which prints its values as they are

# A card: texts, and between them the holes, each the number of the field that is printed there, and
# the width that it is folded at (0: it is not).
_Parts = list[Any]

# What hands on a value to be printed, or asks whether it is there.
_HANDS_ON = (
    *(nodes.And, nodes.CondExpr, nodes.If, nodes.Keyword, nodes.Not, nodes.Or, nodes.Output),
    nodes.With,
)


def compiled(environment: Environment, source: str) -> Template:
    """Compile a template, with cards filled ahead in the loops that allow it."""
    environment.filters = {**environment.filters, "fold": _fold}
    tree = environment.parse(source)
    for number, loop in enumerate(tree.find_all(nodes.For)):
        if isinstance(loop.target, nodes.Name) and _allows_holes(loop.body, loop.target.name):
            body = nodes.Template(loop.body, lineno=loop.lineno)
            body.set_environment(environment)
            fill = f"filled_ahead_{number}"
            cards = CardsAhead(environment.from_string(body), loop.target.name)
            environment.filters[fill] = cards.fill
            loop.body = [_piece_by_piece(loop.target.name, fill, loop.lineno)]
    tree.set_environment(environment)
    template = environment.from_string(tree)
    template.globals = dict(template.globals)  # copied for each email, and quicker than a ChainMap
    return template


def _piece_by_piece(card: str, fill: str, line: int) -> nodes.Node:
    """Return a statement that prints each of the pieces of a card just as it is."""
    pieces = nodes.Filter(nodes.Name(card, "load"), fill, [], [], None, None)
    piece = nodes.Output([nodes.Name("piece", "load")], lineno=line)
    loop = nodes.For(nodes.Name("piece", "store"), pieces, [piece], [], None, False, lineno=line)
    escaped_already = nodes.Keyword("autoescape", nodes.Const(False))
    return nodes.ScopedEvalContextModifier([escaped_already], [loop], lineno=line)


def _allows_holes(body: list[nodes.Node], card: str) -> bool:
    """Tell whether a body is a card's, and prints the values that are a reader's own, as holes."""
    whole = nodes.Template(body)
    of_card = [
        found
        for found in whole.find_all(nodes.Getattr)
        if isinstance(found.node, nodes.Name) and found.node.name == card
    ]
    is_bare = sum(name.name == card for name in whole.find_all(nodes.Name)) > len(of_card)
    attributes = {found.attr for found in of_card}
    printed = {id(node) for statement in body for node in _printed(statement)}
    return (
        not is_bare
        and attributes <= _FIELDS
        and not attributes <= _NOT_ONLY_OF_CARDS
        and _uses_only(body, {card})
        and all(id(found) in printed for found in of_card if found.attr in _OWN)
    )


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
    if not isinstance(node, nodes.Filter) or node.name != "fold":
        return False
    return all(isinstance(argument, nodes.Const) for argument in node.args)


def _fold(text: str, width: int) -> str:
    """Fold a text, or tell a hole the width at which to fold what will stand there."""
    hole = _HOLE.fullmatch(text)
    return f"\ufdda{hole[1]},{width}\ufddb" if hole else fold(text, width)


class CardsAhead:
    """Keeps the cards that the body of a loop has made.

    They are kept twice: by paper, for all who get it, and by paper and reason, with no hole but for
    a reader's own link. The second kind is quicker, and few where readers share their topics; the
    first helps where each has others.
    """

    def __init__(self, body: Template, name: str) -> None:
        self._body = body
        self._name = name
        self._is_html = body.environment.autoescape
        self._by_paper: dict[object, _Parts] = {}
        self._by_reason: dict[object, _Parts] = {}

    def fill(self, card: object) -> list[str]:
        """Return the pieces of a card as the body prints it.

        What else a loop goes over is filled each time.
        """
        if not isinstance(card, CardView):
            return [self._body.render({self._name: card})]
        key = (card[:_LINK], bool(card.opinion_url))
        parts = self._by_reason.get(key)
        if parts is None:
            parts = _keep(self._by_reason, key, self._with_reason(card))
        pieces = parts.copy()
        pieces[1::2] = [self._printed(card.opinion_url, width) for _, width in parts[1::2]]
        return pieces

    def _with_reason(self, card: CardView) -> _Parts:
        """Return a card with the reason for it, and holes for the reader's own link."""
        values: tuple[Any, ...] = card
        key = (card[:_SHARED], *map(bool, values[_SHARED:]))
        parts = self._by_paper.get(key)
        if parts is None:
            parts = _keep(self._by_paper, key, self._with_holes(card))
        filled = [parts[0]]
        for hole, text in zip(parts[1::2], parts[2::2], strict=True):
            number, width = hole
            if number == _LINK:
                filled += [hole, text]
            else:
                filled[-1] = "".join((filled[-1], self._printed(values[number], width), text))
        return filled

    def _with_holes(self, card: CardView) -> _Parts:
        """Return a card with holes for everything that is a reader's own."""
        holes: dict[str, Any] = {
            name: f"\ufdda{number}\ufddb"
            for number, name in enumerate(CardView._fields)
            if number >= _SHARED and card[number]
        }
        texts = _HOLE.split(self._body.render({self._name: card._replace(**holes)}))
        parts: _Parts = [None] * (2 * (len(texts) // 3) + 1)
        parts[::2] = texts[::3]
        numbers = zip(texts[1::3], texts[2::3], strict=True)
        parts[1::2] = [(int(number), int(width or 0)) for number, width in numbers]
        return parts

    def _printed(self, value: str, width: int) -> str:
        if width:
            value = fold(value, width)
        return escape(value) if self._is_html else value


def _keep(kept: dict[object, _Parts], key: object, parts: _Parts) -> _Parts:
    if len(kept) >= _MOST:
        kept.clear()
    kept[key] = parts
    return parts
