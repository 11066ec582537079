"""Turn MJML into the HTML of an email: responsive tables by MJML, CSS inlined by premailer."""

import logging
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from cssutils import CSSParser  # type: ignore[import-untyped]  # comes with premailer
from mjml import mjml2html
from premailer import Premailer

from digest.compose.mjml_tags import first_fault, told_fault

# A line of MJML's is a whole document long. It is cut into lines that people and programs can
# handle one by one: before an attribute, where a blank is as good as a line end, and after a table
# for Outlook, where a blank does not show.
_ATTRIBUTES = re.compile(r' ((?:border|class|href|src|style)=")')
_STYLE = re.compile(r"<style\b.*?</style>", re.DOTALL)
_BEYOND_ASCII = re.compile("[^\x00-\x7f]")
# What MJML's own style sheet says of cells is of use in its tables only, and what it says of
# paragraphs goes without saying: inlined into each, they are a tenth of an email.
_OF_MJML = (
    ("\ntable, td { border-collapse", "\ntable { border-collapse"),
    ("\np { display: block;", "\np {"),
)
# mrml writes attributes as Rust writes a string for programmers.
_ESCAPED = re.compile(r'="[^"\\]*\\[^"]*"')
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-f]+)\}|(.))")
_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "0": ""}
_END_FOR_OUTLOOK = "</table><![endif]-->"


class _Offline(Premailer):  # type: ignore[misc]  # it has no types
    """premailer, which fetches what a style sheet imports even with allow_network=False."""

    def _parse_css_string(self, css_body: str, validate: bool = True) -> Any:
        return _parsed_css(css_body, validate)


@lru_cache(maxsize=100)
def _parsed_css(css: str, validate: bool) -> Any:
    return CSSParser(fetcher=lambda _url: ("utf-8", b"")).parseString(css, validate=validate)


def _nothing(path: str) -> str:
    raise LookupError(path)


class BrokenMjml(Exception):  # noqa: N818  the name says it without "Error"
    """A text is no MJML. ``offset`` is the character to show, None if nobody knows it."""

    def __init__(self, what: str, offset: int | None) -> None:
        super().__init__(what)
        self.offset = offset


def to_html(mjml: str, include: Callable[[str], str] = _nothing) -> str:
    """Make finished HTML of an MJML document; ``include`` gives what an mj-include names.

    Raises BrokenMjml, and whatever ``include`` raises.
    """
    return inlined(responsive(mjml, include))


def inlined(html: str) -> str:
    """Write the styles of a document into its elements, and its lines short enough for mail."""
    for theirs, ours in _OF_MJML:
        html = html.replace(theirs, ours, 1)
    styled: str = _Offline(
        html,
        # Nothing is fetched while an email is made, whatever a template names.
        allow_network=False,
        # Media queries (columns on a phone, the dark colours) must outlive the inlining.
        keep_style_tags=True,
        strip_important=False,
        disable_validation=True,
        cssutils_logging_level=logging.CRITICAL,
        # MJML sets these attributes itself; premailer would rewrite image widths.
        disable_basic_attributes=["width", "height", "bgcolor", "align", "valign"],
        # Its line ends would depend on what stands beside what.
    ).transform(pretty_print=False)
    # premailer drops MJML's lower-case doctype, and without one mail clients turn to quirks mode.
    if not styled.lower().startswith("<!doctype"):
        styled = f"<!doctype html>\n{styled}"
    styled = _STYLE.sub(_in_ascii, styled)
    return _ATTRIBUTES.sub(r"\n\1", styled).replace(_END_FOR_OUTLOOK, f"{_END_FOR_OUTLOOK}\n")


def _letter(escape: re.Match[str]) -> str:
    return chr(int(escape[1], 16)) if escape[1] else _ESCAPES.get(escape[2], escape[2])


def _in_ascii(style: re.Match[str]) -> str:
    """Write a style without letters beyond ASCII, so that messages can have references to these.

    No line of it begins with a dot either: SMTP would have to double it in each message.
    """
    in_ascii = _BEYOND_ASCII.sub(lambda letter: f"\\{ord(letter[0]):x} ", style[0])
    return in_ascii.replace("\n.", "\n .")


def responsive(mjml: str, include: Callable[[str], str] = _nothing) -> str:
    """Make tables of an MJML document, and styles for narrow windows. Raises as ``to_html``."""
    # mrml says nothing of some faults, and repairs tags that cross in its own way.
    if fault := first_fault(mjml):
        raise BrokenMjml(fault.what, fault.offset)
    failures = []

    def load(path: str) -> str:
        try:
            return include(path)
        except Exception as error:
            failures.append(error)  # mrml would keep it to itself
            raise

    try:
        html = str(mjml2html(mjml, disable_comments=False, fonts={}, include_loader=load))
        return _ESCAPED.sub(lambda value: _ESCAPE.sub(_letter, value[0]), html)
    except (ValueError, OSError) as error:  # mrml's parser raises both
        if failures:
            raise failures[0] from error
        if told := told_fault(mjml, str(error)):
            raise BrokenMjml(told.what, told.offset) from error
        raise BrokenMjml(f"not valid MJML: {error}", None) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # of Rust: mrml has its faults as well
            raise
        raise BrokenMjml(f"MJML cannot be made of it: {error}", None) from error
