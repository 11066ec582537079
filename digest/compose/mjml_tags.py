"""Find the tags of MJML text, and the faults that mrml (mjml-python 1.4) stops at. Pure.

mrml only says "unable to parse next template" of most faults, without a place. What is a fault here
was found by trying it: mrml reads nearly XML, but takes attributes without a value, HTML's elements
without content unclosed (``<br>``) and bare ``&``. It takes no bare ``<``, no CDATA, declarations
or ``--`` in a comment, and breaks down at some ``>``. Conditional comments are no comments to it:
the tags inside of them must match.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

# HTML, 13.1.2 "Elements": those without content. mrml knows them in small letters only.
VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())

_WORD = r"[^\W\d][\w.\-]*"
_NAME = rf"(?::|{_WORD}:)?{_WORD}"
_BLANK = r"[ \t\r\n]"
_CLOSE = re.compile(rf"</({_NAME}){_BLANK}*>")
_OPEN = re.compile(rf"<({_NAME})")
_OPEN_END = re.compile(rf"{_BLANK}*(/?)>")
_ATTRIBUTE = re.compile(
    rf"{_BLANK}+(?P<name>{_NAME})(?:{_BLANK}*={_BLANK}*(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'))?"
)
_CONDITION = re.compile(r"<!--\[if[^\]]*\]>(?:<!-->)?|<!\[if[^\]]*\]>|<!\[endif\](?:--)?>")
# XML 1.0, section 2.2, and halves of surrogate pairs, which no UTF-8 can say.
_NO_CHARACTER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# mrml counts octets.
_TOLD = re.compile(r"(?P<what>.*?) in root template at position (?P<begin>\d+):(?P<end>\d+)")


class Kind(Enum):
    """``EMPTY`` is closed at once, or has no content by HTML's rules."""

    OPEN = "open"
    CLOSE = "close"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Attribute:
    """``value`` is as written, its entities not decoded; empty if there is none."""

    name: str
    value: str
    offset: int


@dataclass(frozen=True, slots=True)
class Tag:
    """Offsets are in characters, from the beginning of the text."""

    name: str
    offset: int
    attributes: tuple[Attribute, ...]
    kind: Kind

    def __str__(self) -> str:
        return f"</{self.name}>" if self.kind is Kind.CLOSE else f"<{self.name}>"


@dataclass(frozen=True, slots=True)
class Fault:
    """The reason why a text is not MJML, and the character to show."""

    offset: int
    what: str


@dataclass(frozen=True, slots=True)
class _Text:
    content: str
    offset: int


def tags(mjml: str) -> Iterator[Tag]:
    """Yield the tags in order, those of conditional comments too; skip what cannot be read."""
    return (piece for piece in _pieces(mjml) if isinstance(piece, Tag))


def first_fault(mjml: str) -> Fault | None:
    """Find what mrml rejects without saying where, or repairs wrongly (crossed tags)."""
    found = [fault for fault in (_first_bad_character(mjml), _first_bad_tag(mjml)) if fault]
    return min(found, key=lambda fault: fault.offset, default=None)


def told_fault(mjml: str, said: str) -> Fault | None:
    """Return the fault that mrml ``said`` a text has, if it told the place."""
    told = _TOLD.match(said)
    if told is None:
        return None
    octets, begin = mjml.encode(), int(told["begin"])
    found = octets[begin : int(told["end"])].decode(errors="ignore")
    offset = len(octets[:begin].decode(errors="ignore"))
    return Fault(offset, f"{told['what']}: {found.strip()}")


def _first_bad_character(mjml: str) -> Fault | None:
    found = _NO_CHARACTER.search(mjml)
    return found and Fault(found.start(), f"the control character U+{ord(found[0]):04X}")


def _first_bad_tag(mjml: str) -> Fault | None:
    open_tags: list[Tag] = []
    has_root = False
    for piece in _pieces(mjml):
        if isinstance(piece, Fault):
            return piece
        if not open_tags and (fault := _outside(piece, has_root=has_root)):
            return fault
        if isinstance(piece, _Text):
            continue
        has_root = True
        if piece.kind is Kind.OPEN:
            open_tags.append(piece)
        elif piece.kind is Kind.CLOSE:
            if fault := _mismatch(open_tags, piece):
                return fault
            open_tags.pop()
    if open_tags:
        return _unclosed(open_tags[-1], "the end")
    return None if has_root else Fault(0, "there is no <mjml>")


def _outside(piece: Tag | _Text, *, has_root: bool) -> Fault | None:
    """Tell what is wrong with something outside of all tags: only the root may be there."""
    if isinstance(piece, _Text):
        # Python strips more than XML's blanks, and mrml passes over a byte order mark.
        content = piece.content.removeprefix("\ufeff") if piece.offset == 0 else piece.content
        return Fault(piece.offset, "text outside of <mjml>") if content.strip() else None
    if piece.name == "mjml" and piece.kind is not Kind.CLOSE and not has_root:
        return None
    return Fault(piece.offset, f"{piece} outside of <mjml>")


def _mismatch(open_tags: list[Tag], close: Tag) -> Fault | None:
    # As in HTML, and in mrml, letters may be large or small.
    names = [tag.name.lower() for tag in open_tags]
    if names[-1] == close.name.lower():
        return None
    if close.name.lower() in names:
        return _unclosed(open_tags[-1], str(close))
    return Fault(close.offset, f"{close} closes nothing: {open_tags[-1]} is open")


def _unclosed(tag: Tag, before: str) -> Fault:
    advice = f" (write <{tag.name.lower()}>)" if tag.name.lower() in VOID else ""
    return Fault(tag.offset, f"{tag} is not closed before {before}{advice}")


def _pieces(mjml: str) -> Iterator[Tag | _Text | Fault]:
    """Yield everything but comments, in order."""
    position = 0
    while position < len(mjml):
        begin = mjml.find("<", position)
        begin = len(mjml) if begin < 0 else begin
        if begin > position:
            text = _Text(mjml[position:begin], position)
            yield _bad_text(text) or text
        if begin == len(mjml):
            return
        piece, position = _markup(mjml, begin)
        if piece:
            yield piece


def _bad_text(text: _Text) -> Fault | None:
    # mrml (its htmlparser 0.2.1) looks at the first > only. It rejects a ]] before it, and panics
    # where two octets before it is a character's middle; that is a BaseException in Python.
    before, bracket, _after = text.content.partition(">")
    if bracket and before.endswith("]]"):
        return Fault(text.offset + len(before) - 2, "]]> in a text (write ]]&gt;)")
    octets = before.encode(errors="replace")
    if bracket and len(octets) > 1 and octets[-2] & 0xC0 == 0x80:
        return Fault(text.offset + len(before), f"> right after {before[-2:]!r} (write &gt;)")
    return None


def _markup(mjml: str, begin: int) -> tuple[Tag | Fault | None, int]:
    """Read what the ``<`` at ``begin`` begins, and where to go on."""
    if condition := _CONDITION.match(mjml, begin):
        return None, condition.end()
    if mjml.startswith("<!--", begin):
        return _comment(mjml, begin)
    if close := _CLOSE.match(mjml, begin):
        return Tag(close[1], begin, (), Kind.CLOSE), close.end()
    if opening := _OPEN.match(mjml, begin):
        return _opening(mjml, opening)
    return _stray(mjml, begin)


def _stray(mjml: str, begin: int) -> tuple[Fault, int]:
    if mjml.startswith("<![CDATA[", begin):
        end = mjml.find("]]>", begin)
        return Fault(begin, "MJML has no CDATA"), end + 3 if end > 0 else begin + 9
    if mjml.startswith(("<!", "<?"), begin):
        return Fault(begin, f"{mjml[begin : begin + 10]!r} begins nothing of MJML"), begin + 2
    if mjml.startswith("</", begin):
        return Fault(begin, "a closing tag that is not finished"), begin + 2
    return Fault(begin, "a bare < (write &lt;)"), begin + 1


def _comment(mjml: str, begin: int) -> tuple[Fault | None, int]:
    end = mjml.find("-->", begin + 4)
    if end < 0:
        return Fault(begin, "a comment that is not closed with -->"), begin + 4
    dashes = mjml.find("--", begin + 4)
    # XML 1.0, section 2.5: not even the dashes of the end may have another before them.
    if dashes < end:
        return Fault(dashes, "-- inside of a comment"), end + 3
    return None, end + 3


def _opening(mjml: str, opening: re.Match[str]) -> tuple[Tag | Fault, int]:
    attributes = []
    position = opening.end()
    while found := _ATTRIBUTE.match(mjml, position):
        value = found["double"] or found["single"] or ""
        attributes.append(Attribute(found["name"], value, found.start("name")))
        position = found.end()
    end = _OPEN_END.match(mjml, position)
    if end is None:
        return _bad_attribute(mjml, position, opening, attributes), position
    name = opening[1]
    kind = Kind.EMPTY if end[1] or name in VOID else Kind.OPEN
    return Tag(name, opening.start(), tuple(attributes), kind), end.end()


def _bad_attribute(
    mjml: str, position: int, opening: re.Match[str], attributes: list[Attribute]
) -> Fault:
    """Tell why neither an attribute nor the tag's end stands at ``position``."""
    tag = f"<{opening[1]}>"
    rest = mjml[position : position + 200].lstrip()
    if not rest or rest.startswith("<") or not attributes:
        return Fault(opening.start(), f"{tag} is not finished with >")
    last = attributes[-1]
    if rest.startswith("="):
        if rest[1:].lstrip().startswith(("'", '"')):
            return Fault(last.offset, f"the quotes of {last.name} in {tag} are not closed")
        return Fault(last.offset, f"the value of {last.name} in {tag} has no quotes")
    # A blank that is missing, or the quotes of one value that end with another's.
    return Fault(last.offset, f"something is wrong in {tag} after the value of {last.name}")
