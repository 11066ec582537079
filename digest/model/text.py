"""Cleaning text from outside, so that it can be ranked, printed and emailed. Pure.

All text of sources passes through here once, so that no other code has to handle TeX, HTML, control
characters or direction marks. The result is one line of plain text in NFC, not escaped: templates
escape.
"""

import html
import logging
import re
import unicodedata
from functools import cache
from typing import Any

from pylatexenc import latexwalker
from pylatexenc.latex2text import (
    LatexNodes2Text,
    MacroTextSpec,
    get_default_latex_context_db,
)
from pylatexenc.macrospec import LatexContextDb, MacroSpec

from digest.model.wording import truncate

LONGEST_TITLE = 500
LONGEST_ABSTRACT = 20_000
LONGEST_NAME = 120
LONGEST_URL = 2_000

# Tags that sources use for markup. Others, such as <think>, are words of the text, and so is what
# has no attributes where a tag has them: "n<p in all groups of q>1".
_MARKUP = re.compile(
    r"</?(?:p|br|i|b|em|strong|sub|sup|a|span|div|ul|ol|li|h[1-6]|code|pre|tt|u|jats:\w+)"
    r"""(?:\s+[\w:-]+\s*=\s*(?:"[^"<>]*"|'[^'<>]*'|[^\s"'<>]+))*\s*/?>""",
    re.IGNORECASE,
)
_BREAKING = re.compile(r"</?(?:p|br|div|ul|ol|li|h[1-6]|pre|jats:p)\b", re.IGNORECASE)
_URL = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d+)?(?:[/?#][!-~]*)?", re.IGNORECASE)
_TEX = re.compile(r"\\[A-Za-z\"'`^~=.%&$_#{}()\[\]]|``|''|\$")
# Quotation marks and apostrophes that somebody escaped: TeX would put them over the next letter.
_ESCAPED_QUOTES = re.compile(
    r"""(?<![^\s(\[{-])\\(["'])(?=[^\s\\])([^\n]{1,300}?)(?<=\S)\\\1(?![A-Za-z{\\])"""
)
_ESCAPED_APOSTROPHE = re.compile(r"(?<=[A-Za-z])\\'(?=(?:s|t|d|m|re|ve|ll)\b)")
_NO_ACCENT = re.compile(r"""\\"(?![aeiouyAEIOUYhHtwWxX{\\])|\\'(?![a-zA-Z{\\])""")
# Braces that keep capitals in a bibliography: "{B}ayesian", "{BERT}".
_KEPT_CAPITALS = re.compile(r"(?<![^\s(\[-])\{([A-Z][A-Za-z0-9-]*)\}")
# An accent over more than a few letters and one group of them. pylatexenc puts it over each letter,
# so that accents within accents double the text each time: forty of them would never end.
_FEW = r"(?:[^{}\\$\[\]]|\\(?!verb|begin)[^{}$\[\]]){0,40}"
_WIDE_ACCENT = re.compile(
    r"\\(?:[\"'`^~=.]|(?:[ckHbdruv]|vec|d?dot|hat|check|breve|acute|grave|tilde|bar|not)(?![A-Za-z]))"
    rf"\s*(?=\{{)(?!\{{{_FEW}(?:\{{{_FEW}\}}{_FEW})?\}})"
)
# A pair of dollar signs is math where it holds something mathematical, else two prices.
_MATH = re.compile(r"(?<!\\)\$(?=[^$]*[\\^_={]|[A-Za-z(][^\s$]*\$)[^$]{1,200}(?<!\\)\$")
# Plain characters in an abstract that mean a comment, a column or a space in TeX.
_PLAIN = re.compile(r"(?<!\\)[%&#]|(?<![\w.\\])~")
_ESCAPED = {"%": r"\%", "&": r"\&", "#": r"\#", "~": r"\textasciitilde{}"}
# Common shorthands, and the text of a link. Removed are marks and sizes that plain characters lack,
# references, and the date of today.
_MACROS = {"eg": "e.g.", "ie": "i.e.", "href": "%(2)s"} | dict.fromkeys(
    "textsuperscript textsubscript left right color "
    "cite citep citet ref label maketitle today".split(),
    "",
)


def clean(text: object, longest: int) -> str:
    """Return plain text of at most ``longest`` characters; "" for what is no text, such as null."""
    if not isinstance(text, str):
        return ""
    # Cut before the costly steps, so that a hostile text cannot take long.
    bounded = text[: longest * 4]
    return truncate(_one_line(_without_tex(_without_html(_printable(bounded)))), longest)


def printable_line(text: str, longest: int) -> str:
    """Return words of a program, such as an error message, in a line that can be printed.

    Unlike those of a paper they are not read as HTML or TeX.
    """
    return truncate(_one_line(_printable(text[: longest * 4])), longest)


def clean_url(text: object) -> str:
    """Return a link with https in place of http; "" for anything that is not a web link."""
    if not isinstance(text, str) or len(text) > LONGEST_URL or not _URL.fullmatch(text.strip()):
        return ""
    return re.sub(r"^http:", "https:", text.strip(), flags=re.IGNORECASE)


def _printable(text: str) -> str:
    """Remove control, format, private-use and unassigned characters; line ends become spaces.

    Format characters (category Cf) include the direction marks that would reverse the rest of an
    email. Zero-width joiners are kept, because scripts and emoji need them.
    """
    text = text.replace("\n", " ")
    if text.isprintable():  # nearly always, and a hundred times as fast
        return text
    return "".join(
        character
        if character in "\u200c\u200d" or not unicodedata.category(character).startswith("C")
        else " "
        if character in "\t\r\v\f\x00\x85"
        else ""
        for character in text
    )


def _without_html(text: str) -> str:
    def replacement(tag: re.Match[str]) -> str:
        return " " if _BREAKING.match(tag[0]) else ""

    # Once, not until nothing changes: "&amp;lt;" means the four characters "&lt;".
    return _printable(html.unescape(_MARKUP.sub(replacement, text)))


def _without_tex(text: str) -> str:
    """Return TeX as plain characters: accents, quotes, simple math."""
    text = _KEPT_CAPITALS.sub(r"\1", text)
    if not _TEX.search(text):
        return text
    text = _WIDE_ACCENT.sub("", _ESCAPED_QUOTES.sub(r"\1\2\1", text))
    text = _NO_ACCENT.sub(lambda mark: mark[0][1:], _ESCAPED_APOSTROPHE.sub("'", text))
    pieces = []
    end = 0
    for math in _MATH.finditer(text):
        pieces += [_as_tex(text[end : math.start()]), math[0]]
        end = math.end()
    pieces.append(_as_tex(text[end:]))
    try:
        # TeX can name control and format characters too, a soft hyphen for one.
        read = _tex_reader().latex_to_text("".join(pieces), latex_context=_tex_grammar())
        return _printable(str(read))
    except Exception:  # noqa: BLE001  a macro without its arguments: the library raises what it likes
        return text


def _as_tex(prose: str) -> str:
    escaped = _PLAIN.sub(lambda found: _ESCAPED[found[0]], prose)
    return re.sub(r"(?<!\\)\$", r"\\$", escaped)


@cache
def _tex_grammar() -> LatexContextDb:
    r"""Return the arguments of each macro; pylatexenc 2.10 does not know those of ``\href``."""
    known = latexwalker.get_default_latex_context_db()
    known.add_context_category("paper-digest", macros=[MacroSpec("href", "{{")])
    return known


@cache
def _tex_reader() -> LatexNodes2Text:
    # It warns of each macro without arguments; a hostile text would fill the log.
    logging.getLogger("pylatexenc").setLevel(logging.CRITICAL)
    known = get_default_latex_context_db()
    known.add_context_category(
        "paper-digest",
        prepend=True,
        macros=[MacroTextSpec(name, text) for name, text in _MACROS.items()],
    )
    known.set_unknown_macro_spec(MacroTextSpec("", _unknown_macro))
    return LatexNodes2Text(known, math_mode="text", keep_comments=True)


def _unknown_macro(node: Any, l2tobj: LatexNodes2Text) -> str:
    r"""Return the text in the arguments (of ``\texttt``, say), else the name of the macro.

    That name is often the authors' own name for their work.
    """
    arguments = (
        [argument for argument in node.nodeargd.argnlist if argument] if node.nodeargd else []
    )
    if arguments:
        return str(l2tobj.nodelist_to_text(arguments))
    return str(node.macroname + node.macro_post_space)


def _one_line(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())
