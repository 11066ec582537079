"""Check the sources of templates: what they include, and names in branches that no sample takes.

Types are followed from the view that a template gets, through attributes and loops; a name whose
type is not known may have any attribute.
"""

# ruff: noqa: N802, N815  Jinja2 calls visit_For and the like

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.visitor import NodeVisitor

from digest.checks.finding import Finding, Level, in_order

Scope = dict[str, Any]
"""The type of each name, None if it is not known."""
Chain = tuple[str, ...]
"""Templates, each included by the one before."""

_PARSER = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)  # it renders nothing
_ALWAYS = {*_PARSER.globals, "_", "gettext", "ngettext", "pgettext", "npgettext"}
_ALWAYS |= {"self", "super", "loop", "caller", "varargs", "kwargs"}
_MJ_INCLUDE = re.compile(r"<mj-include\b[^>]*?\bpath=\"(?:\./)?([^\"{}]+)\"")
_MAY_BE_UNDEFINED = {"default", "d", "defined", "undefined"}


def check_sources(folders: Sequence[Path], name: str, view: type) -> list[Finding]:
    """Return the faults of a template that gets a ``view`` as ``mail``, and of those it includes.

    An earlier folder hides later ones. Faults of the syntax are left to the rendering.
    """
    reader = _Reader(folders)
    reader.read(name, {"mail": view}, ())
    return in_order(reader.found)


class _Reader(NodeVisitor):
    """Reads templates with the names that they know, and collects what is wrong.

    Each ``visit_…`` gets the names in ``scope``, which it may extend, and the templates around a
    node, the outermost first.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders
        self._read: set[tuple[str, frozenset[tuple[str, Any]]]] = set()
        self.found: list[Finding] = []

    def read(self, name: str, scope: Scope, around: Chain) -> None:
        known = (name, frozenset(scope.items()))
        file = self._file(name)
        if file is None or known in self._read:
            return
        self._read.add(known)
        chain = (*around, name)
        with suppress(TemplateSyntaxError, ValueError, RecursionError):
            text = file.read_text(encoding="utf-8")
            self._all(_PARSER.parse(text, name, str(file)).body, dict(scope), chain)
            for include in _MJ_INCLUDE.finditer(text):  # it is filled apart, with the email only
                line = text.count("\n", 0, include.start()) + 1
                self._follow([include[1]], line, {"mail": scope.get("mail")}, chain)

    def _file(self, name: str) -> Path | None:
        with suppress(OSError):  # of a name that is too long
            return next(filter(Path.is_file, (folder / name for folder in self._folders)), None)
        return None

    def _say(self, check: str, line: int, chain: Chain, what: str) -> None:
        self.found.append(Finding(check, Level.ERROR, what, chain[-1], line))

    def _all(self, found: Iterable[nodes.Node], scope: Scope, chain: Chain) -> None:
        for node in found:
            self.visit(node, scope, chain)

    def visit_Name(self, node: nodes.Name, scope: Scope, chain: Chain) -> None:
        if node.ctx == "load" and node.name not in scope and node.name not in _ALWAYS:
            self._say("template", node.lineno, chain, f"there is nothing called {node.name}")

    def visit_Getattr(self, node: nodes.Getattr, scope: Scope, chain: Chain) -> None:
        self.visit(node.node, scope, chain)
        owner = _type(node.node, scope)
        known = get_origin(owner) or owner
        if isinstance(known, type) and not hasattr(known, node.attr):
            public = [name for name in dir(known) if not name.startswith("_")]
            alike = get_close_matches(node.attr, public, n=1)
            meant = f"; did you mean {alike[0]}?" if alike else ""
            kind = known.__name__.removesuffix("View").lower()
            self._say("template", node.lineno, chain, f"a {kind} has no {node.attr}{meant}")

    def visit_Filter(self, node: nodes.Filter | nodes.Test, scope: Scope, chain: Chain) -> None:
        if node.name in _MAY_BE_UNDEFINED:  # from here on, the name that was asked for may be there
            scope.update({name.name: scope.get(name.name) for name in _names(node)})
        self.generic_visit(node, scope, chain)

    visit_Test = visit_Filter

    def visit_For(self, node: nodes.For, scope: Scope, chain: Chain) -> None:
        self.visit(node.iter, scope, chain)
        inner = scope | _bound(node.target, _element(_type(node.iter, scope)))
        self._all([node.test] if node.test else [], inner, chain)
        self._all(node.body, inner, chain)
        self._all(node.else_, dict(scope), chain)

    def visit_Assign(self, node: nodes.Assign, scope: Scope, chain: Chain) -> None:
        self.visit(node.node, scope, chain)
        scope.update(_bound(node.target, _type(node.node, scope)))

    def visit_AssignBlock(self, node: nodes.AssignBlock, scope: Scope, chain: Chain) -> None:
        self._all(node.body, dict(scope), chain)
        scope.update(_bound(node.target, str))

    def visit_With(self, node: nodes.With, scope: Scope, chain: Chain) -> None:
        self._all(node.values, scope, chain)
        inner = dict(scope)
        for target, value in zip(node.targets, node.values, strict=True):
            inner.update(_bound(target, _type(value, scope)))
        self._all(node.body, inner, chain)

    def visit_Macro(self, node: nodes.Macro, scope: Scope, chain: Chain) -> None:
        scope[node.name] = None
        self._arguments(node, scope, chain)

    def visit_CallBlock(self, node: nodes.CallBlock, scope: Scope, chain: Chain) -> None:
        self.visit(node.call, scope, chain)
        self._arguments(node, scope, chain)

    def _arguments(self, node: nodes.Macro | nodes.CallBlock, scope: Scope, chain: Chain) -> None:
        inner = scope | {argument.name: None for argument in node.args}
        self._all([*node.defaults, *node.body], inner, chain)

    def visit_Block(self, node: nodes.Block, scope: Scope, chain: Chain) -> None:
        self._all(node.body, dict(scope), chain)

    def visit_Import(self, node: nodes.Import, scope: Scope, chain: Chain) -> None:
        self._refer(node, scope if node.with_context else {}, chain)
        scope[node.target] = None

    def visit_FromImport(self, node: nodes.FromImport, scope: Scope, chain: Chain) -> None:
        self._refer(node, scope if node.with_context else {}, chain)
        names = (name[-1] if isinstance(name, tuple) else name for name in node.names)
        scope.update(dict.fromkeys(names))

    def visit_Include(self, node: nodes.Include, scope: Scope, chain: Chain) -> None:
        self._refer(node, scope, chain)

    visit_Extends = visit_Include

    def _refer(self, node: Any, scope: Scope, chain: Chain) -> None:
        """Follow an include, import or extends, if it names its templates."""
        try:
            named = node.template.as_const()
        except nodes.Impossible:
            return
        names = [named] if isinstance(named, str) else list(named)
        if any(map(self._file, names)) or not getattr(node, "ignore_missing", False):
            self._follow(names, node.lineno, scope, chain)

    def _follow(self, names: Sequence[str], line: int, scope: Scope, chain: Chain) -> None:
        """Read the first template that exists."""
        name = next(filter(self._file, names), None)
        if name is None:
            what = f"there is no template {' or '.join(names)}, which is included here"
            self._say("include", line, chain, what)
        elif name in chain:
            circle = " → ".join([*chain[chain.index(name) :], name])
            self._say("include", line, chain, f"a template includes itself: {circle}")
        else:
            self.read(name, scope, chain)


def _names(node: nodes.Node) -> Iterator[nodes.Name]:
    return node.find_all(nodes.Name)


def _bound(target: nodes.Node, kind: Any) -> Scope:
    """Return the names that an assignment binds; of several, no type is known."""
    if isinstance(target, nodes.Name):
        return {target.name: kind}
    return {name.name: None for name in _names(target)}


def _type(node: nodes.Node, scope: Scope) -> Any:
    """Return the type of an expression, None if it is not known."""
    if isinstance(node, nodes.Name):
        return scope.get(node.name)
    if isinstance(node, nodes.Getattr):
        owner = _type(node.node, scope)
        if isinstance(owner, type) and get_origin(owner) is None:
            return _without_none(get_type_hints(owner).get(node.attr))
    return None


def _without_none(hint: Any) -> Any:
    kinds = [kind for kind in get_args(hint) if kind is not type(None)]
    return kinds[0] if isinstance(hint, UnionType) and len(kinds) == 1 else hint


def _element(kind: Any) -> Any:
    """Return the type of the items of ``tuple[X, ...]``."""
    return get_args(kind)[0] if get_origin(kind) is tuple else None
