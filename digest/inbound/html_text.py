"""HTML to text, roughly: only the words and the lines matter. Pure, in linear time."""

import html
import re

# No pattern here looks past the next tag, so that none is tried twice on the same text.
_UNREAD = re.compile(r"<!--[^<>]*-->|<(?:style|script|title)\b[^<>]*>[^<]*", re.IGNORECASE)
_NEW_LINE = re.compile(r"</?(?:p|div|br|tr|li|ul|ol|h[1-6]|pre|hr|table)\b[^<>]*>", re.IGNORECASE)
# Some notices write an address in its brackets without escaping them.
_TAG = re.compile(r"<(?![^<>@\s]+@[^<>@\s]+>)[^<>]*>")


def text_of_html(markup: str) -> str:
    """The text of a page as lines."""
    lines = _NEW_LINE.sub("\n", _UNREAD.sub("", markup))
    return html.unescape(_TAG.sub("", lines)).replace("\xa0", " ")
