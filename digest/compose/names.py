"""Name papers briefly, for subjects and links, and join names to a subject. Pure."""

import re
from collections.abc import Sequence

from digest.model.wording import truncate

LONGEST_NAME = 32
_MOST_WORDS = 5  # of what stands before a colon

_BEFORE_COLON = re.compile(r"\s*(.{2,}?)\s*(?::\s|\s(?:[–—]|--?)\s)")
_IN_BRACKETS = re.compile(r"\(([^\s()]{2,20})\)")
_REPORT = re.compile(r"(.{2,32}) Technical Report")
_COINED = re.compile(r"[a-z][A-Z]|[A-Za-z]\d|\d[A-Z][a-z]|[A-Z]{2}[a-z]{2}")  # DynamicVerse, TV2TV
_HANGING = re.compile(
    r"(?:[!?.]|\s+(?:a|an|and|as|at|by|for|from|how|in|into|is|of|on|or|the|to|via|with|without|when|"
    r"towards?|through|under|over|using|beyond|across|between))+…$",
    re.IGNORECASE,
)


def short_name(title: str) -> str:
    """Return the name that a paper's authors gave to their work, else the title's beginning."""
    return own_name(title) or _beginning(title)


def own_name(title: str) -> str:
    """Return the name in a title: before the colon, in brackets, or coined; "" if it has none."""
    found = _BEFORE_COLON.match(title) or _REPORT.fullmatch(title)
    if found and len(found[1]) <= LONGEST_NAME and len(found[1].split()) <= _MOST_WORDS:
        return found[1]
    first = title.split(maxsplit=1)[0].strip(",.;!?'’\"“”")
    names = (*_IN_BRACKETS.findall(title), first)
    coined = (name for name in names if len(name) <= LONGEST_NAME and _COINED.search(name))
    return next(coined, "")


def joined(names: Sequence[str], longest: int, most: int = 3, comma: str = ", ") -> str:
    """Join the first few names that fit, whole but for a first one that is too long."""
    told = list(names[:most])
    while len(told) > 1 and len(comma.join(told)) > longest:
        told.pop()
    return truncate(comma.join(told), longest)


def _beginning(title: str) -> str:
    cut = truncate(title, LONGEST_NAME)
    return _HANGING.sub("…", cut)
