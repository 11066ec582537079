"""Make the HTML template of an email: MJML with marks goes through MJML and premailer once.

Marks are written so that these carry them. What MJML or CSS must know itself, such as a class or a
width, cannot be a mark. Where a template chooses it from a few texts, the element is written with
each of them, in the branches of a condition. All else raises CannotBuildError.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice, product, zip_longest

from jinja2 import Environment, nodes
from markupsafe import escape

from digest.compose.html import BrokenMjml, inlined, responsive
from digest.compose.mjml_tags import VOID, first_fault
from digest.compose.source_map import Rendered
from digest.compose.stages import DO, DO_END, MARK, OPENING, CannotBuildError, Stages, Tag, put_back

MOST_TEXTS = 16  # that an element chooses from
_LONGEST = 500_000  # characters of an element with all that it may be

# Components whose content is text or HTML, and those in which tags may stand between components.
_HOLD_PLAIN_TEXT = frozenset({"mj-preview", "mj-title"})
_HOLD_TEXT = frozenset(
    "mj-accordion-text mj-accordion-title mj-button mj-navbar-link mj-raw mj-social-element "
    "mj-table mj-text".split()
)
_HOLD_COMPONENTS = frozenset("mj-body mj-column mj-group mj-hero mj-section mj-wrapper".split())
_SHARE_WIDTH = frozenset({"mj-section", "mj-group"})
_NUMBERED = frozenset({"mj-carousel", "mj-navbar"})  # by MJML, through a document
_OF_TEXT_ONLY = frozenset({"mj-style", "script", "style", "textarea", "title"})
# Attributes that MJML hands on as they are.
_HANDED_ON = frozenset(
    "alt background-color background-url color container-background-color dir font-family href "
    "icon-unwrapped-url icon-wrapped-url lang rel sizes src srcset target title".split()
)

_NOT_BUILT = re.compile("mj-include|j(?:tag|val)[0-9]+z")  # the second are our own marks
_WHOLE = re.compile(
    r"((?:\s|\ufdd8[0-9]+\ufdd9)*)(<mjml\b.*</mjml>)((?:\s|\ufdd8[0-9]+\ufdd9)*)", re.DOTALL
)
_PIECE = re.compile(
    r"<!--.*?-->"
    r"|<(?P<end>/?)(?P<name>[a-zA-Z][\w-]*)"
    r"(?P<attributes>(?:\"[^\"]*\"|'[^']*'|[^>\"'])*?)(?P<empty>/?)>"
    "|\ufdd8(?P<mark>[0-9]+)\ufdd9",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"([\w:-]+)\s*=\s*(\"[^\"]*\"|'[^']*')")
# Tags that print HTML, which styles cannot be inlined into any more.
_PRINTS_HTML = re.compile(r"<[a-zA-Z/!]|\| urlize\b")
# Rules with an @ are not inlined. Other selectors may go by place, or by what stands around.
_STYLE = re.compile(r"<(?:mj-)?style\b[^>]*>(.*?)</", re.DOTALL)
_AT_RULE = re.compile(r"@[^{};]*(?:;|\{(?:[^{}]*\{[^{}]*\})*[^{}]*\})")
_DECLARATIONS = re.compile(r"/\*.*?\*/|\{[^{}]*\}", re.DOTALL)
# What a client writes into a message that it shows on dark is there in no template.
_OF_CLIENT = re.compile(r"^\[data-ogs[bc]\]\s*")
_BY_PLACE = re.compile(r"[+~\[]|:(?!hover|link|visited|active|focus|:)")
_BY_CONTEXT = re.compile(r"[\s>]+([^\s>:]+)\S*$")

# Marks as they come out: those that must, and all with their wrapping.
_CARRIED = re.compile("jtag([0-9]+)z")
_WRAPPED = re.compile("<!--jtag([0-9]+)z-->|j(?:tag|val)([0-9]+)z")
_TITLE_AGAIN = re.compile(r" aria-label=\"[^\"]*\"(?= aria-roledescription=)")  # of the body
# MJML puts some comments inside of those for Outlook, where lxml would take them for the end.
_FOR_OUTLOOK = re.compile(r"<!--\[if[^\]]*\]>(?!<!-->).*?<!\[endif\]-->", re.DOTALL)
_COMMENTED = re.compile("<!--(jtag[0-9]+z)-->")


def build_html(rendered: Rendered, stages: Stages, environment: Environment) -> str:
    """Return the source of the HTML template that marked MJML makes.

    ``environment`` is that of built templates. Raises CannotBuildError.
    """
    if found := _NOT_BUILT.search(rendered.text):
        what = f"{found[0]} is not built: write {{% include %}}, or another word"
        raise CannotBuildError(what, rendered.place(found.start()))
    document = _Document(stages, environment)
    try:
        whole = _WHOLE.fullmatch(rendered.text)
        if whole is None:
            raise BrokenMjml("text outside of <mjml>", 0)
        mjml = document.prepared(whole[2])
        document.check_styles(rendered)
        html = inlined(
            _FOR_OUTLOOK.sub(lambda found: _COMMENTED.sub(r"\1", found[0]), responsive(mjml))
        )
    except BrokenMjml as error:
        fault = first_fault(rendered.text)
        place = rendered.place(fault.offset if fault else 0)
        raise CannotBuildError(f"{fault.what if fault else error}", place) from error
    _check_marks(mjml, html, stages)
    top, end = (MARK.sub(r"jtag\1z", text.strip()) for text in whole.group(1, 3))
    first = MARK.sub(r"jtag\1z", "".join(stages.first))
    return put_back(f"{first}{top}{html}{end}", stages, _WRAPPED)


def _check_marks(mjml: str, html: str, stages: Stages) -> None:
    """Refuse marks that have not come through. Raises CannotBuildError."""
    wanted, found = _CARRIED.findall(mjml), _CARRIED.findall(_TITLE_AGAIN.sub("", html))
    lost = [number for number in wanted if number not in set(found)]
    # A value may come out twice, or in another order than the attributes around it.
    statements = (
        [number for number in numbers if stages.marked[int(number)].word]
        for numbers in (wanted, found)
    )
    for before, after in zip_longest(*statements):
        if before != after:
            lost.append(before or after)
    if lost:
        tag = stages.marked[int(lost[0])]
        raise CannotBuildError(f"MJML or CSS does not carry {tag} here", tag.place)


@dataclass(frozen=True, slots=True)
class _Choice:
    """The attributes of an element: one of a few texts.

    ``source`` prints the text in the template; ``begins`` are the start tags, by what is printed,
    and ``begin`` is the number of the start tag in the parts of the document.
    """

    tag: Tag
    source: str
    begins: dict[str, str]
    begin: int


@dataclass(slots=True)
class _Element:
    """``begin`` is the number of its start tag in the parts of the document.

    It is written once for each text of its ``choices``. ``divided_by`` is a tag by which children
    come and go; ``shares``: one has no width.
    """

    name: str
    begin: int = 0
    choices: list[_Choice] = field(default_factory=list)
    divided_by: Tag | None = None
    shares: bool = False


class _Document:
    """Reads MJML with marks, and writes it for MJML and premailer."""

    def __init__(self, stages: Stages, environment: Environment) -> None:
        self._stages = stages
        self._environment = environment
        self._parts: list[str] = []
        self._elements: list[_Element] = []
        self._blocks: list[Tag] = []  # statements that are open
        self._moved: set[str] = set()  # words of tags that are printed elsewhere

    def prepared(self, mjml: str) -> str:
        """Return a document as MJML and premailer carry it. Raises CannotBuildError."""
        last = 0
        for piece in _PIECE.finditer(mjml):
            self._parts.append(mjml[last : piece.start()])
            last = piece.end()
            if piece["mark"]:
                self._parts.append(self._wrapped(int(piece["mark"])))
            elif piece["name"] and piece["end"]:
                self._close(piece["name"], piece[0])
            elif piece["name"]:
                self._open(piece["name"], piece["attributes"], piece["empty"])
            else:
                self._parts.append(MARK.sub(r"jtag\1z", piece[0]))
        return "".join([*self._parts, mjml[last:]])

    def check_styles(self, rendered: Rendered) -> None:
        """Refuse selectors that go by what an email's own order of things would change."""
        for style in _STYLE.finditer(rendered.text):
            for written in _DECLARATIONS.sub(" , ", _AT_RULE.sub("", style[1])).split(","):
                selector = _OF_CLIENT.sub("", written.strip())
                by_context = _BY_CONTEXT.search(selector)
                last = set(re.findall(r"[\w-]+", by_context[1])) if by_context else {""}
                if last <= self._moved or _BY_PLACE.search(selector):
                    what = "a selector by place, or by what is around a macro: use a class"
                    raise CannotBuildError(what, rendered.place(style.start(1)))

    # ---- marks in texts --------------------------------------------------------------------------

    def _wrapped(self, number: int) -> str:
        """Return a mark as it can stand where it stands."""
        tag, holder = self._stages.marked[number], self._holder()
        mark = f"jtag{number}z"
        if _PRINTS_HTML.search(tag.source):
            raise CannotBuildError(f"{tag} prints HTML: write it in the text", tag.place)
        if any(element.name in _OF_TEXT_ONLY for element in self._elements):
            raise CannotBuildError(f"{tag} in a style: choose a class instead", tag.place)
        if holder in _HOLD_PLAIN_TEXT or (not tag.word and holder in _HOLD_TEXT):
            return mark
        if not tag.word:
            what = f"{tag} between components: print values in <mj-text>"
            raise CannotBuildError(what, tag.place)
        if holder not in _HOLD_TEXT | _HOLD_COMPONENTS:
            what = f"{tag} in <{holder}>: put a whole <{holder}> into each branch"
            raise CannotBuildError(what, tag.place)
        if tag.word in OPENING:
            self._blocks.append(tag)
        elif tag.word.startswith("end") and self._blocks:
            self._blocks.pop()
        if tag.word in {"if", "for"}:
            self._elements[-1].divided_by = tag
        return f"<!--{mark}-->"

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
            if tag.word in {"capture", "macro"}:
                self._moved.update([name, *re.findall(r"[\w-]+", attributes)])
        element = _Element(name, len(self._parts))
        owner = element
        if name in {"mj-column", "mj-group"} and not re.search(r"\swidth\s*=", attributes):
            parent.shares = True
            if "jtag" not in "".join(self._parts[parent.begin + 1 :]):
                owner = parent  # so that there is one column in each branch
        tags = self._stages.marked
        has_words = any(tags[int(number)].word for number in MARK.findall(attributes))
        # An attribute that MJML does not use may be lost: it would be in any email.
        kind = "jval" if name.startswith("mj") and not has_words else "jtag"
        known = self._known_marks(name, attributes)
        source = MARK.sub(
            lambda mark: tags[int(mark[1])].source if mark[1] in known else f"{kind}{mark[1]}z",
            attributes,
        )
        texts = [source]
        if known:
            tag = tags[int(min(known, key=int))]
            texts = self._all_texts(source, tag, name)
            begins = {_comparable(text): f"<{name}{text}{empty}>" for text in texts}
            owner.choices.append(_Choice(tag, _comparable(source), begins, element.begin))
        self._parts.append(f"<{name}{texts[0]}{empty}>")
        self._elements.append(element)
        if empty or name in VOID:
            self._close(name, "")

    def _close(self, name: str, end: str) -> None:
        self._parts.append(end)
        while self._elements:
            element = self._elements.pop()
            if element.name in _SHARE_WIDTH and element.divided_by and element.shares:
                what = "a column that is not always there: give each column"
                place = element.divided_by.place
                raise CannotBuildError(f"{what} of <{element.name}> a width", place)
            if element.name == name:
                self._parts[element.begin :] = self._branches(element, element.choices)
                return

    def _branches(self, element: _Element, choices: Sequence[_Choice]) -> list[str]:
        """Return an element with each text that its attributes may be."""
        parts = self._parts[element.begin :]
        if not choices:
            return parts
        choice, *others = choices
        if sum(map(len, parts)) * len(choice.begins) > _LONGEST:
            what = f"more choices around {choice.tag} than can be tried"
            raise CannotBuildError(what, choice.tag.place)
        name = f"chosen_{len(self._stages.marked)}"
        branches = [self._statement(f"set {name}", choice, f"{choice.source}{DO}endset{DO_END}")]
        for value, begin in choice.begins.items():
            self._parts[choice.begin] = begin
            word = "elif" if len(branches) > 1 else "if"
            branches.append(self._statement(f"{word} {name} == {value!r}", choice))
            branches += self._branches(element, others)
        return [*branches, self._statement("endif", choice)]

    def _statement(self, code: str, choice: _Choice, more: str = "") -> str:
        """Return the wrapped mark of a new tag that a choice needs."""
        source, word = f"{DO}{code}{DO_END}{more}", code.split(maxsplit=1)[0]
        mark = self._stages.mark(source, word, choice.tag.place)
        return self._wrapped(int(MARK.findall(mark)[0]))

    # ---- what MJML and CSS must know -------------------------------------------------------------

    def _known_marks(self, name: str, attributes: str) -> set[str]:
        """Return the marks that attributes of an element cannot have, but for others."""
        known = set(MARK.findall(_ATTRIBUTE.sub("", attributes)))
        for attribute, value in _ATTRIBUTE.findall(attributes):
            marks = MARK.findall(value)
            words = any(self._stages.marked[int(number)].word for number in marks)
            names = {"class", "id"}
            is_known = attribute not in _HANDED_ON if name.startswith("mj") else attribute in names
            if is_known or (attribute == "style" and words):
                known.update(marks)
        return known

    def _all_texts(self, source: str, tag: Tag, name: str) -> list[str]:
        """Return all texts that attributes can be. Raises CannotBuildError."""
        if self._holder() not in _HOLD_TEXT | _HOLD_COMPONENTS:
            what = f"{tag} in <{name}>: only in the content of the body texts can be chosen"
            raise CannotBuildError(what, tag.place)
        try:
            return list(dict.fromkeys(_joined(self._environment.parse(source).body)))
        except _Unlimited:
            what = f"{tag} in <{name}>: MJML and CSS must know all texts that it can print"
            advice = f"write them out: {{{{ 'this' if … else 'that' }}}}, at most {MOST_TEXTS}"
            raise CannotBuildError(f"{what}; {advice}", tag.place) from None


class _Unlimited(Exception):  # noqa: N818  no error: a text can be anything
    pass


def _joined(parts: Iterable[nodes.Node]) -> list[str]:
    """Return all texts that parts of a template can print one after the other."""
    texts = ["".join(texts) for texts in islice(product(*map(_texts, parts)), MOST_TEXTS + 1)]
    if len(texts) > MOST_TEXTS:
        raise _Unlimited
    return texts


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
    """Write a text of a choice without its marks, for comparing it while an email is filled."""
    return re.sub("j(?:tag|val)([0-9]+)z", r"#\1#", text)
