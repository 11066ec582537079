"""The HTML of a mail as a tree."""

from lxml.etree import ParserError
from lxml.html import HtmlElement, document_fromstring

_EMPTY = "<html></html>"


def page(html: str) -> HtmlElement:
    """The document, as a client sees it that takes no conditional comments; empty for nothing."""
    try:
        return document_fromstring(html)
    except ParserError:  # lxml's word for a document without any element
        return document_fromstring(_EMPTY)
