"""Write plain text as Markdown, which chat services read. Pure."""

import re

_MARKS = re.compile(r"([\\`*_{}\[\]()<>#|~])")
_ZERO_WIDTH_SPACE = "\u200b"


def markdown(text: str) -> str:
    """Return the text with every mark of Markdown escaped (CommonMark section 2.4).

    An @ is followed by a blank of no width, so that no title calls everybody in a room.
    """
    return _MARKS.sub(r"\\\1", text).replace("@", f"@{_ZERO_WIDTH_SPACE}")
