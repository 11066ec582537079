"""MJML with marks, prepared for MJML and premailer: marks are written so that these carry them.

What MJML or CSS must know itself, such as a class or a width, cannot be a mark. Where a template
chooses it from a few texts, it becomes a `Choice`. All else raises CannotBuildError.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from jinja2 import Environment, meta, nodes
from markupsafe import escape

from digest.compose.mjml_tags import VOID
from digest.compose.source_map import Place
from digest.compose.stages import DO, DO_END, MARK, CannotBuildError, Stages, Tag

# Components whose content is text or HTML, and those in which tags may stand between components.
_HOLD_TEXT = frozenset(
    "mj-accordion-text mj-accordion-title mj-button mj-navbar-link mj-preview mj-raw "
    "mj-social-element mj-table mj-text mj-title".split()
)
_HOLD_COMPONENTS = frozenset("mj-body mj-column mj-group mj-hero mj-section mj-wrapper".split())
_SHARE_WIDTH = frozenset({"mj-section", "mj-group"})
_NUMBERED = frozenset({"mj-carousel", "mj-navbar"})  # by MJML, through a document
_OF_TEXT_ONLY = frozenset({"script", "style", "textarea", "title"})  # elements of HTML
# Attributes that MJML hands on as they are.
_HANDED_ON = frozenset(
    "alt background-color background-url color container-background-color dir font-family href "
    "icon-unwrapped-url icon-wrapped-url lang rel sizes src srcset target title".split()
)
_OPENING = frozenset("autoescape capture filter for if macro with".split())

_PIECE = re.compile(
    r"<!--.*?-->"
    r"|(?P<style><mj-style\b[^>]*>)(?P<css>.*?)(?=</mj-style>)"
    r"|<(?P<end>/?)(?P<name>[a-zA-Z][\w-]*)"
    r"(?P<attributes>(?:\"[^\"]*\"|'[^']*'|[^>\"'])*?)(?P<empty>/?)>"
    "|\ufdd8(?P<mark>[0-9]+)\ufdd9",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"([\w:-]+)\s*=\s*(\"[^\"]*\"|'[^']*')")
# Tags that print HTML, which styles cannot be inlined into any more.
_PRINTS_HTML = re.compile(r"<[a-zA-Z/!]|\| urlize\b")
# Rules with an @ are not inlined. Other selectors may go by place, or by what stands around.
_AT_RULE = re.compile(r"@[^{};]*(?:;|\{(?:[^{}]*\{[^{}]*\})*[^{}]*\})")
_DECLARATIONS = re.compile(r"/\*.*?\*/|\{[^{}]*\}", re.DOTALL)
_BY_PLACE = re.compile(r"[+~\[]|:(?!hover|link|visited|active|focus|:)")
_BY_CONTEXT = re.compile(r"[\s>]+([^\s>:]+)\S*$")


@dataclass(frozen=True, slots=True)
class Choice:
    """A part of MJML that is one of ``texts``; in a template, ``name`` has the one of a mail."""

    name: str
    texts: tuple[str, ...]
    place: Place

    def test(self, number: int) -> str:
        """Return the expression that asks whether a mail has that text."""
        return f"{self.name} == {_comparable(self.texts[number])!r}"


@dataclass(slots=True)
class _Element:
    """``divided_by`` is a tag by which children come and go; ``shares``: one has no width."""

    name: str
    divided_by: Tag | None = None
    shares: bool = False


def carried(number: str) -> str:
    """Return a mark as MJML and premailer carry it."""
    return f"jtag{number}z"


class MarkedMjml:
    """Reads MJML with marks.

    ``environment`` is that of built templates. ``parts`` are the MJML prepared, ``css`` are its
    styles, and ``first`` are tags that must come before it all.
    """

    def __init__(self, stages: Stages, environment: Environment) -> None:
        self.parts: list[str | Choice] = []
        self.first: list[str] = []
        self.css: list[str] = []
        self._stages = stages
        self._environment = environment
        self._elements: list[_Element] = []
        self._blocks: list[Tag] = []  # statements that are open
        self._moved: set[str] = set()  # words of tags that are printed elsewhere, by macros

    def read(self, mjml: str) -> None:
        """Prepare a document. Raises CannotBuildError."""
        last = 0
        for piece in _PIECE.finditer(mjml):
            self.parts.append(mjml[last : piece.start()])
            last = piece.end()
            if piece["mark"]:
                self.parts.append(self._wrapped(int(piece["mark"])))
            elif piece["style"]:
                self._style(piece["style"], piece["css"])
            elif piece["name"] and piece["end"]:
                self.parts.append(piece[0])
                self._close(piece["name"])
            elif piece["name"]:
                self._open(piece["name"], piece["attributes"], piece["empty"])
            else:
                self.parts.append(MARK.sub(r"jtag\1z", piece[0]))
        self.parts.append(mjml[last:])

    def moving_styles(self) -> Iterator[str]:
        """Yield the styles whose selectors a mail's own order of things would change."""
        for css in self.css:
            for selector in _DECLARATIONS.sub(" , ", _AT_RULE.sub("", css)).split(","):
                by_context = _BY_CONTEXT.search(selector.strip())
                last = set(re.findall(r"[\w-]+", by_context[1])) if by_context else {""}
                if last <= self._moved or _BY_PLACE.search(selector):
                    yield css

    # ---- marks in texts --------------------------------------------------------------------------

    def _wrapped(self, number: int) -> str:
        """Return a mark as it can stand where it stands."""
        tag, holder = self._stages.marked[number], self._holder()
        mark = carried(str(number))
        if _PRINTS_HTML.search(tag.source):
            raise CannotBuildError(f"{tag} prints HTML: write it in the text", tag.place)
        if any(element.name in _OF_TEXT_ONLY for element in self._elements):
            raise CannotBuildError(f"{tag} in a style: write it in an attribute", tag.place)
        if not tag.word:
            if holder in _HOLD_TEXT:
                return mark
            what = f"{tag} between components: print values in <mj-text>"
            raise CannotBuildError(what, tag.place)
        self._count(tag)
        if holder in {"mj-title", "mj-preview"}:
            return mark
        if holder in _HOLD_TEXT | _HOLD_COMPONENTS:
            return f"<!--{mark}-->"
        what = f"{tag} in <{holder}>: put a whole <{holder}> into each branch"
        raise CannotBuildError(what, tag.place)

    def _count(self, tag: Tag) -> None:
        if tag.word in _OPENING:
            self._blocks.append(tag)
        elif tag.word.startswith("end") and self._blocks:
            self._blocks.pop()
        if tag.word in {"if", "elif", "else", "for"} and self._elements:
            self._elements[-1].divided_by = tag

    def _holder(self) -> str:
        names = (element.name for element in reversed(self._elements))
        return next((name for name in names if name.startswith("mj")), "")

    # ---- elements --------------------------------------------------------------------------------

    def _open(self, name: str, attributes: str, empty: str) -> None:
        parent = self._elements[-1] if self._elements else _Element("")
        for tag in self._blocks:
            if tag.word == "for" and name in _NUMBERED:
                raise CannotBuildError(f"<{name}> in a loop: MJML numbers them", tag.place)
            if tag.word == "filter":
                raise CannotBuildError(f"{tag} with HTML in it: put it around texts", tag.place)
            if tag.word in {"macro", "capture"}:
                self._moved.update([name, *re.findall(r"[\w-]+", attributes)])
        if name in {"mj-column", "mj-group"} and not re.search(r"\swidth\s*=", attributes):
            parent.shares = True
        if MARK.search(attributes):
            self._attributes(name, attributes, empty)
        else:
            self.parts.append(f"<{name}{attributes}{empty}>")
        if not empty and name not in VOID:
            self._elements.append(_Element(name))

    def _close(self, name: str) -> None:
        while self._elements:
            element = self._elements.pop()
            if element.name in _SHARE_WIDTH and element.divided_by and element.shares:
                what = f"a column that is not always there: give each column of <{name}> a width"
                raise CannotBuildError(what, element.divided_by.place)
            if element.name == name:
                return

    def _attributes(self, name: str, attributes: str, empty: str) -> None:
        """Leave marks in attributes that are only handed on; make a choice of what is not."""
        tags = self._stages.marked
        known = set(MARK.findall(_ATTRIBUTE.sub("", attributes)))
        for attribute, value in _ATTRIBUTE.findall(attributes):
            marks = MARK.findall(value)
            is_of_mjml = name.startswith("mj")
            is_known = attribute not in _HANDED_ON if is_of_mjml else attribute in {"class", "id"}
            if is_known or (attribute == "style" and _words(value, tags)):
                known.update(marks)
        if not known:
            # An attribute that MJML does not use may be lost: it would be in any email.
            kind = "jval" if name.startswith("mj") and not _words(attributes, tags) else "jtag"
            self.parts.append(MARK.sub(rf"{kind}\1z", f"<{name}{attributes}{empty}>"))
            return
        choice, setting = self._choice(attributes, known, f"in <{name}>")
        holder = self._holder()
        if holder in _HOLD_TEXT | _HOLD_COMPONENTS and holder not in {"mj-title", "mj-preview"}:
            self.parts.append(self._wrapped(int(MARK.findall(setting)[0])))
        else:
            self._set_first(setting, choice)
        self.parts += [f"<{name}", choice, f"{empty}>"]

    def _style(self, begin: str, css: str) -> None:
        self.parts.append(begin)
        self._elements.append(_Element("mj-style"))
        if MARK.search(css):
            choice, setting = self._choice(css, set(MARK.findall(css)), "in a style")
            self._set_first(setting, choice)
            self.parts.append(choice)
            self.css += choice.texts
        else:
            self.parts.append(css)
            self.css.append(css)

    # ---- choices ---------------------------------------------------------------------------------

    def _choice(self, text: str, known: set[str], where: str) -> tuple[Choice, str]:
        """Make a choice of a text in which some marks must be known, and the mark that sets it."""
        tags = self._stages.marked
        tag = tags[int(min(known, key=int))]

        def written(mark: re.Match[str]) -> str:
            return tags[int(mark[1])].source if mark[1] in known else f"jopt{mark[1]}z"

        source = MARK.sub(written, text)
        try:
            texts = tuple(dict.fromkeys(_joined(self._environment.parse(source).body)))
        except _Unlimited:
            what = f"{tag} {where}: MJML and CSS must know all texts that it can print"
            advice = "write them out: {{ 'this' if … else 'that' }}"
            raise CannotBuildError(f"{what}; {advice}", tag.place) from None
        name = f"chosen_{len(tags)}"
        setting = f"{DO}set {name}{DO_END}{_comparable(source)}{DO}endset{DO_END}"
        return Choice(name, texts, tag.place), self._stages.mark(setting, "set", tag.place)

    def _set_first(self, setting: str, choice: Choice) -> None:
        """Let a choice be made before everything: it must not need what a loop, say, knows."""
        tag = self._stages.marked[int(MARK.findall(setting)[0])]
        needed = meta.find_undeclared_variables(self._environment.parse(tag.source))
        if needed - set(self._environment.globals) - {"mail"}:
            raise CannotBuildError(f"{tag}: only what is of mail is known there", choice.place)
        self.first.append(setting)


def _words(text: str, tags: Sequence[Tag]) -> str:
    """Return the words of the statements in a text."""
    return "".join(tags[int(number)].word for number in MARK.findall(text))


class _Unlimited(Exception):  # noqa: N818  no error: a text can be anything
    pass


def _joined(parts: Iterable[nodes.Node]) -> list[str]:
    """Return all texts that parts of a template can print one after the other."""
    return ["".join(texts) for texts in product(*map(_texts, parts))]


def _texts(node: nodes.Node) -> Sequence[str]:
    """Return all texts that a part of a template can print. Raises _Unlimited."""
    match node:
        case nodes.Output() | nodes.Concat():
            return _joined(node.nodes)
        case nodes.TemplateData():
            return [node.data]
        case nodes.Const():
            return [str(escape(node.value))]
        case nodes.CondExpr():
            return [*_texts(node.expr1), *(_texts(node.expr2) if node.expr2 else ())]
        case nodes.If():
            others = [text for elif_ in node.elif_ for text in _joined(elif_.body)]
            return [*_joined(node.body), *others, *_joined(node.else_)]
        case nodes.Call(node=nodes.Getattr(node=nodes.Name(name="loop"), attr="cycle")):
            return [text for argument in node.args for text in _texts(argument)]
    raise _Unlimited


def _comparable(text: str) -> str:
    """Write a text of a choice without its marks, for comparing it while a mail is filled."""
    return re.sub("jopt([0-9]+)z", r"#\1#", text)
